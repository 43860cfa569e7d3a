"""``webdataset-reader``: arrays in the members of tar shards."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO, cast

from tonearm.api import (
    ARRAY_BYTES,
    Context,
    ItemError,
    KeyedArrayDecoder,
    KeyedArrayOptions,
    LazyArrays,
    Requirement,
    Source,
    check_array_count,
    quoted,
    reading_errors,
    size_of,
    wrong_format_error,
)
from tonearm_plugins.formats.pytorch import TORCH

if TYPE_CHECKING:
    import tarfile

    from tonearm_plugins.dsp.typing import Array

MAX_ARRAYS = 1_000_000
"""Number of arrays in one file."""

MAX_COMPRESSED_MEMBER = 1 << 30
"""Size in bytes of a member of a compressed shard: it cannot be mapped."""

_PYTORCH = (".pt", ".pth")
_SUFFIXES = (".npy", ".npz", *_PYTORCH)


class WebDatasetReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read the .npy, .npz and .pt members of a tar shard by name, as in 0001.mel.npy; nothing is extracted to disk.

    An array within a member has the member's name before its own, as in 0001.npz/wav.
    """

    suffixes = (".tar", ".tar.gz", ".tgz")
    reads = "content"

    def needs(self) -> Iterable[Requirement]:
        """Return the requirement of PyTorch if ``key`` asks for its members."""
        key = self.options.key or ""
        return (TORCH,) if key.partition("/")[0].endswith(_PYTORCH) else ()

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the shard as a mapping from names to arrays."""
        import tarfile

        with source.open() as file:
            size = size_of(file)
            try:
                with reading_errors(source.name, "a tar file"):
                    archive = tarfile.open(fileobj=file, mode="r:*")  # noqa: SIM115
            except ItemError as error:
                if isinstance(error.__cause__, tarfile.ReadError):
                    raise wrong_format_error(file, source.name, "a tar file") from error
                raise
            with archive:
                shard = _Shard(archive, file, size, source.name)
                places = dict(shard.places())
                yield LazyArrays(places, lambda key: shard.load(*places[key]))


class _Shard:
    """Open shard."""

    def __init__(self, archive: tarfile.TarFile, file: BinaryIO, size: int, name: str) -> None:
        self.archive, self.file, self.size, self.name = archive, file, size, name
        self.plain = archive.fileobj is file
        self.members: dict[str, tarfile.TarInfo] = {}
        with reading_errors(name, "a tar file"):
            self._list()

    def _list(self) -> None:
        """Collect the members that hold arrays."""
        total = 0
        for member in self.archive:
            total += member.size
            if not self.plain and total > ARRAY_BYTES.limit(self.size):
                raise self._error(f"inflates from {self.size:,} to {total:,} bytes and more", "too-large")
            if not member.isreg() or not member.name.endswith(_SUFFIXES):
                continue
            if member.name in self.members:
                raise self._error(f"has two members {quoted(member.name)}", "duplicate")
            check_array_count(self.name, len(self.members), MAX_ARRAYS)
            self.members[member.name] = member
        if not self.members:
            raise self._error("has no .npy, .npz or .pt member", "empty")

    def places(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """Yield the name of each array with its member's name and its own within the member."""
        for name in self.members:
            for key in [""] if name.endswith(".npy") else self._keys(name):
                yield f"{name}/{key}" if key else name, (name, key)

    def load(self, name: str, key: str) -> Array:
        """Return one array of a member."""
        member = self.members[name]
        label = f"{self.name}:{name}"
        if name.endswith(".npy"):
            from tonearm_plugins.formats import npy

            if self.plain and not member.issparse():
                return npy.load(self.file, member.size, name=label, start=member.offset_data)
            return npy.load(self._stream(name), member.size, name=label)
        stream = self._stream(name)
        if name.endswith(".npz"):
            from tonearm_plugins.formats import npz

            return npz.load_array(stream, member.size, key, label)
        from tonearm_plugins.formats import pytorch

        return pytorch.to_array(pytorch.load(stream, label)[key], key)

    def _keys(self, name: str) -> list[str]:
        """Return the names of the arrays in one member."""
        stream = self._stream(name)
        label = f"{self.name}:{name}"
        try:
            if name.endswith(".npz"):
                from tonearm_plugins.formats import npz

                return npz.array_names(stream, self.members[name].size, label)
            from tonearm_plugins.formats import pytorch

            return list(pytorch.load(stream, label))
        except ItemError:
            return [""]  # the error is raised again when the member is loaded, and the other members are read

    def _stream(self, name: str) -> BinaryIO:
        """Return a member as a file: a window on the shard, or in memory if the shard is compressed."""
        member = self.members[name]
        with reading_errors(self.name, "a tar file"):
            stream = self.archive.extractfile(member)
            if stream is None:
                raise self._error(f"has no file {quoted(name)}", "broken-file")
            if self.plain:
                return cast("BinaryIO", stream)
            if member.size > MAX_COMPRESSED_MEMBER:
                raise self._error(f"has a compressed member of {member.size:,} bytes", "too-large")
            return io.BytesIO(stream.read())

    def _error(self, what: str, code: str) -> ItemError:
        return ItemError(
            f"{quoted(self.name)} {what}", code=code, hint="write the shard again, uncompressed, or split it"
        )
