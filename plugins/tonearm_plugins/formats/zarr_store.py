"""Zarr stores, judged from their own small files before zarr opens an array; no codec that runs anything is let in.

zarr lists a store by many tasks at once, which go on and complain for themselves where one of them fails, so the arrays
are found here by the names of files alone.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from tonearm.api import ItemError
from tonearm_plugins.formats.file_types import shown
from tonearm_plugins.formats.lazy_arrays import LazyArrays
from tonearm_plugins.formats.reading import AGAIN, BOMB_FROM, BOMB_RATIO, check_claim, check_stored, judged

if TYPE_CHECKING:
    import zipfile

    import numpy as np

    Array = np.ndarray[Any, Any]

MARKERS = ("zarr.json", ".zgroup", ".zarray")
MAX_ARRAYS = 100_000
MAX_FILES = 5_000_000
MAX_METADATA = 1 << 20  # bytes

CODECS = frozenset(
    (
        *("bytes", "endian", "transpose", "crc32", "crc32c", "adler32", "fletcher32", "jenkins_lookup3"),
        *("blosc", "zlib", "gzip", "bz2", "lzma", "lz4", "zstd"),
        *("shuffle", "delta", "astype", "bitround", "fixedscaleoffset", "quantize", "packbits"),
        "sharding_indexed",
    )
)
"""Codecs and filters of numbers. There are others, one of which is a pickle."""


def in_folder(path: Path, name: str) -> dict[str, int]:
    """Return the sizes of all files of a store by their names; links out of it are not followed."""
    found: dict[str, int] = {}
    for folder, _, files in os.walk(path):
        inner = os.path.relpath(folder, path)
        for file in files:
            at = file if inner == "." else f"{inner}/{file}"
            status = os.lstat(os.path.join(folder, file))  # noqa: PTH118
            if os.path.stat.S_ISREG(status.st_mode):  # type: ignore[attr-defined]
                found[at] = status.st_size
        if len(found) > MAX_FILES:
            raise ItemError(f"{shown(name)} has more than {MAX_FILES:,} files", code="too-large")
    return found


def opened_zip(file: BinaryIO, name: str) -> zipfile.ZipFile:
    """Open a zipped store, and refuse members that are there twice, encrypted, or inflate to more than data does."""
    import zipfile

    archive = zipfile.ZipFile(file)
    seen: set[str] = set()
    stored = inflated = 0
    for member in archive.infolist():
        if member.filename in seen or member.flag_bits & 0x41:
            what = "is encrypted" if member.flag_bits & 0x41 else "is there twice"
            raise ItemError(f"{shown(name)}: {shown(member.filename)} {what}", code="broken-file", hint=AGAIN)
        seen.add(member.filename)
        stored, inflated = stored + member.compress_size, inflated + member.file_size
    if inflated > BOMB_FROM and inflated > BOMB_RATIO * stored:
        what = f"inflates from {stored:,} to {inflated:,} bytes"
        raise ItemError(f"{shown(name)} {what}", code="too-large", hint="zip it without compression")
    return archive


def in_zip(archive: zipfile.ZipFile) -> dict[str, int]:
    """Return the sizes of all files of a zipped store by their names."""
    members = archive.infolist()
    return {member.filename: member.file_size for member in members if not member.filename.endswith("/")}


def arrays(store: Any, files: Mapping[str, int], read: Callable[[str], bytes], name: str) -> Mapping[str, Array]:
    """Return the arrays of a store by their paths.

    Parameters
    ----------
    store
        As zarr opens it.
    files
        The sizes of its files by their names.
    read
        Returns the content of one.
    name
        What to call the store in messages.
    """
    keys = list(dict.fromkeys(_paths(files, read, name)))
    if len(keys) > MAX_ARRAYS:
        raise ItemError(f"{shown(name)} has more than {MAX_ARRAYS:,} arrays", code="too-large")

    sizes = _sizes(files, keys)

    def load(key: str) -> Array:
        import zarr

        label = name if not key else f"{name}/{key}"
        inside = f"{key}/" if key else ""
        _check_codecs(_metadata(inside, files, read, label), label)
        with judged(label, "a Zarr array"):
            array = zarr.open_array(store=store, path=key, mode="r")
            _check_sizes(array, *sizes[key], name, key)
            return cast("Array", array[...])

    return LazyArrays(keys, load)


def _paths(files: Mapping[str, int], read: Callable[[str], bytes], name: str) -> Iterator[str]:
    """Yield the path of each array; an array at the root has none."""
    for file in sorted(files):
        folder, _, base = file.rpartition("/")
        if base == ".zarray":
            yield folder
        elif base == "zarr.json":
            inside = f"{folder}/" if folder else ""
            if _metadata(inside, files, read, name if not folder else f"{name}/{folder}").get("node_type") == "array":
                yield folder


def _sizes(files: Mapping[str, int], keys: list[str]) -> dict[str, tuple[int, int]]:
    """Return how many bytes the chunks of each array have together, and the largest one."""
    found = dict.fromkeys(keys, (0, 0))
    for file, size in files.items():
        folder, _, base = file.rpartition("/")
        if base in (*MARKERS, ".zattrs", ".zmetadata"):
            continue
        while folder not in found and folder:
            folder = folder.rpartition("/")[0]
        if folder in found:
            total, largest = found[folder]
            found[folder] = (total + size, max(largest, size))
    return found


def _metadata(inside: str, files: Mapping[str, int], read: Callable[[str], bytes], label: str) -> dict[str, Any]:
    """Return what the small file of an array or group says."""
    file = next(path for path in (f"{inside}zarr.json", f"{inside}.zarray") if path in files)
    with judged(label, "a Zarr store"):
        if files[file] > MAX_METADATA:
            raise ValueError(f"{file} has {files[file]:,} bytes")
        found = json.loads(read(file))
        if not isinstance(found, dict):
            raise ValueError(f"{file} holds no mapping")
        return found


def _check_codecs(metadata: Mapping[str, Any], label: str) -> None:
    """Refuse codecs that are not for numbers."""
    named = [metadata.get("compressor"), *_listed(metadata.get("filters")), *_listed(metadata.get("codecs"))]
    for codec in named:
        if codec is None:
            continue
        given = codec if isinstance(codec, dict) else {}
        known = str(given.get("id", given.get("name", codec))).removeprefix("numcodecs.")
        if known not in CODECS:
            raise ItemError(
                f"{shown(label)} is coded by {shown(known)}, which is not for arrays of numbers",
                code="not-numbers",
                hint="save it as float32",
            )
        inner = given.get("configuration")
        if isinstance(inner, dict):  # of shards
            _check_codecs({"codecs": [*_listed(inner.get("codecs")), *_listed(inner.get("index_codecs"))]}, label)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _check_sizes(array: Any, stored: int, largest: int, name: str, key: str) -> None:
    """Refuse claims far beyond what is stored, of the array as of each chunk, which is inflated as a whole."""
    if array.dtype.kind not in "iufcb":
        raise ItemError(
            f"{shown(name)}: {shown(key)} holds {array.dtype} values, not numbers",
            code="not-numbers",
            hint="save it as float32",
        )
    chunk = math.prod(array.shards or array.chunks) * array.dtype.itemsize
    check_claim(name, key, array.nbytes, stored)
    check_claim(name, key, chunk, stored)
    index = 0
    if array.shards:  # a shard has an index of all its chunks
        index = 16 * math.prod(-(-outer // inner) for outer, inner in zip(array.shards, array.chunks, strict=True))
    check_stored(name, key, chunk + index, largest)
