"""FLAC as libsndfile writes it, with metadata of ours in front of the sound (RFC 9639, section 8)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

_MAGIC = b"fLaC"
_STREAMINFO, _VORBIS_COMMENT, _PICTURE = 0, 4, 6
_LAST = 0x80  # flag of the last block of metadata
_HEADER = 4  # bytes before a block
_INFO = len(_MAGIC) + _HEADER  # place of STREAMINFO's content in a file
_INFO_SIZE = 34
_TOTAL = 13  # place in STREAMINFO of the 36 bits of the number of samples, whose first byte is shared
_MOST = (1 << 36) - 1


class FlacFile:
    """A file for libsndfile to write FLAC into, which passes it on with other metadata.

    libsndfile goes back at the end to complete STREAMINFO. That is done where the file can seek; in a pipe STREAMINFO
    says that the hash, the sizes of frames and, unless it is given, the length are unknown, as the format allows.

    Parameters
    ----------
    file
        Open file, which `close` closes.
    seekable
        Whether it can seek.
    comments
        Function from the comments that libsndfile writes to those to write.
    picture
        Content of the block of a picture; empty for none.
    length
        Number of samples of each channel; None if it is not known yet.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        seekable: bool,
        comments: Callable[[bytes], bytes],
        picture: bytes = b"",
        length: int | None = None,
    ) -> None:
        self._file = file
        self._seekable = seekable
        self._comments = comments
        self._picture = picture
        self._length = length
        self._head = bytearray()
        self._blocks: list[tuple[int, bytes]] = []
        self._at = self._end = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position of what libsndfile has written."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        """Return the position in what libsndfile has written."""
        return self._at

    def write(self, data: bytes | memoryview) -> int:
        """Take metadata, and pass on the sound."""
        start, self._at = self._at, self._at + len(data)
        self._end = max(self._end, self._at)
        if not self._blocks:
            self._head += data
            self._begin()
        elif start < len(self._head):
            self._head[start : start + len(data)] = data
        else:
            self._file.write(data)
        return len(data)

    def finish(self) -> None:
        """Complete STREAMINFO."""
        if self._seekable and self._blocks:
            self._file.seek(_INFO)
            self._file.write(self._head[_INFO : _INFO + _INFO_SIZE])

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _begin(self) -> None:
        """Write the metadata if all of libsndfile's is here."""
        blocks = list(_blocks(bytes(self._head)))
        if not blocks or not blocks[-1][0] & _LAST:
            return
        self._blocks = blocks
        found = {kind & ~_LAST: content for kind, content in blocks}
        written = [(_STREAMINFO, self._info(found[_STREAMINFO]))]
        written.append((_VORBIS_COMMENT, self._comments(found.get(_VORBIS_COMMENT, bytes(8)))))
        if self._picture:
            written.append((_PICTURE, self._picture))
        self._file.write(_MAGIC)
        for number, (kind, content) in enumerate(written, 1):
            flag = _LAST if number == len(written) else 0
            self._file.write(bytes([kind | flag]) + len(content).to_bytes(_HEADER - 1, "big") + content)

    def _info(self, content: bytes) -> bytes:
        """Return STREAMINFO with the number of samples, if it is known."""
        total = self._length or 0
        if total > _MOST:
            total = 0
        first = content[_TOTAL] & 0xF0 | total >> 32
        rest = (total & 0xFFFFFFFF).to_bytes(4, "big")
        return content[:_TOTAL] + bytes([first]) + rest + content[_TOTAL + 1 + len(rest) :]


def _blocks(head: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the blocks of metadata, each with its type and flag, as far as they are whole."""
    at = len(_MAGIC)
    while at + _HEADER <= len(head):
        end = at + _HEADER + int.from_bytes(head[at + 1 : at + _HEADER], "big")
        if end > len(head):
            return
        yield head[at], head[at + _HEADER : end]
        if head[at] & _LAST:
            return
        at = end
