"""Images that claim more than they hold."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from case import MAGNITUDE, Case
from PIL import Image


def saved(image: Image.Image, kind: str, **how: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, depth: int, colour: int, extra: bytes = b"") -> bytes:
    """A black PNG image, with further chunks before its pixels."""
    row = (width * depth * {0: 1, 2: 3, 6: 4}[colour] + 7) // 8 + 1
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    data = zlib.compress(bytes(row * height), 9)
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def zeros(megabytes: int) -> bytes:
    """Deflated zeros."""
    deflater = zlib.compressobj(9)
    return b"".join(deflater.compress(bytes(1 << 20)) for _ in range(megabytes)) + deflater.flush()


def progressive(size: int, scans: int) -> bytes:
    """A progressive JPEG image whose last scan is repeated."""
    data = saved(Image.fromarray(np.full((size, size), 7, "u1")), "JPEG", progressive=True)
    at = data.rindex(b"\xff\xda")
    return data[:at] + data[at:-2] * scans + data[-2:]


def strips(count: int) -> bytes:
    """A TIFF image of one row of pixels a strip, all in the same place."""
    tags = [(256, 4, 1, 1), (257, 4, 1, count), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    start = 8 + 2 + 9 * 12 + 4
    tags += [(273, 4, count, start), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, count, start + 4 * count)]
    head = b"II*\0" + struct.pack("<IH", 8, 9) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return head + struct.pack("<I", 8) * count + struct.pack("<I", 1) * count


CONTENTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "colours of 16 megapixels": (lambda: png(4096, 4096, 8, 6), "bins-mismatch"),
    "16 bits of 16 megapixels": (lambda: png(4096, 4096, 16, 0), "bins-mismatch"),
    "1 bit of 400 megapixels": (lambda: png(20_000, 20_000, 1, 0), "too-large"),
    "text of 100 MB": (lambda: png(9, 9, 8, 0, chunk(b"zTXt", b"a\0\0" + zeros(100))), "broken-file"),
    "international text of 300 MB": (
        lambda: png(9, 9, 8, 0, chunk(b"iTXt", b"a\0\1\0\0\0" + zeros(300))),
        "broken-file",
    ),
    "colour profile of 300 MB": (lambda: png(9, 9, 8, 0, chunk(b"iCCP", b"a\0\0" + zeros(300))), "broken-file"),
    "texts of 60 MB": (lambda: png(9, 9, 8, 0, chunk(b"zTXt", b"a\0\0" + zeros(1)) * 60), "fine"),
    "scans of JPEG": (lambda: progressive(4096, 3000), "too-large"),
    "strips of TIFF": (lambda: strips(300_000), "too-large"),
    "a lossless WebP": (lambda: saved(Image.new("L", (12_000, 12_000)), "WEBP", lossless=True), "too-large"),
}

QUICK = ("text of 100 MB", "scans of JPEG", "strips of TIFF")


def cases() -> Iterator[Case]:
    """Yield images."""
    options = MAGNITUDE | {"black": 0.0, "white": 1.0}
    del options["axes"]
    for name, (make, verdict) in CONTENTS.items():
        write = partial(_write, make=make)
        yield Case(name, "image-reader", ".png", write, verdict, options, is_heavy=name not in QUICK)


def _write(path: Path, make: Callable[[], bytes]) -> None:
    path.write_bytes(make())
