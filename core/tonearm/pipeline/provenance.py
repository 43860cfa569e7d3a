"""Provenance of a file: its source with hash, and the plugins that made it with their fingerprint."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from tonearm.pipeline.blame import as_item_error
from tonearm.pipeline.checked import BoundPlugin, CheckedPipeline
from tonearm.plugins.context import Provenance
from tonearm.plugins.nested import nested_plugins, plain_options, plain_value, plugin_identity
from tonearm.plugins.option_types import choices, file_suffixes, names_each
from tonearm.plugins.options import Option, declared_options
from tonearm.plugins.plugin import CHANGES_OUTPUT, Plugin
from tonearm.source import Source


def plugins_of(checked: CheckedPipeline) -> list[tuple[str, str]]:
    """Return the plugins of a pipeline and those in their options, each with its package and version."""
    found = []
    for bound in checked.stages():
        found.append((bound.entry.full_name, bound.entry.package.label))
        nested = map(plugin_identity, nested_plugins(bound.plugin))
        found += [(known.full_name, known.package) for known in nested]
    return found


def fingerprints_of(checked: CheckedPipeline) -> tuple[str, ...]:
    """Return the fingerprint of each output: a hash of everything that determines the content of its files.

    It covers the plugins from the decoder to the encoder with their versions, and their options with defaults. An
    option that names a file counts by the file's content. The names of outputs do not count.
    """
    hashes = _FileHashes()
    shared = [_identity(bound, hashes) for bound in (checked.decoder, *checked.steps)]
    return tuple(
        _digest([*shared, *(_identity(bound, hashes) for bound in (*output.steps, output.encoder))])
        for output in checked.outputs
    )


def fingerprint_of(checked: CheckedPipeline, fingerprints: Iterable[str] | None = None) -> str:
    """Return the fingerprint of a whole pipeline: a hash of the fingerprints and templates of its outputs.

    Parameters
    ----------
    checked
        Pipeline.
    fingerprints
        Result of `fingerprints_of`, if it is known.
    """
    known = fingerprints_of(checked) if fingerprints is None else tuple(fingerprints)
    return _digest([known, [output.template.text for output in checked.outputs]])


def provenance_of(stages: Iterable[BoundPlugin], source: Source) -> Provenance:
    """Return the provenance of a signal that plugins made from a source, without the fingerprint of an output.

    Raises
    ------
    ItemError
        If the source cannot be read.
    """
    return Provenance(
        source=source.name_below_root, sha256=source.sha256(), full_source=source.name, full_stages=stages_of(stages)
    )


def stages_of(bound: Iterable[BoundPlugin]) -> tuple[Mapping[str, Any], ...]:
    """Return plugins as provenance records them: the name, the package, and the options with defaults."""
    return tuple(
        {
            "use": one.name,
            "package": one.entry.package.label,
            "with": one.masks.in_plain(plain_options(one.plugin.options)),
        }
        for one in bound
    )


def without_folders(plain: Any, folder: str) -> Any:
    """Return plain data in which no path is absolute.

    Parameters
    ----------
    plain
        Plain data, such as the stages of `stages_of`.
    folder
        Absolute path of a folder: paths below it become relative to it. Of others, the name is left.
    """
    if isinstance(plain, Mapping):
        return {name: without_folders(inner, folder) for name, inner in plain.items()}
    if isinstance(plain, (list, tuple)):
        return type(plain)(without_folders(inner, folder) for inner in plain)
    if not (isinstance(plain, str) and plain.startswith("/")):
        return plain
    path = os.path.normpath(plain)
    below = os.path.relpath(path, folder)
    return os.path.basename(path) if below.startswith("..") else below  # noqa: PTH119 - text, as it was given


def files_of(checked: CheckedPipeline) -> tuple[str, ...]:
    """Return the paths of the files that options name and that change an output, such as a model and a cover."""
    paths = _Paths()
    for bound in checked.stages():
        _identity(bound, paths)
    return tuple(paths)


def _digest(parts: Any) -> str:
    import hashlib
    import json

    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


class _FileHashes(dict[str, str]):
    """The hashes of the files that options name, by path; each file is read once."""

    def __missing__(self, path: str) -> str:
        from tonearm.content_hash import hash_path

        return self.setdefault(path, hash_path(path))


class _Paths(dict[str, str]):
    """The paths of the files that options name; none is read."""

    def __missing__(self, path: str) -> str:
        return self.setdefault(path, "")


def _identity(bound: BoundPlugin, hashes: dict[str, str]) -> list[Any]:
    """Return the data that determine the results of a stage."""
    with as_item_error(bound):
        return _identity_of(bound.plugin, bound.entry.full_name, bound.entry.package.label, hashes)


def _identity_of(plugin: Plugin[Any], full_name: str, package: str, hashes: dict[str, str]) -> list[Any]:
    """Return the data that determine the results of a plugin, and of those in its options."""
    version = package if plugin.revision is None else plugin.revision
    files = [hashes[path] for path in plugin.files()]
    return [full_name, version, _counted_options(plugin.options, hashes), files]


def _counted_options(options: Any, hashes: dict[str, str]) -> dict[str, Any]:
    """Return the options that change an output, as plain data."""
    return {
        option.name: _counted(option, options, hashes)
        for option in declared_options(type(options)).values()
        if option.extra.get(CHANGES_OUTPUT, True) is not False
    }


def _counted(option: Option, options: Any, hashes: dict[str, str]) -> Any:
    """Return the value of an option as plain data, or None if it changes no output."""
    value = getattr(options, option.name)
    changing = option.extra.get(CHANGES_OUTPUT, True)
    if isinstance(changing, Mapping):
        if all(plain_value(getattr(options, name)) not in values for name, values in changing.items()):
            return None
    elif changing is not True and plain_value(value) not in changing:
        return None
    suffixes = file_suffixes(option.extra)
    others = choices(option.type)  # texts that name no file, as in FilePath | Literal["none"]

    def is_file(text: str) -> bool:
        return text.lower().endswith(suffixes) and text not in others and not names_each(option.extra, text)

    return _plain(value, lambda text: hashes[text] if is_file(text) else text, hashes)


def _plain(value: Any, text: Callable[[str], str], hashes: dict[str, str]) -> Any:
    """Return a value as plain data; ``text`` returns what stands for a text in it."""
    if isinstance(value, Plugin):
        known = plugin_identity(value)
        return _identity_of(value, known.full_name, known.package, hashes)
    if dataclasses.is_dataclass(value) or isinstance(value, msgspec.Struct):
        return _counted_options(value, hashes)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, (list, tuple)):
        return [_plain(inner, text, hashes) for inner in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(inner, text, hashes) for name, inner in value.items()}
    if isinstance(value, os.PathLike):
        return hashes[os.fspath(value)]
    return plain_value(value)
