"""Finding sources: files, folders and patterns are searched one after the other, never all at once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tonearm.errors import UsageError, one_line
from tonearm.pipeline import RESERVED_PREFIX
from tonearm.run.sources.given import checked_path, is_in_memory, memory_source
from tonearm.run.sources.pattern_hints import pattern_hint
from tonearm.run.store.hash_index import HashSet
from tonearm.run.store.run_folder import QUARANTINE_MARKER
from tonearm.source import Source
from tonearm.system import with_slashes

_WILDCARD = re.compile(r"[*?[]")
_STARS = re.compile(r"[*?]")


def find_sources(
    patterns: Iterable[Any],
    base: str | os.PathLike[str],
    suffixes: tuple[str, ...],
    *,
    stores: bool = False,
    written: bool = False,
    warn: Callable[[str], None] = lambda _: None,
    masks: Mapping[str, str] = {},
) -> Iterator[Source]:
    """Yield the sources that patterns match: each file once, and in the order of names within each folder.

    Parameters
    ----------
    patterns
        Files, folders (all files below with one of ``suffixes``), patterns with ``*``, ``?``, ``[…]`` and ``**``, or
        what is in memory: arrays, tensors, lists of numbers, mappings of these, and signals. Its name is its position:
        ``<array 0>``.
    base
        Folder that relative patterns start from.
    suffixes
        Suffixes of the files that the decoder reads, in lower case.
    stores
        Whether a folder with one of the suffixes is a source itself.
    written
        Whether the patterns are written in a pipeline, so that no shell has made names of them.
    warn
        Function that is called with a warning: a folder cannot be read, or a pattern matches nothing.
    masks
        What messages show in place of patterns that hold values of the environment.

    Raises
    ------
    UsageError
        If a path without wildcards does not exist, or a source is neither a path nor in memory.
    """
    root = os.fspath(base)
    fixed = with_slashes(os.path.normpath(root)) + "/"
    search = _PatternSearch(suffixes, stores=stores, written=written, warn=warn)
    seen = HashSet()
    for position, pattern in enumerate(patterns):
        if is_in_memory(pattern):
            yield memory_source(pattern, f"<array {position}>", f"array-{position}")
            continue
        text = checked_path(pattern)
        whole = with_slashes(os.path.normpath(os.path.join(root, text)))
        mask = one_line(masks.get(text, ""))
        matched = False
        # The name of the base can have brackets, which are no wildcards.
        for path, relative, found in search.matches(whole, len(fixed) if whole.startswith(fixed) else 0, mask):
            matched = True
            absolute = os.path.abspath(path)
            if seen.add(absolute):
                yield Source(name=path, path=path, relative_dir=relative, found=found, absolute_path=absolute)
        if not matched:
            shown = mask or one_line(text)
            place = "" if mask or os.path.isabs(text) else f" in {one_line(os.path.abspath(root))}"
            hint = "" if mask else pattern_hint(text)
            if os.path.isdir(whole) and not mask:
                warn(f"the folder {shown}{place} has no file that the decoder reads: {', '.join(suffixes)}")
            elif search.missing:
                raise UsageError(f"there is no file {shown}{place}", code="no-source", hint=hint)
            else:
                warn(f"{shown} matches no source{place}{hint and f'; {hint}'}")


class _PatternSearch:
    """Searches folders for files that match patterns.

    Attributes
    ----------
    missing
        Whether the last pattern was the name of a file that does not exist.
    """

    def __init__(self, suffixes: tuple[str, ...], *, stores: bool, written: bool, warn: Callable[[str], None]) -> None:
        self._suffixes = suffixes
        self._stores = suffixes if stores else ()
        self._written = written
        self._warn = warn
        self._listed: tuple[tuple[str, bool], list[str]] = ("", False), []
        self._refused: set[str] = set()
        self._mask = ""
        self.missing = False

    def matches(self, pattern: str, fixed: int, mask: str = "") -> Iterator[tuple[str, str, bool]]:
        """Yield the paths that match, each with its folder below the fixed part of the pattern.

        The third value is whether the path was found by a search. If not, it is the pattern itself. A file or folder
        whose name is the pattern comes after what the pattern matches; it cannot hide that. From the command line, a
        name with brackets alone is that of a file, if there is one: a shell has found it.

        Parameters
        ----------
        pattern
            Path with or without wildcards.
        fixed
            Number of characters in front that are no wildcards.
        mask
            What messages show in place of the pattern; empty if they show names as they are.
        """
        self._mask = mask
        is_pattern = _WILDCARD.search(pattern, fixed) is not None
        exists = os.path.lexists(pattern)
        if is_pattern and (self._written or _STARS.search(pattern, fixed) or not exists):
            first = pattern.count("/", 0, fixed)
            parts = pattern.split("/")
            first += next(index for index, part in enumerate(parts[first:]) if _WILDCARD.search(part))
            root = "/".join(parts[:first]) or ("/" if pattern.startswith("/") else ".")
            if os.path.splitdrive(root)[0] == root:  # C: is the current folder of a drive
                root += "/"
            parts = parts[first:]
            for path, folder in self._walk(root, [*parts, "*"] if parts[-1] == "**" else parts, ".", ()):
                yield path, folder, True
        if exists and self._is_folder(pattern, os.path.isdir(pattern)):
            for path, folder in self._walk(pattern, ["**", "*"], ".", ()):
                if path.lower().endswith(self._suffixes):
                    yield path, folder, True
        elif exists:
            yield pattern, ".", False
        self.missing = not exists and not is_pattern

    def _walk(
        self, root: str, parts: list[str], folder: str, above: tuple[tuple[int, int], ...]
    ) -> Iterator[tuple[str, str]]:
        """Yield the files below a folder that match the parts of a pattern, without following links upwards."""
        part, rest = parts[0], parts[1:]
        if part == "**":
            here = _identity(root)
            if here in above:
                return
            yield from self._walk(root, rest, folder, above)
            for name in self._names(root, folders=True):
                yield from self._walk(_join(root, name), parts, _join(folder, name), (*above, here))
        elif not _WILDCARD.search(part):
            path = _join(root, part)
            is_folder = self._is_folder(part, os.path.isdir(path))
            if rest and is_folder:
                yield from self._walk(path, rest, _join(folder, part), above)
            elif not rest and not is_folder and os.path.lexists(path):
                yield path, folder
        else:
            import fnmatch

            fits = re.compile(fnmatch.translate(part)).match
            hidden, is_named = part.startswith("."), folder == "."
            for name in self._names(root, folders=bool(rest), hidden=hidden, is_named=is_named):
                if fits(name) and rest:
                    yield from self._walk(_join(root, name), rest, _join(folder, name), above)
                elif fits(name):
                    yield _join(root, name), folder

    def _names(self, root: str, *, folders: bool, hidden: bool = False, is_named: bool = True) -> list[str]:
        """Return the sorted names of the folders, or of everything else, in a folder; none if it cannot be read.

        A run's own folder and its temporaries are never found, and the files of a quarantine only if the user names it.
        """
        asked, found = self._listed
        try:
            if asked != (root, folders):
                with os.scandir(root) as entries:
                    found = [one.name for one in entries if self._is_folder(one.name, _is_folder(one)) == folders]
                found.sort()
                self._listed = (root, folders), found
        except OSError as error:
            if root not in self._refused and not isinstance(error, (FileNotFoundError, NotADirectoryError)):
                self._refused.add(root)
                folder = f"a folder of {self._mask}" if self._mask else f"the folder {one_line(root)}"
                self._warn(f"cannot read {folder}: {(error.strerror or str(error)).lower()}")
            return []
        if not is_named and QUARANTINE_MARKER in found:
            if root not in self._refused:
                self._refused.add(root)
                self._warn(f"{one_line(root)} is a quarantine: its files are not converted unless you name the folder")
            return []
        hide = RESERVED_PREFIX if hidden else "."
        return [name for name in found if not name.startswith(hide)]

    def _is_folder(self, name: str, is_folder: bool) -> bool:
        """Return whether a path is a folder to search, rather than a source itself."""
        return is_folder and not name.lower().endswith(self._stores)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _identity(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino


def _join(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder.rstrip('/')}/{name}"
