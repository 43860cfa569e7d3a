"""Windows on open files: parts of a file, in one piece or in several with zeros between them, that read as a file."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

_PIECE = 4 << 20  # bytes that are copied at a time


class Segment(NamedTuple):
    """Bytes of a window that are stored in the file.

    Parameters
    ----------
    position
        Position of the first byte in the window.
    length
        Number of bytes.
    start
        Position of the first byte in the file.

    Examples
    --------
    >>> Segment(position=0, length=8, start=512).start
    512
    """

    position: int
    length: int
    start: int


class FileWindow(io.RawIOBase):
    r"""Part of an open file that reads as a file of its own, binary and seekable, without a descriptor.

    Parameters
    ----------
    file
        Open file, binary and seekable. It must stay open while the window is read, and is not closed with it.
    size
        Size of the window in bytes.
    segments
        Stored bytes, by their position in the window, none of which overlap. Bytes between them are zeros.

    Examples
    --------
    >>> window = FileWindow(io.BytesIO(b"HEADabcd"), 6, [Segment(0, 2, 4), Segment(5, 1, 7)])
    >>> window.read()
    b'ab\x00\x00\x00d'
    """

    def __init__(self, file: BinaryIO, size: int, segments: Sequence[Segment]) -> None:
        self.file, self.size, self.segments = file, size, segments
        self._starts = [segment.position for segment in segments]
        self._position = 0

    @property
    def start(self) -> int | None:
        """Position of the window in the file, if it is one piece; else None."""
        if len(self.segments) == 1 and self.segments[0][:2] == (0, self.size):
            return self.segments[0].start
        return None

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in the window."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a position in the window, and return it.

        Raises
        ------
        ValueError
            The position is negative.
        """
        position = offset + (0, self._position, self.size)[whence]
        if position < 0:
            raise ValueError(f"negative position {position}")
        self._position = position
        return position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Fill a buffer up to the end of the window, and return the number of bytes.

        Raises
        ------
        EOFError
            The file ends within the window.
        """
        view = memoryview(buffer).cast("B")
        count = min(len(view), max(self.size - self._position, 0))
        done = 0
        while done < count:
            done += self._read_piece(view[done:count])
        return count

    def _read_piece(self, view: memoryview) -> int:
        """Fill a buffer up to the end of the current segment or gap."""
        index = bisect_right(self._starts, self._position) - 1
        following = self._starts[index + 1] if index + 1 < len(self._starts) else self.size
        segment = self.segments[index] if index >= 0 else Segment(0, 0, 0)
        inside = self._position - segment.position
        if inside < segment.length:
            count = min(len(view), segment.length - inside, _PIECE)
            self.file.seek(segment.start + inside)
            data = self.file.read(count)
            if len(data) < count:
                raise EOFError("unexpected end of data")
            view[:count] = data
        else:
            count = min(len(view), following - self._position, _PIECE)
            view[:count] = bytes(count)
        self._position += count
        return count
