"""Zarr stores, checked by their own metadata files before zarr opens an array; codecs that run code are refused.

zarr lists a store by many tasks at once. If one of them fails, the others continue and print their own errors, so
arrays are found here by the names of files alone.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from tonearm.api import (
    ARRAY_BYTES,
    SAVE_AS_FLOAT32,
    WRITE_AGAIN,
    ItemError,
    LazyArrays,
    check_array_count,
    check_claimed_size,
    check_stored_size,
    quoted,
    quoted_array,
    reading_errors,
)

if TYPE_CHECKING:
    import zipfile

    from tonearm_plugins.dsp.typing import Array

MAX_ARRAYS = 100_000
"""Number of arrays in one file."""

MARKERS = ("zarr.json", ".zgroup", ".zarray")
"""Names of the files of which every store has one."""

MAX_FILES = 5_000_000
"""Number of files in a store."""

MAX_METADATA = 1 << 20
"""Size of a metadata file in bytes."""

CODECS = frozenset(
    (
        *("bytes", "endian", "transpose", "crc32", "crc32c", "adler32", "fletcher32", "jenkins_lookup3"),
        *("blosc", "zlib", "gzip", "bz2", "lzma", "lz4", "zstd"),
        *("shuffle", "delta", "astype", "bitround", "fixedscaleoffset", "quantize", "packbits"),
        "sharding_indexed",
    )
)
"""Names of the codecs and filters for numbers. Others exist, and one of them is a pickle."""


def folder_files(path: Path, name: str) -> dict[str, int]:
    """Return the sizes in bytes of all files of a store in a folder, by name; links out of it are not followed."""
    found: dict[str, int] = {}
    for folder, _, files in os.walk(path):
        inner = os.path.relpath(folder, path)
        for file in files:
            at = file if inner == "." else f"{inner}/{file}"
            status = os.lstat(os.path.join(folder, file))  # noqa: PTH118
            if os.path.stat.S_ISREG(status.st_mode):  # type: ignore[attr-defined]
                found[at] = status.st_size
        if len(found) > MAX_FILES:
            raise ItemError(f"{quoted(name)} has more than {MAX_FILES:,} files", code="too-large")
    return found


def open_zip(file: BinaryIO, name: str) -> zipfile.ZipFile:
    """Open a zipped store; refuse one with duplicate or encrypted members, or that inflates to more than data does."""
    import zipfile

    archive = zipfile.ZipFile(file)
    seen: set[str] = set()
    stored = inflated = 0
    for member in archive.infolist():
        if member.filename in seen or member.flag_bits & 0x41:
            what = "is encrypted" if member.flag_bits & 0x41 else "appears twice"
            raise ItemError(f"{quoted(name)}: {quoted(member.filename)} {what}", code="broken-file", hint=WRITE_AGAIN)
        seen.add(member.filename)
        stored, inflated = stored + member.compress_size, inflated + member.file_size
    if inflated > ARRAY_BYTES.limit(stored):
        what = f"inflates from {stored:,} to {inflated:,} bytes"
        raise ItemError(f"{quoted(name)} {what}", code="too-large", hint="zip it without compression")
    return archive


def zip_files(archive: zipfile.ZipFile) -> dict[str, int]:
    """Return the sizes in bytes of all files of a zipped store, by name."""
    members = archive.infolist()
    return {member.filename: member.file_size for member in members if not member.filename.endswith("/")}


def open_arrays(store: Any, files: Mapping[str, int], read: Callable[[str], bytes], name: str) -> Mapping[str, Array]:
    """Return the arrays of a store by their paths.

    Parameters
    ----------
    store
        Store as zarr opens it.
    files
        Sizes of its files in bytes, by name.
    read
        Function that returns the bytes of a file.
    name
        Name of the store, for messages.

    Returns
    -------
    Mapping
        Arrays by path, ``group/wav``, or ``""`` for an array at the root. Each is loaded on access.
    """
    keys = list(dict.fromkeys(_paths(files, read, name)))
    check_array_count(name, len(keys), MAX_ARRAYS)
    sizes = _stored_sizes(files, keys)

    def load(key: str) -> Array:
        import zarr

        label = name if not key else f"{name}/{key}"
        inside = f"{key}/" if key else ""
        _check_codecs(_metadata(inside, files, read, label), label)
        with reading_errors(label, "a Zarr array"):
            array = zarr.open_array(store=store, path=key, mode="r")
            _check_sizes(array, *sizes[key], name, key)
            return cast("Array", array[...])

    return LazyArrays(keys, load)


def _paths(files: Mapping[str, int], read: Callable[[str], bytes], name: str) -> Iterator[str]:
    """Yield the path of each array; that of an array at the root is empty."""
    for file in sorted(files):
        folder, _, base = file.rpartition("/")
        if base == ".zarray":
            yield folder
        elif base == "zarr.json":
            inside = f"{folder}/" if folder else ""
            if _metadata(inside, files, read, name if not folder else f"{name}/{folder}").get("node_type") == "array":
                yield folder


def _stored_sizes(files: Mapping[str, int], keys: list[str]) -> dict[str, tuple[int, int]]:
    """Return the size of all chunks of each array together, and that of its largest chunk, in bytes."""
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
    """Return the metadata of an array or a group."""
    file = next(path for path in (f"{inside}zarr.json", f"{inside}.zarray") if path in files)
    with reading_errors(label, "a Zarr store"):
        if files[file] > MAX_METADATA:
            raise ValueError(f"{file} has {files[file]:,} bytes")
        found = json.loads(read(file))
        if not isinstance(found, dict):
            raise ValueError(f"{file} holds no mapping")
        return found


def _check_codecs(metadata: Mapping[str, Any], label: str) -> None:
    """Refuse codecs that are not for numbers."""
    named = [metadata.get("compressor"), *_as_list(metadata.get("filters")), *_as_list(metadata.get("codecs"))]
    for codec in named:
        if codec is None:
            continue
        given = codec if isinstance(codec, dict) else {}
        known = str(given.get("id", given.get("name", codec))).removeprefix("numcodecs.")
        if known not in CODECS:
            raise ItemError(
                f"{quoted(label)} is coded by {quoted(known)}, which is not for arrays of numbers",
                code="not-numbers",
                hint=SAVE_AS_FLOAT32,
            )
        inner = given.get("configuration")
        if isinstance(inner, dict):  # the configuration of shards
            _check_codecs({"codecs": [*_as_list(inner.get("codecs")), *_as_list(inner.get("index_codecs"))]}, label)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _check_sizes(array: Any, stored: int, largest: int, name: str, key: str) -> None:
    """Refuse an array, or chunks, that claim far more than is stored: each chunk is inflated as a whole."""
    if array.dtype.kind not in "iufcb":
        raise ItemError(
            f"{quoted_array(name, key)} holds {array.dtype} values, not numbers",
            code="not-numbers",
            hint=SAVE_AS_FLOAT32,
        )
    chunk = math.prod(array.shards or array.chunks) * array.dtype.itemsize
    check_claimed_size(name, key, array.nbytes, stored)
    check_claimed_size(name, key, chunk, stored)
    index = 0
    if array.shards:  # a shard has an index of all its chunks
        index = 16 * math.prod(-(-outer // inner) for outer, inner in zip(array.shards, array.chunks, strict=True))
    check_stored_size(name, key, chunk + index, largest)
