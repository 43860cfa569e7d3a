"""Cover pictures: JPEG and PNG files that sound files carry."""

from __future__ import annotations

import struct
from typing import Literal

from msgspec import Struct

from tonearm.errors import OptionError
from tonearm.errors.text import counted
from tonearm.named_file import read_named_file

MAX_COVER = (1 << 24) - 1024
"""Largest size of a picture in bytes: the block of FLAC that holds it has a length of 24 bits."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
# Markers of JPEG that begin a frame, SOF0 to SOF15; 0xC4, 0xC8 and 0xCC are others.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # by type of colour; a palette holds colours of 24 bits


class Cover(Struct, frozen=True, kw_only=True):
    """A cover picture.

    Parameters
    ----------
    content
        Content of the picture's file.
    mime
        Type of the picture.
    width, height
        Size in pixels; 0 if unknown.
    depth
        Bits of a pixel; 0 if unknown.
    """

    content: bytes
    mime: Literal["image/jpeg", "image/png"]
    width: int = 0
    height: int = 0
    depth: int = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.mime}, {self.width}×{self.height}, {counted(len(self.content), 'byte')}>"


def read_cover(path: str) -> Cover:
    """Return the picture of a file.

    Parameters
    ----------
    path
        Path of the file.

    Returns
    -------
    Cover
        Picture with its type and size.

    Raises
    ------
    OptionError
        If the file cannot be read, is neither JPEG nor PNG, or is too large for FLAC.
    """
    try:
        content = read_named_file(path, MAX_COVER)
    except OSError as error:
        raise _problem(f"the cover cannot be read: {(error.strerror or str(error)).lower()}") from error
    if content is None:
        raise _problem("the cover is not a regular file")
    if len(content) > MAX_COVER:
        raise _problem("the cover is larger than 16 MB, more than FLAC can hold", "save it with fewer pixels")
    if content.startswith(_PNG):
        width, height, depth = _png_size(content)
        return Cover(content=content, mime="image/png", width=width, height=height, depth=depth)
    if content.startswith(_JPEG):
        width, height, depth = _jpeg_size(content)
        return Cover(content=content, mime="image/jpeg", width=width, height=height, depth=depth)
    raise _problem("the cover is neither a JPEG nor a PNG file", "convert it to one of them, which all players show")


def _problem(message: str, hint: str = "") -> OptionError:
    return OptionError(message, option="cover", code="bad-cover", hint=hint)


def _png_size(content: bytes) -> tuple[int, int, int]:
    """Return the width, height and bits of a pixel from the first chunk of a PNG file; zeros if it is broken."""
    if len(content) < 26 or content[12:16] != b"IHDR":
        return 0, 0, 0
    width, height, bits, colour = struct.unpack_from(">IIBB", content, 16)
    return width, height, (8 if colour == 3 else bits) * _PNG_CHANNELS.get(colour, 0)


def _jpeg_size(content: bytes) -> tuple[int, int, int]:
    """Return the width, height and bits of a pixel from the frame of a JPEG file; zeros if there is none."""
    at = 2
    while at + 10 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # fill
            at += 1
        elif marker in _FRAMES:
            bits, height, width, components = struct.unpack_from(">BHHB", content, at + 4)
            return width, height, bits * components
        else:
            at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return 0, 0, 0
