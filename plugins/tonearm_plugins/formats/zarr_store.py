"""Zarr stores, folders or zip files: arrays by their paths, read without zarr's own store.

Only regular files within the store are opened. Arrays are found by the names of files, and chunks that do not exist
cost nothing: zarr visits every chunk of the grid, by many tasks at once, and opens whatever has its name.
"""

from __future__ import annotations

import json
import math
import os
import stat
import sys
import time
from collections import ChainMap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple, Protocol, cast

from tonearm.api import (
    FREE_SECONDS,
    SAVE_AS_FLOAT32,
    STORED_PER_SECOND,
    WRITE_AGAIN,
    ItemError,
    LazyArrays,
    ZipArchive,
    ZipBounds,
    check_array_count,
    check_claimed_size,
    check_memory,
    check_stored_size,
    memory_limit,
    quoted,
    quoted_array,
    reading_errors,
    with_configs,
)
from tonearm_plugins.formats.zarr_codecs import ZarrChunk, check_codecs, codecs_of, place_chunk

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

MAX_ARRAYS = 100_000
"""Number of arrays in one file."""

MARKERS = ("zarr.json", ".zgroup", ".zarray")
"""Names of the files of which every store has one."""

MAX_METADATA = 1 << 20
"""Size of a metadata file in bytes."""

MAX_DEPTH = 64
"""Levels of folders within folders."""

_METADATA = (*MARKERS, ".zattrs", ".zmetadata")
_FILE_MEMORY = 1000  # bytes of memory for the name of each file
_MEMBER_MEMORY = 3000  # bytes of memory for the entry of each member of a zip file
_MAX_AXES = 32


class Store(Protocol):
    """Files of a store: their names, their sizes, and their bytes."""

    @property
    def name(self) -> str:
        """Name of the store, for messages."""

    @property
    def files(self) -> Mapping[str, int]:
        """Sizes of the regular files in bytes, by their names."""

    @property
    def irregular(self) -> Mapping[str, str]:
        """Kinds of everything else, by their names: links, pipes, devices."""

    def read(self, file: str) -> bytes:
        """Return the bytes of a file, at most as many as ``files`` says."""


class FolderStore:
    """Store in a folder; links are never followed, neither out of it nor within it."""

    def __init__(self, path: Path, name: str) -> None:
        self.name, self._path = name, path
        self.files: dict[str, int] = {}
        self.irregular: dict[str, str] = {}
        waiting = [""]
        most = memory_limit() // _FILE_MEMORY
        while waiting:
            inside = waiting.pop()
            with os.scandir(path / inside) as entries:
                for entry in entries:
                    self._add(entry, f"{inside}{entry.name}", waiting)
                    if len(self.files) + len(self.irregular) + len(waiting) > most:
                        raise ItemError(
                            f"{quoted(name)} has more than {most:,} files",
                            code="too-large",
                            hint="split it into several stores, or store it in shards",
                        )

    def _add(self, entry: os.DirEntry[str], file: str, waiting: list[str]) -> None:
        if entry.is_dir(follow_symlinks=False):
            if file.count("/") < MAX_DEPTH:
                waiting.append(f"{file}/")
        elif entry.is_file(follow_symlinks=False):
            self.files[file] = entry.stat(follow_symlinks=False).st_size
        else:
            self.irregular[file] = "a link" if entry.is_symlink() else "a pipe or a device"

    def read(self, file: str) -> bytes:
        """Return the bytes of a file, opened step by step from the store's folder, so that no link leads out."""
        *folders, base = file.split("/")
        if sys.platform == "win32" or os.open not in os.supports_dir_fd:
            return self._read_by_path(file)
        at = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in folders:
                inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
                os.close(at)
                at = inner
            opened = os.open(base, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
        finally:
            os.close(at)
        with os.fdopen(opened, "rb", buffering=0) as stream:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise ValueError(f"{file} is not a regular file")
            return stream.read(self.files[file])

    def _read_by_path(self, file: str) -> bytes:
        """Return the bytes of a file, if neither it nor a folder on the way to it is a link."""
        at = self._path
        for name in file.split("/"):
            at = at / name
            if at.is_symlink():
                raise ValueError(f"{file} is not a regular file")
        with at.open("rb", buffering=0) as stream:
            return stream.read(self.files[file])


class ZippedStore:
    """Store in a zip file."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        bounds = ZipBounds(members=memory_limit() // _MEMBER_MEMORY, directory=memory_limit() // 10)
        try:
            self._archive = ZipArchive(file, name, bounds=bounds)
        except ItemError as error:
            if error.code != "wrong-format":
                raise
            raise ItemError(
                f"{quoted(name)} cannot be read as a zipped Zarr store", code="broken-file", hint=WRITE_AGAIN
            ) from error
        self.files = {file: member.file_size for file, member in self._archive.members.items()}
        self.irregular: Mapping[str, str] = {}

    def read(self, file: str) -> bytes:
        """Return the bytes of a member."""
        return self._archive.read(file)


class Stored(NamedTuple):
    """Files of one array: its chunks, what is not a file, and the sizes of the chunks in bytes."""

    chunks: list[str]
    irregular: list[str]
    total: int
    largest: int


def open_arrays(store: Store) -> LazyArrays:
    """Return the arrays of a store by their paths.

    Parameters
    ----------
    store
        Files of the store.

    Returns
    -------
    LazyArrays
        Arrays by path, ``group/wav``, or ``""`` for an array at the root, with attributes of each and of its groups.
    """
    keys = list(dict.fromkeys(_paths(store)))
    check_array_count(store.name, len(keys), MAX_ARRAYS)
    chunks, irregular = _by_array(store.files, keys), _by_array(store.irregular, keys)

    def load(key: str) -> Array:
        sizes = [store.files[file] for file in chunks[key]]
        return _load(store, key, Stored(chunks[key], irregular[key], sum(sizes), max(sizes, default=0)))

    return LazyArrays(keys, load, lambda key: _attributes(store, key))


def _paths(store: Store) -> Iterator[str]:
    """Yield the path of each array; that of an array at the root is empty."""
    for file in sorted(store.files):
        folder, _, base = file.rpartition("/")
        if base == ".zarray" or (base == "zarr.json" and _metadata(store, folder).get("node_type") == "array"):
            yield folder


def _by_array(files: Mapping[str, object], keys: list[str]) -> dict[str, list[str]]:
    """Return the files of each array, those of its metadata left out."""
    found: dict[str, list[str]] = {key: [] for key in keys}
    for file in files:
        folder, _, base = file.rpartition("/")
        if base in _METADATA:
            continue
        while folder not in found and folder:
            folder = folder.rpartition("/")[0]
        if folder in found:
            found[folder].append(file)
    return found


def _attributes(store: Store, key: str) -> Mapping[str, Any]:
    """Return the attributes of an array and of the groups around it, a level each."""
    found: list[dict[str, Any]] = []
    folder = key
    while True:
        inside = f"{folder}/" if folder else ""
        for file in (f"{inside}zarr.json", f"{inside}.zattrs"):
            if store.files.get(file, MAX_METADATA + 1) <= MAX_METADATA:
                with reading_errors(_label(store, key), "a Zarr store"):
                    content = json.loads(store.read(file))
                    attributes = content.get("attributes") if file.endswith(".json") else content
                    found += with_configs(attributes) if isinstance(attributes, dict) else []
        if not folder:
            return ChainMap(*found)
        folder = folder.rpartition("/")[0]


def _label(store: Store, key: str) -> str:
    return f"{store.name}/{key}" if key else store.name


def _metadata(store: Store, key: str) -> dict[str, Any]:
    """Return the metadata of an array or a group."""
    inside = f"{key}/" if key else ""
    file = next(path for path in (f"{inside}zarr.json", f"{inside}.zarray") if path in store.files)
    with reading_errors(_label(store, key), "a Zarr store"):
        if store.files[file] > MAX_METADATA:
            raise ValueError(f"{file} has {store.files[file]:,} bytes")
        found = json.loads(store.read(file))
        if not isinstance(found, dict):
            raise ValueError(f"{file} holds no mapping")
        return found


def _load(store: Store, key: str, stored: Stored) -> Array:
    """Return the values of an array after its claims were checked."""
    import numpy as np

    if stored.irregular:
        file = stored.irregular[0]
        raise ItemError(
            f"{quoted_array(store.name, key)} has {store.irregular[file]} {quoted(file)} where it has its chunks",
            code="outside-file",
            hint="copy the store with its values: cp -rL",
        )
    metadata = _metadata(store, key)
    with reading_errors(_label(store, key), "a Zarr array"):
        check_codecs(codecs_of(metadata), _label(store, key))
        array = _opened(metadata)
        chunk = _chunk(array, metadata, store.name, key)
        _check_sizes(array, chunk, stored, store.name, key)
        values = np.full(array.shape, chunk.fill, chunk.dtype) if chunk.fill else np.zeros(array.shape, chunk.dtype)
        chunk = chunk._replace(until=time.thread_time() + FREE_SECONDS + stored.total / STORED_PER_SECOND)
        for file in stored.chunks:
            where = _place_of(file[len(key) + 1 :] if key else file, array)
            if where is not None:
                place_chunk(values, chunk, where, store.read(file))
        return cast("Array", values)


def _opened(metadata: Mapping[str, Any]) -> Any:
    """Return an array as zarr understands its metadata, without any chunks."""
    import zarr
    from zarr.core.buffer import default_buffer_prototype

    if not isinstance(metadata.get("shape"), list) or len(metadata["shape"]) > _MAX_AXES:
        raise ValueError("it has no shape, or one of too many axes")
    version: Literal[2, 3] = 3 if "node_type" in metadata else 2
    document = default_buffer_prototype().buffer.from_bytes(json.dumps(metadata).encode())
    memory = zarr.storage.MemoryStore({"zarr.json" if version == 3 else ".zarray": document})
    return zarr.open_array(store=memory, mode="r", zarr_format=version)


def _chunk(array: Any, metadata: Mapping[str, Any], name: str, key: str) -> ZarrChunk:
    """Return the description of an array's chunks."""
    if array.dtype.kind not in "iufcb":
        raise ItemError(
            f"{quoted_array(name, key)} holds {array.dtype} values, not numbers",
            code="not-numbers",
            hint=SAVE_AS_FLOAT32,
        )
    shape = tuple(array.shards or array.chunks)
    fill = 0 if array.fill_value is None else array.fill_value
    order = str(metadata.get("order", "C"))
    return ZarrChunk(shape, array.dtype, fill, order, codecs_of(metadata), array.metadata.zarr_format, name, key)


def _check_sizes(array: Any, chunk: ZarrChunk, stored: Stored, name: str, key: str) -> None:
    """Refuse an array, or chunks, that claim far more than is stored: each chunk is inflated as a whole."""
    size = math.prod(array.shape) * array.dtype.itemsize
    check_claimed_size(name, key, size, stored.total)
    check_claimed_size(name, key, chunk.nbytes, stored.total)
    # The array, and beside it one chunk: its stored bytes, its inflated bytes, and a copy of them.
    check_memory(name, key, max(size, (size + 2 * chunk.nbytes + stored.largest) // 2))
    index = 0
    if array.shards:  # a shard has an index of all its chunks
        index = 16 * math.prod(-(-outer // inner) for outer, inner in zip(array.shards, array.chunks, strict=True))
    check_stored_size(name, key, chunk.nbytes + index, stored.largest)


def _place_of(file: str, array: Any) -> tuple[int, ...] | None:
    """Return the place of a chunk in the grid by the name of its file; None if the name is of no chunk."""
    digits = [part for part in file.replace(".", "/").split("/") if part != "c"]
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in digits):
        return None
    where = tuple(int(part) for part in digits)
    if not array.shape:
        where = ()
    chunks = array.shards or array.chunks
    inside = len(where) == len(array.shape) and all(
        at * size < extent for at, size, extent in zip(where, chunks, array.shape, strict=True)
    )
    return where if inside and array.metadata.encode_chunk_key(where) == file else None
