"""Pictures of levels as PNG, in colours whose lightness grows evenly with the level."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tonearm.typing import Array

SHADES = 256
"""Number of levels."""

# Matplotlib's magma (Smith and van der Walt, CC0) at 17 points. Between them, it is straight to within three of 255.
_MAGMA = bytes.fromhex(
    "000004 0a0822 1d1147 36106b 51127c 6a1c81 832681 9c2e7f b73779 d0416f e75263 f56b5c fc8961 fea772 fec488 fde2a3"
    " fcfdbf"
)

_INDEXED = struct.pack(">BBBBB", 8, 3, 0, 0, 0)
"""Fields of the header: eight bits a pixel, which are indexes into a palette."""


def png_picture(levels: Array) -> bytes:
    """Return a picture as PNG.

    Parameters
    ----------
    levels
        Levels from 0, dark, to 255, light: uint8 (rows, columns), the top row first.
    """
    import numpy as np

    rows, columns = levels.shape
    header = struct.pack(">II", columns, rows) + _INDEXED
    lines = np.zeros((rows, 1 + columns), np.uint8)  # each row begins with its filter, 0 for none
    lines[:, 1:] = levels
    parts = (
        (b"IHDR", header),
        (b"PLTE", palette()),
        (b"IDAT", zlib.compress(lines.tobytes(), 6)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in parts)


def palette() -> bytes:
    """Return red, green and blue of every level."""
    points = [_MAGMA[at : at + 3] for at in range(0, len(_MAGMA), 3)]
    found = bytearray()
    for level in range(SHADES):
        place = level / (SHADES - 1) * (len(points) - 1)
        index = min(int(place), len(points) - 2)
        low, high = points[index], points[index + 1]
        found += bytes(round(a + (place - index) * (b - a)) for a, b in zip(low, high, strict=True))
    return bytes(found)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
