"""``webdataset-reader``: arrays in the members of tar shards."""

from __future__ import annotations

import contextlib
import json
import re
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import (
    ChooseOption,
    Context,
    ItemError,
    KeyedArrayDecoder,
    KeyedArrayOptions,
    LazyArrays,
    Requirement,
    Source,
    TarArchive,
    Waveform,
    check_memory,
    levels_of,
    listed,
    quoted,
    quoted_array,
    reading_errors,
    with_configs,
)
from tonearm_plugins.decoders.contained import SoundOptions, content_of, sound_options, with_sounds
from tonearm_plugins.formats.pytorch import TORCH

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

MAX_ARRAYS = 1_000_000
"""Number of arrays in one file."""

MAX_SORTS = 10
"""Number of sorts of arrays that an error names."""

_MEMBER = re.compile(r"(.+?\.(?:npy|npz|pth|pt))(/.*)?", re.DOTALL | re.IGNORECASE)
"""Name of an array: that of its member, and its own within the member."""

_PYTORCH = (".pt", ".pth")
_SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".au", ".caf", ".w64", ".m4a", ".aac")
_METADATA = ".json"
_LONGEST_METADATA = 1 << 16  # bytes
_SUFFIXES = (".npy", ".npz", *_PYTORCH, *_SOUNDS)


class WebDatasetReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read the .npy, .npz, .pt and sound members of a tar shard by name, as in 0001.mel.npy; nothing is extracted.

    An array within a member has the member's name before its own, as in 0001.npz/wav.
    """

    suffixes = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
    reads = "content"
    holds_many = True

    def needs(self) -> Iterable[Requirement]:
        """Return the requirement of PyTorch if ``key`` asks for its members."""
        key = self.options.key or ""
        return (TORCH,) if key.partition("/")[0].lower().endswith(_PYTORCH) else ()

    def of_one_sort(self, keys: list[str]) -> list[str]:
        """Return all names if they are of one sort, as 0001.mel.npy and 0002.mel.npy are.

        Raises
        ------
        ItemError
            If a sample has arrays of several sorts. The error has a pattern for each.
        """
        patterns = tuple(dict.fromkeys(map(_pattern, keys)))
        if len(patterns) == 1:
            return keys
        raise ItemError(
            f"the samples have arrays of {len(patterns)} sorts",
            code="several-arrays",
            remedies=(ChooseOption("key", patterns[:MAX_SORTS]),),
        )

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the shard as a mapping from names to arrays."""
        with (
            source.open() as file,
            TarArchive(
                file, source.name, lambda name: name.lower().endswith((*_SUFFIXES, _METADATA)), most=MAX_ARRAYS
            ) as archive,
        ):
            if all(name.lower().endswith(_METADATA) for name in archive.members):
                raise _no_members(file, source.name)
            places = dict(_places(archive))
            numbers: dict[str, Mapping[str, float | str]] = {}

            sidecars = _Sidecars(archive)

            def load(key: str) -> Any:
                sidecars.read(places[key][0], before=True)
                return _load(archive, *places[key], numbers, sound_options(self.options), context)

            def says(key: str) -> Mapping[str, Any]:
                member = places[key][0]
                near = numbers.get(member, {})
                return ChainMap(*levels_of(near), *sidecars.read(member))

            found = LazyArrays(places, load, says)
            yield with_sounds(found, source.name, self.options, context)


def _no_members(file: BinaryIO, name: str) -> ItemError:
    """Return the error for a shard of other members, by their suffixes."""
    file.seek(0)
    with TarArchive(file, name, most=MAX_ARRAYS) as archive:
        suffixes = dict.fromkeys(PurePosixPath(member).suffix or member for member in archive.members)
    has = f"; it has {listed(suffixes, 4)}" if suffixes else ""
    return ItemError(
        f"{quoted(name)} has no .npy, .npz, .pt or sound member{has}",
        code="empty",
        hint="write each array as .npy, and each sound as a sound file, with a suffix that says so",
    )


class _Sidecars:
    """JSON of samples, which stands beside their arrays; each is read once, on the way through a compressed shard."""

    def __init__(self, archive: TarArchive) -> None:
        self._archive = archive
        self._found: dict[str, list[dict[str, Any]]] = {}

    def read(self, member: str, *, before: bool = False) -> list[dict[str, Any]]:
        """Return what the JSON of a member's sample says; with ``before``, only if it stands before the member."""
        folder, slash, name = member.rpartition("/")
        beside = f"{folder}{slash}{name.partition('.')[0]}{_METADATA}"
        entry = self._archive.members.get(beside)
        if beside in self._found or entry is None or entry.size > _LONGEST_METADATA:
            return self._found.get(beside, [])
        if before and entry.segments[0][2] > self._archive.members[member].segments[0][2]:
            return []
        try:
            found = json.loads(self._archive.open(beside).read())
        except (ValueError, RecursionError):
            found = None
        self._found[beside] = with_configs(found) if isinstance(found, dict) else []
        return self._found[beside]


def _pattern(key: str) -> str:
    """Return the pattern of an array's sort: what follows the sample's name, which ends at the first dot."""
    found = _MEMBER.fullmatch(key)
    member, name = found.groups() if found else (key, "")
    return f"*.{member.rpartition('/')[2].partition('.')[2]}{name or ''}"


def _places(archive: TarArchive) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the name of each array with its member's name and its own within the member."""
    for name in archive.members:
        if name.lower().endswith(_METADATA):
            continue
        for key in [""] if name.lower().endswith((".npy", *_SOUNDS)) else _keys(archive, name):
            yield f"{name}/{key}" if key else name, (name, key)


def _keys(archive: TarArchive, name: str) -> list[str]:
    """Return the names of the arrays in one member."""
    stream, size, label = archive.open(name), archive.members[name].size, f"{archive.name}:{name}"
    try:
        if name.lower().endswith(".npz"):
            from tonearm_plugins.formats import npz

            return npz.array_names(stream, size, label)
        from tonearm_plugins.formats import pytorch

        return list(pytorch.load(stream, label))
    except ItemError:
        return [""]  # the error is raised again when the member is loaded, and the other members are read


def _load(
    archive: TarArchive,
    name: str,
    key: str,
    numbers: dict[str, Mapping[str, float | str]],
    options: SoundOptions,
    context: Context,
) -> Array | Waveform:
    """Return one array of a member, or its sound; note the numbers beside the tensors of a member."""
    size, label = archive.members[name].size, f"{archive.name}:{name}"
    with reading_errors(archive.name, "a tar file"):
        if name.lower().endswith(".npy"):
            from tonearm_plugins.formats import npy

            return npy.load(archive.open(name, forwards=True), size, name=label)
        if name.lower().endswith(".npz"):
            from tonearm_plugins.formats import npz

            return npz.load_array(archive.open(name), size, key, label)
        if name.lower().endswith(_SOUNDS):
            check_memory(archive.name, name, size)
            content = content_of(archive.open(name, forwards=True).read(), archive.name, name, options, context)
            if isinstance(content.value, bytes):
                raise ItemError(
                    f"{quoted_array(archive.name, name)} is not a sound file; it looks like {content.type.name}",
                    code="wrong-format",
                    hint=content.type.hint,
                )
            return content.value
        from tonearm_plugins.formats import pytorch

        contents = pytorch.read_contents(archive.open(name), label)
        numbers[name] = contents.beside(key)
        return pytorch.to_array(contents.tensors[key], key)
