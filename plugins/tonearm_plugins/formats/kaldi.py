"""Values of Kaldi's archives, read within the memory of one source; errors never quote the bytes of the archive.

An scp file can name any file of the machine, so what stands in that file must not come out in a message.
"""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING, Any

from tonearm.api import WRITE_AGAIN, BoundedFile, ItemError, check_memory, quoted, reading_errors

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

FLOATS_HEADER = 15
"""Largest size of the header of a matrix or vector of floats in bytes."""

# Numbers of axes and sizes of values in bytes. After the type, each axis has the byte 4 and a count of four bytes.
_FLOATS = {b"\0BFM ": (2, 4), b"\0BDM ": (2, 8), b"\0BFV ": (1, 4), b"\0BDV ": (1, 8)}
_COMPRESSED = (b"\0BCM ", b"\0BCM2", b"\0BCM3")
_TEXT = re.compile(rb"[ \n]*(\[)?")
_FIRST = re.compile(r" *[^ \n]+")
_TEXT_PIECE = 1 << 16  # bytes of a text that are read at a time
_TEXT_HELD = 4  # memory that a byte of text takes as numbers: two bytes are a number of four, which is held twice


def read_value(file: BoundedFile, key: str = "") -> Any:
    """Read one value: a matrix, a vector or a sound.

    Parameters
    ----------
    file
        Archive, at the value.
    key
        Name of the utterance, for messages.

    Returns
    -------
    ndarray or tuple
        Matrix or vector; sample rate in Hz and samples, (samples,) or (samples, channels), for a sound.

    Raises
    ------
    ItemError
        ``broken-file``, ``kaldi-refused`` for a pickle, ``too-large``, or as for `tonearm_plugins.formats.npy.load`.
    """
    at, name = file.tell(), file.name
    start = file.read(FLOATS_HEADER)
    file.seek(at)
    if start[:3] == b"PKL":
        raise ItemError(
            f"{quoted(name)} holds a pickle; pickles are refused, as they can run any code",
            code="kaldi-refused",
            hint="save matrices",
        )
    if not start:
        raise ItemError(f"{quoted(name)} ends where a value should be", code="broken-file", hint=WRITE_AGAIN)
    with reading_errors(name, "a Kaldi archive", quotes=False):
        if start[:5] == b"AUDIO" or start[:4] == b"fLaC":
            return _sound(file, start, key)
        if start[:3] == b"NPY":
            return _npy(file, key)
        if start[:5] in _FLOATS:
            return _floats(file, start, key)
        if start[:3] == b"\0B\x04":
            return _integers(file, key)
        if start[:4] == b"RIFF" or start[:5] in _COMPRESSED:
            return _by_library(file, start, key)
        if start[:2] == b"\0B":
            raise ValueError("unknown type")
        return _text(file, key)


def floats_size(start: bytes) -> int:
    """Return the size in bytes of a matrix or vector of floats with its header; 0 for any other value.

    Parameters
    ----------
    start
        First `FLOATS_HEADER` bytes of the value.
    """
    rank, size = _FLOATS.get(start[:5], (0, 0))
    shape = _counts(start, rank)
    return 5 + 5 * rank + math.prod(shape) * size if shape and min(shape) > 0 else 0


def _counts(start: bytes, rank: int) -> list[int]:
    """Return the lengths of the axes in a header; 0 for what is none."""
    return [
        int.from_bytes(start[at + 1 : at + 5], "little", signed=True) if start[at : at + 1] == b"\x04" else 0
        for at in range(5, 5 + 5 * rank, 5)
    ]


def _floats(file: BoundedFile, start: bytes, key: str) -> Array:
    """Read a matrix or vector of floats."""
    import numpy as np

    rank, size = _FLOATS[start[:5]]
    shape = _counts(start, rank)
    if min(shape) <= 0:
        raise ValueError("the value is empty")
    file.seek(file.tell() + 5 + 5 * rank)
    return np.frombuffer(_held(file, math.prod(shape) * size, key), f"<f{size}").reshape(shape)


def _integers(file: BoundedFile, key: str) -> Array:
    """Read a vector of integers, each of which has the byte 4 before it."""
    import numpy as np

    count = int.from_bytes(file.read_exactly(7)[3:], "little", signed=True)
    values = np.frombuffer(_held(file, 5 * count, key), [("width", "u1"), ("value", "<i4")])
    if (values["width"] != 4).any():
        raise ValueError("the value is not a vector of integers")
    return np.ascontiguousarray(values["value"])


def _npy(file: BoundedFile, key: str) -> Array:
    """Read an array as NumPy saves it."""
    from tonearm_plugins.formats import npy

    file.read(3)
    data = _counted_bytes(file, key)
    try:
        return npy.load_bytes(data, name=file.name)
    except ItemError:  # which may quote the header
        raise ValueError("the array cannot be read") from None


def _sound(file: BoundedFile, start: bytes, key: str) -> tuple[int, Array]:
    """Read an encoded sound: after AUDIO and its length, as kaldiio writes it, or FLAC as the rest of the file."""
    from tonearm_plugins.formats.sound_reading import decode_bytes

    if start[:5] == b"AUDIO":
        file.read(5)
        data = _counted_bytes(file, key)
    else:
        data = _held(file, file.left, key)
    samples, rate = decode_bytes(data, file.name)
    return rate, samples[0] if len(samples) == 1 else samples.T


def _counted_bytes(file: BoundedFile, key: str) -> bytes:
    """Read bytes after their number, which itself has a byte before it that gives its size."""
    size = int.from_bytes(file.read_exactly(1), "little")
    return _held(file, int.from_bytes(file.read_exactly(size), "little"), key)


def _held(file: BoundedFile, count: int, key: str) -> bytes:
    """Read bytes that memory can hold."""
    if count <= file.left:
        check_memory(file.name, key, count)
    return file.read_exactly(count)


def _by_library(file: BoundedFile, start: bytes, key: str) -> Any:
    """Read a compressed matrix or a WAV file by kaldiio."""
    from kaldiio.matio import read_kaldi

    if start[:4] == b"RIFF":
        check_memory(file.name, key, min(int.from_bytes(start[4:8], "little"), file.left))
        return read_kaldi(file)
    at = file.tell()
    header = file.read_exactly(start.index(b" ") + 17)  # the type, the least value and the range, and two lengths
    file.seek(at)
    rows, columns = struct.unpack("<2i", header[-8:])
    if rows <= 0 or columns <= 0:
        raise ValueError("the value is empty")
    if rows * columns <= file.left:
        check_memory(file.name, key, 8 * rows * columns)  # float64 on the way
    return read_kaldi(file)


def _text(file: BoundedFile, key: str) -> Array:
    """Read a matrix in brackets, a row on each line, or a vector on one line."""
    import io

    import numpy as np

    at = file.tell()
    head = file.read(min(_TEXT_PIECE, file.left))
    opened = _TEXT.match(head)
    begin = opened.end() if opened else 0
    bracket = bool(opened and opened[1])
    end = b"]" if bracket else b"\n"
    held = bytearray(head[begin:])
    found = held.find(end)
    while found < 0 and file.left:
        searched = len(held)
        held += file.read(min(_TEXT_PIECE, file.left))
        check_memory(file.name, key, _TEXT_HELD * len(held))
        found = held.find(end, searched)
    if found < 0 and bracket:
        raise ValueError("the matrix does not end")
    text = bytes(held[:found] if found >= 0 else held).decode("ascii")
    check_memory(file.name, key, _TEXT_HELD * len(text))
    file.seek(at + begin + (found if found >= 0 else len(held)) + 1 + bracket)
    if not text.strip():
        raise ValueError("the value is empty")
    first = _FIRST.match(text)  # kaldiio's rule: what begins on the next line are floats
    dtype = np.int32 if first and "." not in first[0] else np.float32
    return np.loadtxt(io.StringIO(text), dtype, ndmin=2 if bracket and "\n" in text else 1)
