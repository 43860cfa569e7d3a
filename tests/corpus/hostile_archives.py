"""Archives that claim more than they hold."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from case import FINE, MONO, Case
from real_formats import npy_bytes

MIB = 1 << 20


def header(name: bytes = b"a.npy", size: int = 0, kind: bytes = b"0", fields: dict[int, bytes] | None = None) -> bytes:
    """A tar header with its checksum; ``fields`` are bytes by their position."""
    block = bytearray(512)
    for at, data in {
        0: name,
        124: b"\x80" + size.to_bytes(11, "big"),
        156: kind,
        148: b" " * 8,
        **(fields or {}),
    }.items():
        block[at : at + len(data)] = data
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def compressed(pieces: Iterable[bytes], kind: str = "gzip") -> bytes:
    made: Any = {
        "gzip": lambda: zlib.compressobj(9, zlib.DEFLATED, 31),
        "bz2": bz2.BZ2Compressor,
        "xz": lambda: lzma.LZMACompressor(preset=0),
    }[kind]()
    return b"".join([*map(made.compress, pieces), made.flush()])


def long_name(kind: bytes = b"L", size: int = 100) -> Iterator[bytes]:
    yield header(b"././@LongLink", size * MIB, kind)
    for _ in range(size):
        yield b"a" * MIB
    yield header()


def many_long_names() -> Iterator[bytes]:
    for number in range(150):
        yield header(b"L", MIB - 2048, b"L") + (b"%06d" % number).ljust(MIB - 2053, b"x") + b".npy\0" + header()


def empty_members() -> Iterator[bytes]:
    for _ in range(400):
        yield header(b"a.txt") * 1000


def keywords(body: bytes, kind: bytes, count: int) -> Iterator[bytes]:
    for number in range(count):
        yield header(b"pax", len(body), kind) + padded(body) + header(b"%07d.npy" % number)


def sparse(size: int) -> bytes:
    """A tar whose one member is a header of .npy and a hole."""
    head = io.BytesIO()
    form = {"descr": "<f4", "fortran_order": False, "shape": ((size - 128) // 4,)}
    np.lib.format.write_array_header_1_0(head, form)
    place = {257: b"ustar  \0", 386: b"%011o\0%011o\0" % (0, 128), 483: b"\x80" + size.to_bytes(11, "big")}
    return header(size=128, kind=b"S", fields=place) + padded(head.getvalue()) + bytes(1024)


def sparse_map() -> Iterator[bytes]:
    piece = b"%011o\0%011o\0" % (1, 1) * 21 + b"\1" + bytes(7)
    yield header(kind=b"S", fields={257: b"ustar  \0", 386: b"%011o\0" % 1, 482: b"\1"})
    for _ in range(200):
        yield piece * 2048


def zeros() -> bytes:
    """An .npz that inflates to 700 MB."""
    file, head = io.BytesIO(), io.BytesIO()
    form = {"descr": "<f4", "fortran_order": False, "shape": (175 << 20,)}
    np.lib.format.write_array_header_1_0(head, form)
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.npy", "w") as out,
    ):
        out.write(head.getvalue())
        for _ in range(700):
            out.write(bytes(MIB))
    return file.getvalue()


def in_tar(data: bytes) -> bytes:
    return header(b"a.npz", len(data)) + padded(data) + bytes(1024)


def zip_directory(count: int) -> bytes:
    """A zip archive that is a directory alone."""
    form = struct.Struct("<4s4B4HL2L5H2L")
    entries = b"".join(
        form.pack(b"PK\1\2", 20, 3, 20, *(0,) * 8, 8, *(0,) * 6) + b"%08x" % number for number in range(count)
    )
    start = b"PK\3\4" + bytes(26)
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(entries), len(start))
    end += struct.pack("<4sLQL", b"PK\6\7", 0, len(start) + len(entries), 1)
    end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0)
    return start + entries + end


def holes(path: Path) -> None:
    """Write a header of .npy before a terabyte of nothing."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": (250_000_000_000,)})
    path.write_bytes(head.getvalue())
    os.truncate(path, 10**12 + len(head.getvalue()))


def long_names_of_folders() -> bytes:
    """A tar of three arrays in a folder whose name is longer than headers hold, as honest programs write it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:xz", preset=0) as archive:
        for number in range(3):
            data = npy_bytes(np.zeros(MIB, "f4"))
            info = tarfile.TarInfo(f"{'n' * 5000}/{number}.npy")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


TAR, NPZ = "webdataset-reader", "npz-reader"
CONTENTS: dict[str, tuple[str, str, Callable[[], bytes], str]] = {
    "a long name in gzip": (TAR, ".tar.gz", lambda: compressed(long_name()), "broken-file"),
    "a long name in bz2": (TAR, ".tar", lambda: compressed(long_name(size=10), "bz2"), "broken-file"),
    "a long link in xz": (TAR, ".tar", lambda: compressed(long_name(b"K"), "xz"), "broken-file"),
    "keywords of 100 MB": (TAR, ".tgz", lambda: compressed(long_name(b"x")), "broken-file"),
    "many long names": (TAR, ".tgz", lambda: compressed(many_long_names()), "too-large"),
    "empty members": (TAR, ".tgz", lambda: compressed(empty_members()), "too-large"),
    "digits": (TAR, ".tgz", lambda: compressed(keywords(b"1" * (MIB - 2048), b"x", 50)), "broken-file"),
    "ones": (TAR, ".tgz", lambda: compressed(keywords(b"1 " * (MIB // 2 - 1024), b"x", 50)), "broken-file"),
    "keywords": (TAR, ".tgz", lambda: compressed(keywords(b"5 a=\n" * 100_000, b"x", 100)), "broken-file"),
    "global keywords": (
        TAR,
        ".tgz",
        lambda: compressed(keywords(b"".join(b"9 a%04d=\n" % number for number in range(1000)), b"g", 100)),
        "broken-file",
    ),
    "a map without end": (TAR, ".tgz", lambda: compressed(sparse_map()), "broken-file"),
    "a terabyte of hole": (TAR, ".tar", lambda: sparse(1 << 40), "too-large"),
    "a gigabyte of hole": (TAR, ".tar", lambda: sparse(1 << 30), "too-large"),
    "a compressed gigabyte of hole": (TAR, ".tar.gz", lambda: gzip.compress(sparse(1 << 30)), "too-large"),
    "a member of 300 MB of zeros": (
        TAR,
        ".tgz",
        lambda: compressed([header(size=300 * MIB), *[bytes(MIB)] * 300]),
        "too-large",
    ),
    "empty streams": (TAR, ".tgz", lambda: gzip.compress(b"") * 50_000, "wrong-format"),
    "zeros in npz": (NPZ, ".npz", zeros, "too-large"),
    "zeros in npz in tar": (TAR, ".tar", lambda: in_tar(zeros()), "too-large"),
    "zeros in npz in gzip": (TAR, ".tgz", lambda: gzip.compress(in_tar(zeros())), "too-large"),
    "a large directory": (NPZ, ".npz", lambda: zip_directory(300_000), "npz-too-many"),
    "honest long names": (TAR, ".tar.xz", long_names_of_folders, FINE),
}

QUICK = ("a long name in bz2", "global keywords", "ones", "a gigabyte of hole", "a compressed gigabyte of hole")


def cases() -> Iterator[Case]:
    """Yield archives."""
    for name, (reader, suffix, make, verdict) in CONTENTS.items():
        memory = "200MB" if name == "many long names" else ""
        write = partial(_write, make=make)
        yield Case(name, reader, suffix, write, verdict, MONO | {"key": "*"}, memory, is_heavy=name not in QUICK)
    yield Case("holes", "npy-reader", ".npy", holes, "too-large", MONO)


def _write(path: Path, make: Callable[[], bytes]) -> None:
    path.write_bytes(make())
