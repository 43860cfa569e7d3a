"""Zarr stores that would hang, take all memory or read other files."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
from case import MONO, Case

SECRET_FILE = "secret"
"""Name of a file beside the stores, which holds `SECRET`."""

SECRET = np.array([0.25, 0.5, -0.5, -0.25], "<f4").tobytes() * 250

CHUNK = np.array([0.125, -0.125], "<f4").tobytes() * 500
"""Content of the stores themselves."""


def store(path: Path, chunk: bytes | None = CHUNK, **fields: Any) -> Path:
    """Write an array of format 2 with one chunk."""
    path.mkdir()
    given = {"dtype": "<f4", "shape": [1000], "chunks": [1000], "compressor": None, "filters": None} | fields
    (path / ".zarray").write_text(json.dumps({"zarr_format": 2, "order": "C", "fill_value": 0} | given))
    if chunk is not None:
        (path / "0").write_bytes(chunk)
    return path


def sharded(path: Path, inner: int, count: int, data: bytes, entry: tuple[int, int]) -> Path:
    """Write a shard whose index has the same entry for each of its chunks."""
    codecs = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "gzip", "configuration": {"level": 5}}]
    shard = {
        "chunk_shape": [inner],
        "codecs": codecs,
        "index_codecs": [codecs[0], {"name": "crc32c"}],
        "index_location": "end",
    }
    grid = {"name": "regular", "configuration": {"chunk_shape": [inner * count]}}
    metadata = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [inner * count],
        "data_type": "float32",
        "chunk_grid": grid,
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "sharding_indexed", "configuration": shard}],
    }
    (path / "c").mkdir(parents=True)
    (path / "zarr.json").write_text(json.dumps(metadata))
    index = np.full((count, 2), entry, "<u8").tobytes()
    (path / "c/0").write_bytes(data + index + google_crc32c.value(index).to_bytes(4, "little"))
    return path


def fifo(path: Path, name: str) -> Path:
    (path / name).unlink(missing_ok=True)
    os.mkfifo(path / name)
    return path


def link(path: Path, name: str, target: str) -> Path:
    (path / name).unlink(missing_ok=True)
    (path / name).symlink_to(target)
    return path


def deep(path: Path) -> Path:
    """Write a store with folders within folders, deeper than are read."""
    store(path)
    here = os.open(path, os.O_RDONLY)
    for _ in range(200):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    return path


def zipped(path: Path) -> Path:
    """Write a store of many zeros, and zip it with compression."""
    store(path.with_suffix(".tmp"), bytes(300 << 20), shape=[75 << 20], chunks=[75 << 20])
    shutil.make_archive(str(path.with_suffix("")), "zip", path.with_suffix(".tmp"))
    return path


def zstd_runs(blocks: int) -> bytes:
    each = [((131072 << 3 | 1 << 1 | (at == blocks - 1)).to_bytes(3, "little") + b"\0") for at in range(blocks)]
    return b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(each)


def nested(path: Path) -> Path:
    (path / ".zarray").write_text("[" * 500_000)
    return path


ZEROS = bytes(1 << 22)
SLOW = gzip.compress(bytes(8)) + gzip.compress(b"") * 180
FLOATS = {"shape": [60_000_000], "chunks": [1]}
STORES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "chunk-is-a-fifo": (lambda path: fifo(store(path), "0"), "outside-file"),
    "attributes-are-a-fifo": (lambda path: fifo(store(path), ".zattrs"), "fine"),
    "consolidated-is-a-fifo": (lambda path: fifo(store(path), ".zmetadata"), "fine"),
    "array-is-a-fifo": (lambda path: fifo(store(path), ".zarray"), "wrong-format"),
    "chunk-is-dev-zero": (lambda path: link(store(path), "0", "/dev/zero"), "outside-file"),
    "chunk-is-a-link-out": (lambda path: link(store(path), "0", "../secret"), "outside-file"),
    "chunk-dangles": (lambda path: link(store(path), "0", "nowhere"), "outside-file"),
    "chunk-is-its-own-link": (lambda path: link(store(path), "0", "0"), "outside-file"),
    "folder-is-a-link": (
        lambda path: link(store(path, None, dimension_separator="/", shape=[2, 2], chunks=[2, 2]), "0", ".."),
        "outside-file",
    ),
    "metadata-is-dev-zero": (lambda path: link(store(path), ".zarray", "/dev/zero"), "wrong-format"),
    "bz2": (lambda path: store(path, bz2.compress(ZEROS) * 80, compressor={"id": "bz2"}), "broken-file"),
    "gzip": (lambda path: store(path, gzip.compress(ZEROS), compressor={"id": "gzip"}), "broken-file"),
    "zlib": (lambda path: store(path, zlib.compress(ZEROS), compressor={"id": "zlib"}), "broken-file"),
    "lzma": (lambda path: store(path, lzma.compress(ZEROS), compressor={"id": "lzma"}), "broken-file"),
    "zstd": (lambda path: store(path, zstd_runs(1900), compressor={"id": "zstd"}), "broken-file"),
    "lz4": (lambda path: store(path, b"\xff\xff\xff\x7f" + bytes(99), compressor={"id": "lz4"}), "broken-file"),
    "blosc": (
        lambda path: store(
            path, b"\2\1\0\4" + b"\xff\xff\xff\x6f" * 2 + (99).to_bytes(4, "little") * 30, compressor={"id": "blosc"}
        ),
        "broken-file",
    ),
    "filter-inflates": (
        lambda path: store(path, zlib.compress(zlib.compress(ZEROS)), filters=[{"id": "zlib"}] * 2),
        "broken-file",
    ),
    "filters-multiply": (
        lambda path: store(path, filters=[{"id": "astype", "encode_dtype": "u1", "decode_dtype": "c16"}] * 9),
        "broken-file",
    ),
    "dictionary-of-lzma": (
        lambda path: store(
            path, bytes(99), compressor={"id": "lzma", "format": 3, "filters": [{"id": 33, "dict_size": 1 << 31}]}
        ),
        "broken-file",
    ),
    "empty-chunks": (lambda path: store(path, None, **FLOATS), "fine"),
    "more-empty-chunks": (lambda path: store(path, None, **FLOATS | {"shape": [1 << 40]}), "too-large"),
    "chunk-of-a-gigabyte": (lambda path: store(path, None, chunks=[1 << 28]), "too-large"),
    "empty-shard": (lambda path: sharded(path, 1, 1 << 20, b"", ((1 << 64) - 1, (1 << 64) - 1)), "fine"),
    "shard-of-one-chunk": (lambda path: sharded(path, 2, 1 << 18, SLOW, (0, len(SLOW))), "too-large"),
    "deep-folders": (deep, "fine"),
    "zip-of-zeros": (zipped, "too-large"),
    "axes": (lambda path: store(path, shape=[1] * 200_000, chunks=[1] * 200_000), "broken-file"),
    "digits": (lambda path: store(path, shape=[int("9" * 4000)]), "too-large"),
    "nesting": (lambda path: store(path, attributes=[]) and nested(path), "broken-file"),
}

HEAVY = ("shard-of-one-chunk", "zip-of-zeros", "empty-chunks", "deep-folders", "empty-shard")


def cases() -> Iterator[Case]:
    """Yield stores. A few of them lead to samples of another file, which is made beside them."""
    for name, (make, verdict) in STORES.items():
        suffix = ".zarr.zip" if name.startswith("zip") else ".zarr"
        yield Case(name, "zarr-reader", suffix, make, verdict, MONO | {"key": "*"}, is_heavy=name in HEAVY)
