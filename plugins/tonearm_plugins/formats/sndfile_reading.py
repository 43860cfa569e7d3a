"""Reading by libsndfile: sounds in memory, bounds on the claimed length, and files on which it prints notes."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import InflationBound, ItemError, Source, check_memory, path_of, reading_errors
from tonearm_plugins.formats.library_notes import hushed_libraries

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

SOUND_BYTES = InflationBound(256 << 20, 3000)
"""Bytes of sound in double precision. Digital silence in stereo takes a two-thousandth as FLAC."""

DOUBLE_SUBTYPES = ("PCM_32", "DOUBLE", "ALAC_32")
"""Names of the subtypes with more digits than float32."""

_WAV = (b"RIFF", b"RIFX", b"RF64")
_WAV_CODECS = (b"\1\0", b"\3\0", b"\xfe\xff")  # PCM, floats, and those of the extensible format
_SILENT = (b"fLaC", b"OggS", b"FORM", b".snd")
_KNOWN = (*_WAV, *_SILENT, b"caff")


class SoundBytes(io.BytesIO):
    """A file in memory for libsndfile, which would print the errors of its methods to stderr."""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position. One before the start, which only a broken file leads to, changes nothing."""
        try:
            return super().seek(offset, whence)
        except ValueError:
            return -1


def decode_bytes(data: bytes, name: str, *, double: bool = False) -> tuple[Array, int]:
    """Return the samples and the sample rate of a sound file in memory.

    Parameters
    ----------
    data
        All bytes of the file.
    name
        Name of the file, for messages.
    double
        Whether float64 is wanted. Subtypes of more than 16 bits always become float64.

    Returns
    -------
    samples
        (channels, samples), float32 or float64.
    sample_rate
        Sample rate in Hz.

    Raises
    ------
    ItemError
        ``broken-file`` or ``too-long``.
    """
    import soundfile

    quiet = hushed_libraries() if may_print(data) else contextlib.nullcontext()
    with (
        reading_errors(name, "audio"),
        quiet,
        _in_memory(data, name) as opened,
        soundfile.SoundFile(openable(opened, data), closefd=False) as file,
    ):
        check_claimed_length(file, len(data))
        double = double or file.subtype in (*DOUBLE_SUBTYPES, "PCM_24")
        check_memory(name, "", file.channels * file.frames * (8 if double else 4))
        samples: Array = file.read(dtype="float64" if double else "float32", always_2d=True)
        return samples.T, file.samplerate


def check_claimed_length(sound: Any, size: int) -> None:
    """Raise `ItemError` if an open sound file claims far more samples than its bytes can hold.

    Parameters
    ----------
    sound
        Open `soundfile.SoundFile`.
    size
        Size of the file in bytes.
    """
    if 8 * sound.channels * sound.frames > SOUND_BYTES.limit(size):
        raise ItemError(
            f"the header claims {sound.frames:,} samples, but the file has {size:,} bytes, too few for so much sound",
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
    path = None if head.startswith(_KNOWN) else path_of(file)
    return path or file.fileno()


@contextlib.contextmanager
def _in_memory(data: bytes, name: str) -> Iterator[BinaryIO]:
    """Yield a file in memory that `openable` takes."""
    if data.startswith(_KNOWN):
        yield SoundBytes(data)
    else:
        with Source(name=name, file=io.BytesIO(data)).open(descriptor=True) as file:
            yield file


def reason_of(error: Any) -> str:
    """Return the text of libsndfile's error, or its number: some codecs have no text."""
    return error.error_string.rstrip(".") or f"libsndfile's error {error.code}"
