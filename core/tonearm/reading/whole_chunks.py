"""Compressed data that are inflated at once: what they claim, or can hold at most, is judged before."""

from __future__ import annotations

import contextlib
import io
from importlib import import_module
from typing import Final

from tonearm.errors import ItemError
from tonearm.reading.error_translation import quoted_reason
from tonearm.reading.memory import memory_limit
from tonearm.reading.messages import WRITE_AGAIN, quoted, quoted_array

WHOLE: Final = frozenset(("zstd", "lz4", "blosc"))
"""Compressions whose data say their size, or of which blocks do, and are inflated at once."""


def inflate_whole(data: bytes, compression: str, most: int, name: str, key: str = "") -> bytes:
    """Inflate a chunk that claims its size: the claim is judged before anything is allocated."""
    most = min(most, memory_limit())
    try:
        claimed = {"zstd": _zstd_size, "lz4": _lz4_size, "blosc": _blosc_size}[compression](data)
        if claimed > (max(most, 64 << 20) if compression == "zstd" else most):  # zstd's may be an upper bound
            raise too_many_bytes(name, key, most)
        inflated = _zstd(data, name) if compression == "zstd" else _decoded(data, compression)
    except (ValueError, RuntimeError, LookupError, TypeError) as error:
        what = f"{quoted_array(name, key)} is damaged: {quoted_reason(error)}"
        raise ItemError(what, code="broken-file", hint=WRITE_AGAIN) from None
    if len(inflated) > most:
        raise too_many_bytes(name, key, most)
    return inflated


def _decoded(data: bytes, compression: str) -> bytes:
    """Return a chunk of numcodecs, inflated."""
    import numcodecs

    return bytes(numcodecs.registry.codec_registry[compression]().decode(data))


def _zstd(data: bytes, name: str) -> bytes:
    """Return frames of zstd, inflated by the first library that is installed.

    Raises
    ------
    ItemError
        ``missing-requirement`` if none is.
    """
    with contextlib.suppress(ImportError):
        import numcodecs

        return bytes(numcodecs.Zstd().decode(data))
    with contextlib.suppress(ImportError):
        import pyarrow as pa

        return bytes(pa.CompressedInputStream(io.BytesIO(data), "zstd").read())
    for module in ("compression.zstd", "zstandard"):  # the former is Python's own from 3.14 on
        with contextlib.suppress(ImportError):
            found = import_module(module)
            if module == "zstandard":
                found = found.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True)
                return bytes(found.read())
            return bytes(found.decompress(data))
    raise ItemError(
        f"{quoted(name)} is compressed by zstd, which needs numcodecs, zstandard or pyarrow",
        code="missing-requirement",
        hint="pip install numcodecs; or decompress it first: unzstd",
    )


def _lz4_size(data: bytes) -> int:
    """Return the size that a chunk of LZ4 claims."""
    if len(data) < 4:
        raise ValueError("the chunk is cut off")
    return int.from_bytes(data[:4], "little")


def _blosc_size(data: bytes) -> int:
    """Return the size that a chunk of Blosc claims; it may claim no more bytes than it has, and no larger blocks."""
    if len(data) < 16:
        raise ValueError("the chunk is cut off")
    size, block, stored = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8, 12))
    if stored > len(data) or block > max(size, 1):
        raise ValueError("the header of the chunk is wrong")
    return size


def _zstd_size(data: bytes) -> int:
    """Return the largest size to which frames of zstd can inflate: what they claim, or what their blocks can hold."""
    at = total = 0
    while at < len(data):
        magic = int.from_bytes(data[at : at + 4], "little")
        if magic & 0xFFFFFFF0 == 0x184D2A50:  # a frame to skip
            at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
            continue
        if magic != 0xFD2FB528 or at + 6 > len(data):
            raise ValueError("the chunk is not of zstd")
        flags = data[at + 4]
        single = flags >> 5 & 1
        at += 5 + (not single) + (0, 1, 2, 4)[flags & 3]
        width = (single, 2, 4, 8)[flags >> 6]
        claimed = int.from_bytes(data[at : at + width], "little") + (256 if width == 2 else 0)
        at += width
        held, last = 0, False
        while not last:
            header = int.from_bytes(data[at : at + 3], "little")
            if at + 3 > len(data):
                raise ValueError("the chunk is cut off")
            last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
            at += 3 + (1 if kind == 1 else size)
            held += 131072 if kind == 2 else size
        at += 4 * (flags >> 2 & 1)
        total += claimed if width else held
    return total


def too_many_bytes(name: str, key: str, most: int) -> ItemError:
    """Return the error for data that inflate to more than is allowed."""
    what = f"has compressed data that inflate to more than {most:,} bytes"
    return ItemError(f"{quoted_array(name, key)} {what}", code="broken-file", hint=WRITE_AGAIN)
