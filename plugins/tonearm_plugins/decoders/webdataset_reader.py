"""``webdataset-reader``: members of tar shards."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from tonearm.api import Context, ItemError, KeyedArrayDecoder, KeyedArrayOptions, Requirement, Source
from tonearm_plugins.formats.file_types import shown
from tonearm_plugins.formats.lazy_arrays import LazyArrays
from tonearm_plugins.formats.pytorch import TORCH
from tonearm_plugins.formats.reading import BOMB_FROM, BOMB_RATIO, judged, size_of, stranger

if TYPE_CHECKING:
    import tarfile

    import numpy as np

    Array = np.ndarray[Any, Any]

MAX_MEMBERS = 1_000_000
MAX_COMPRESSED_MEMBER = 1 << 30  # bytes, of a member of a compressed shard, which cannot be mapped


class WebDatasetReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read the .npy, .npz and .pt members of a tar shard, called by name as in 0001.mel.npy; nothing is extracted.

    Arrays within a member have its name before theirs, as in 0001.npz/wav.
    """

    suffixes = (".tar", ".tar.gz", ".tgz")

    def needs(self) -> Iterable[Requirement]:
        """Return PyTorch, where ``key`` asks for its members."""
        key = self.options.key or ""
        return (TORCH,) if key.partition("/")[0].endswith((".pt", ".pth")) else ()

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the shard."""
        import tarfile

        with source.open() as file:
            size = size_of(file)
            try:
                with judged(source.name, "a tar file"):
                    archive = tarfile.open(fileobj=file, mode="r:*")  # noqa: SIM115
            except ItemError as error:
                if isinstance(error.__cause__, tarfile.ReadError):
                    raise stranger(file, source.name, "a tar file") from error
                raise
            with archive:
                shard = _Shard(archive, file, size, source.name)
                places = dict(shard.places())
                yield LazyArrays(places, lambda key: shard.load(*places[key]))


class _Shard:
    """An open shard."""

    def __init__(self, archive: tarfile.TarFile, file: BinaryIO, size: int, name: str) -> None:
        self.archive, self.file, self.size, self.name = archive, file, size, name
        self.plain = archive.fileobj is file
        self.members: dict[str, tarfile.TarInfo] = {}
        with judged(name, "a tar file"):
            self._list()

    def _list(self) -> None:
        total = 0
        for member in self.archive:
            total += member.size
            if not self.plain and total > BOMB_FROM and total > BOMB_RATIO * self.size:
                raise self._wrong(f"inflates from {self.size:,} to {total:,} bytes and more", "too-large")
            if not member.isreg() or not member.name.endswith((".npy", ".npz", ".pt", ".pth")):
                continue
            if member.name in self.members:
                raise self._wrong(f"has two members {shown(member.name)}", "duplicate")
            if len(self.members) > MAX_MEMBERS:
                raise self._wrong(f"has more than {MAX_MEMBERS:,} arrays", "too-large")
            self.members[member.name] = member
        if not self.members:
            raise self._wrong("has no .npy, .npz or .pt member", "empty")

    def places(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """Yield the name of each array with its member's and its own within that."""
        for name in self.members:
            for key in [""] if name.endswith(".npy") else self._inside(name):
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

            return npz.load_member(stream, member.size, key, label)
        from tonearm_plugins.formats import pytorch

        return pytorch.to_array(pytorch.load(stream, label)[key], key)

    def _inside(self, name: str) -> list[str]:
        """Return the names of the arrays in one member."""
        stream = self._stream(name)
        label = f"{self.name}:{name}"
        try:
            if name.endswith(".npz"):
                from tonearm_plugins.formats import npz

                return npz.members(stream, self.members[name].size, label)
            from tonearm_plugins.formats import pytorch

            return list(pytorch.load(stream, label))
        except ItemError:
            return [""]  # it is said again when it is loaded, and the other members go on

    def _stream(self, name: str) -> BinaryIO:
        """Return a member as a file: a window on the shard, or in memory if the shard is compressed."""
        member = self.members[name]
        with judged(self.name, "a tar file"):
            stream = self.archive.extractfile(member)
            if stream is None:
                raise self._wrong(f"has no file {shown(name)}", "broken-file")
            if self.plain:
                return cast("BinaryIO", stream)
            if member.size > MAX_COMPRESSED_MEMBER:
                raise self._wrong(f"has a member of {member.size:,} bytes, compressed", "too-large")
            return io.BytesIO(stream.read())

    def _wrong(self, what: str, code: str) -> ItemError:
        return ItemError(
            f"{shown(self.name)} {what}", code=code, hint="write the shard again, uncompressed, or split it"
        )
