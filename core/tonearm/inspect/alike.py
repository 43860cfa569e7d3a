"""Arrays that are alike: one pipeline reads all of them, by a pattern of their names or of their files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tonearm.findings.notes import Finding
from tonearm.inspect.files import Inspection
from tonearm.inspect.folders import start_of
from tonearm.inspect.guess import Guess
from tonearm.plugins.registry import Registry

MAX_NAMED = 4
"""Largest number of alike arrays that are named."""


class AlikeArrays(Struct):
    """Arrays that one pipeline reads, or a single one.

    Parameters
    ----------
    first
        Inspection of the first array, whose guess holds for all of them.
    others
        Inspections of the other arrays.
    key
        Name of the array, or the pattern that their names have in common; empty if there is none.
    files
        Pattern of the files' names, or their names, if the arrays are in several files; else empty.
    """

    first: Inspection
    others: list[Inspection]
    key: str = ""
    files: str | list[str] = ""

    @property
    def file_names(self) -> list[str]:
        """Names of the files, each once."""
        return list(dict.fromkeys(one.file for one in (self.first, *self.others)))

    def pipeline(self, registry: Registry) -> dict[str, Any]:
        """Return a pipeline that converts the arrays, with ``?`` where the user must decide."""
        found = self.first.pipeline(registry)
        options = found["input"]["with"]
        if self.key:
            options["key"] = self.key
        found["input"]["files"] = self.files or self.first.file
        fields = "{relative_dir}/{stem}" if "**" in str(self.files) else "{stem}"
        if len({one.key for one in (self.first, *self.others)}) > 1 and self.key:
            fields += "-{key}" if all(_is_name(one.key) for one in (self.first, *self.others)) else "-{index}"
        if "{index}" not in fields and ("{index}" in found["outputs"][0]["file"] or self._has_rows):
            fields += "-{index}"
        found["outputs"][0]["file"] = f"{fields}.wav"
        return found

    @property
    def _has_rows(self) -> bool:
        """Whether several arrays of one file have one name, as the rows of a column have."""
        return any((one.file, one.key) == (self.first.file, self.first.key) for one in self.others)


def group_alike(found: Sequence[Inspection]) -> list[Inspection | AlikeArrays]:
    """Return the inspections of a file with those of alike arrays in one group, at the place of the first.

    Arrays are alike if they have the same type and rank, and the same findings but for lengths and ranges. A group has
    a name or pattern that matches its arrays and no other one of the file.
    """
    groups: list[Inspection | AlikeArrays] = []
    for one in found:
        if one.guess is None or one.error is not None:
            groups.append(one)
            continue
        for place, group in enumerate(groups):
            if isinstance(group, AlikeArrays) and (guess := _common_guess(group.first, one)) is not None:
                first = msgspec.structs.replace(group.first, guess=guess)
                groups[place] = AlikeArrays(first, [*group.others, one])
                break
        else:
            groups.append(AlikeArrays(one, []))
    names = [one.key for one in found if one.key]
    return [_with_key(group, names) if isinstance(group, AlikeArrays) else group for group in groups]


def group_files(found: Iterable[AlikeArrays], folder: str) -> list[AlikeArrays]:
    """Return the groups of several files with those of alike arrays together.

    They are read by a pattern of the files' names, if it matches no other file; else the files are listed.

    Parameters
    ----------
    found
        Groups of each file.
    folder
        Folder in which the files are.
    """
    groups: list[AlikeArrays] = []
    for one in found:
        for place, group in enumerate(groups):
            same_suffix = Path(group.first.file).suffix == Path(one.first.file).suffix
            if group.key == one.key and same_suffix and (guess := _common_guess(group.first, one.first)) is not None:
                first = msgspec.structs.replace(group.first, guess=guess)
                groups[place] = AlikeArrays(first, [*group.others, one.first, *one.others], group.key)
                break
        else:
            groups.append(one)
    names = [group.file_names for group in groups]
    for place, group in enumerate(groups):
        if len(names[place]) > 1:
            others = {name for other in names for name in other}.difference(names[place])
            group.files = _files_pattern(names[place], others, folder)
    return groups


def _files_pattern(names: list[str], others: Iterable[str], folder: str) -> str | list[str]:
    """Return the pattern that matches some files below a folder and none of the others; else their names."""
    suffix = Path(names[0]).suffix
    common = os.path.commonpath(names)
    for top in dict.fromkeys((folder, common)):
        if any(mark in top for mark in "*?["):
            continue  # they would be wildcards
        start = start_of(top)
        is_deep = any("/" in name[len(start) :] for name in names)
        matched = [name for name in others if name.startswith(start) and name.endswith(suffix)]
        if not (matched if is_deep else [name for name in matched if "/" not in name[len(start) :]]):
            return f"{start}{'**/' if is_deep else ''}*{suffix}"
    return names


def _common_guess(one: Inspection, other: Inspection) -> Guess | None:
    """Return a guess that holds for two arrays; None if they are not alike."""
    first, second = one.guess, other.guess
    if first is None or second is None or (one.decoder, one.dtype) != (other.decoder, other.dtype):
        return None
    if _rank(one) != _rank(other) or _subjects(first) != _subjects(second):
        return None
    if first.options != second.options or first.choices.keys() != second.choices.keys():
        return None
    choices: dict[str, list[str]] = {}
    findings = first.findings
    for option, values in first.choices.items():
        choices[option] = [value for value in values if value in second.choices[option]]
        if not choices[option]:
            return None
        if len(choices[option]) < len(values):
            best = ", ".join(choices[option][:MAX_NAMED])
            finding = Finding(option, best, "possible", "of the values that fit, all arrays have these in common")
            findings = (*(one for one in findings if one.reason != finding.reason), finding)
    return Guess(findings, first.options, choices)


def _rank(one: Inspection) -> int:
    return sum(size > 1 for size in one.shape)


def _subjects(guess: Guess) -> list[tuple[str, str]]:
    """Return the subjects of the findings, with the values of those that are the same in alike arrays."""
    ranges = ("values", "sample_rate", "padding", "lengths")
    subjects = [one for one in guess.findings if one.what not in guess.choices]
    return sorted((one.what, "" if one.what in ranges else one.value) for one in subjects)


def _with_key(group: AlikeArrays, names: Sequence[str]) -> AlikeArrays:
    """Return a group with the pattern that matches the names of its arrays and none of the others of the file."""
    keys = list(dict.fromkeys([group.first.key, *(one.key for one in group.others)]))
    others = set(names).difference(keys)
    key = next((one for one in _patterns(keys) if not any(fnmatchcase(name, one) for name in others)), "")
    return AlikeArrays(group.first, group.others, key)


def _patterns(keys: Sequence[str]) -> list[str]:
    """Return the patterns that match some names, the simplest one first."""
    if len(keys) == 1:
        return [keys[0]]
    start = _common_start(keys)
    end = _common_start([key[len(start) :][::-1] for key in keys])[::-1]
    if any(mark in start + end for mark in "*?["):
        return ["*"]
    found = ["*", f"{start}*", f"*{end}", f"{start}*{end}"]
    if len(set(map(len, keys))) == 1:
        found.append(f"{start}{'?' * (len(keys[0]) - len(start) - len(end))}{end}")
    return list(dict.fromkeys(found))


def _common_start(texts: Sequence[str]) -> str:
    """Return the text with which all of some texts start."""
    least, most = min(texts), max(texts)
    same = next((place for place, mark in enumerate(least) if mark != most[place]), len(least))
    return least[:same]


def _is_name(key: str) -> bool:
    """Return whether the name of an array can be part of a file's name."""
    return bool(key) and "/" not in key and key.isprintable() and len(os.fsencode(key)) <= 200
