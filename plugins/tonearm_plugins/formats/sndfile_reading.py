"""Reading by libsndfile: what it opens, bounds on the claimed length, and files on which it prints notes."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from tonearm.api import InflationBound, ItemError, path_of

SOUND_BYTES = InflationBound(256 << 20, 3000)
"""Bytes of sound in double precision."""

SILENCE_BYTES = InflationBound(256 << 20, 170_000)
"""The same in formats in which digital silence takes almost nothing.

The largest block of FLAC, 65,535 samples of 8 channels, takes at least 26 bytes.
"""

_SMALL_SILENCE = ("FLAC", "OGG")

DOUBLE_SUBTYPES = ("PCM_32", "DOUBLE", "ALAC_32")
"""Names of the subtypes with more digits than float32."""

_WAV = (b"RIFF", b"RIFX", b"RF64")
_WAV_CODECS = (b"\1\0", b"\3\0", b"\xfe\xff")  # PCM, floats, and those of the extensible format
_SILENT = (b"fLaC", b"OggS", b"FORM", b".snd")
KNOWN = (*_WAV, *_SILENT, b"caff")
"""First bytes of files whose type libsndfile knows at once."""


class SoundBytes(io.BytesIO):
    """A file in memory for libsndfile, which would print the errors of its methods to stderr."""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position. One before the start, which only a broken file leads to, changes nothing."""
        try:
            return super().seek(offset, whence)
        except ValueError:
            return -1


def sequential_file(openable: Any) -> Any:
    """Return an open `soundfile.SoundFile` that reads on from block to block.

    soundfile seeks after each block, which costs lossy formats what they keep between blocks.

    Parameters
    ----------
    openable
        What `openable` returned.
    """
    return _sequential()(openable, closefd=False)


@functools.cache
def _sequential() -> Any:
    import soundfile

    class Sequential(soundfile.SoundFile):  # type: ignore[misc]
        """A sound file that claims not to be seekable, and looks up its format once."""

        @functools.cached_property
        def format(self) -> str:
            """Return the name of the container."""
            return str(super().format)

        @functools.cached_property
        def subtype(self) -> str:
            """Return the name of the format of the samples."""
            return str(super().subtype)

        def seekable(self) -> bool:
            """Return False."""
            return False

    return Sequential


def check_claimed_length(sound: Any, size: int, length: int | None = None) -> None:
    """Raise `ItemError` if an open sound file claims far more samples than its bytes can hold.

    Parameters
    ----------
    sound
        Open `soundfile.SoundFile`.
    size
        Size of the file in bytes.
    length
        Samples of each channel, if that which libsndfile gives is an estimate.
    """
    frames = sound.frames if length is None else length
    bound = SILENCE_BYTES if sound.format in _SMALL_SILENCE else SOUND_BYTES
    if 8 * sound.channels * frames > bound.limit(size):
        raise ItemError(
            f"the header claims {frames:,} samples, but the file has {size:,} bytes, too few for so much sound",
            code="too-long",
            hint="if it holds nothing but silence, leave it out",
        )


def may_print(head: bytes) -> bool:
    """Return whether libsndfile may print notes on a file with these first bytes, at least 22 of them.

    libmpg123 does so on MP3, also within WAV, and on whatever it takes for MP3. The decoder of ALAC in CAF does, too.
    """
    if head.startswith(_WAV):
        return head[12:16] != b"fmt " or head[20:22] not in _WAV_CODECS
    return not head.startswith(_SILENT)


def openable(file: BinaryIO, head: bytes) -> Any:
    """Return what `soundfile.SoundFile` should open, so that libsndfile opens no other file.

    It takes a file of an unknown type, and first any MP3, for one fork of Sound Designer's format, and looks for the
    other: beside the file, or without a path in the current folder, where it may be a pipe that never ends.

    Parameters
    ----------
    file
        Open file, with a descriptor unless its type is known.
    head
        First bytes of the file.

    Returns
    -------
    object
        The file in memory, its descriptor, or a path to its descriptor, beside which there are no forks.
    """
    if isinstance(file, io.BytesIO):
        return file
    path = None if head.startswith(KNOWN) else path_of(file)
    return path or file.fileno()


def read_bytes_at(file: BinaryIO, count: int, offset: int) -> bytes:
    """Return bytes of a file without moving its position, which belongs to libsndfile."""
    if isinstance(file, io.BytesIO):
        return file.getvalue()[offset : offset + count]
    if sys.platform == "win32" or not hasattr(os, "pread"):
        at = os.lseek(file.fileno(), 0, os.SEEK_CUR)
        os.lseek(file.fileno(), offset, os.SEEK_SET)
        with open(file.fileno(), "rb", closefd=False) as same:
            content = same.read(count)
        os.lseek(file.fileno(), at, os.SEEK_SET)
        return content
    found = os.pread(file.fileno(), count, offset)
    while len(found) < count and (more := os.pread(file.fileno(), count - len(found), offset + len(found))):
        found += more
    return found


def size_in_bytes(file: BinaryIO) -> int:
    """Return the size of a file in bytes."""
    return len(file.getvalue()) if isinstance(file, io.BytesIO) else os.fstat(file.fileno()).st_size


@contextlib.contextmanager
def reopened_file(file: BinaryIO) -> Iterator[BinaryIO]:
    """Yield a file at its start for other libraries, and leave its position as it was."""
    if isinstance(file, io.BytesIO):
        yield io.BytesIO(file.getvalue())
        return
    with os.fdopen(os.dup(file.fileno()), "rb") as copy:
        place = copy.tell()
        copy.seek(0)
        yield copy
        copy.seek(place)  # both descriptors share it


def reason_of(error: Any) -> str:
    """Return the text of libsndfile's error, or its number: some codecs have no text."""
    return error.error_string.rstrip(".") or f"libsndfile's error {error.code}"
