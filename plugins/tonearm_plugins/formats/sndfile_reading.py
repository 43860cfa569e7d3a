"""Reading by libsndfile: sounds in memory, bounds on the claimed length, and a silent stderr."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tonearm.api import InflationBound, ItemError, reading_errors

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

SOUND_BYTES = InflationBound(256 << 20, 3000)
"""Bytes of sound in double precision. Digital silence in stereo takes a two-thousandth as FLAC."""

DOUBLE_SUBTYPES = ("PCM_32", "DOUBLE", "ALAC_32")
"""Names of the subtypes with more digits than float32."""

_lock = threading.Lock()
_silenced: list[int | None] = []
"""Descriptor of the real stderr, once for each caller that silenced it."""


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

    quiet = silenced_stderr() if may_be_mpeg(data[:16]) else contextlib.nullcontext()
    with reading_errors(name, "audio"), quiet, soundfile.SoundFile(SoundBytes(data)) as file:
        check_claimed_length(file, len(data))
        double = double or file.subtype in (*DOUBLE_SUBTYPES, "PCM_24")
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


@contextlib.contextmanager
def silenced_stderr() -> Iterator[None]:
    """Discard everything that is written to stderr: libmpg123 prints notes on MP3 files there, from within C."""
    with _lock:
        _silenced.append(_silenced[0] if _silenced else _discard_stderr())
    try:
        yield
    finally:
        with _lock:
            real = _silenced.pop()
            if not _silenced and real is not None:
                os.dup2(real, 2)
                os.close(real)


def _discard_stderr() -> int | None:
    """Redirect stderr to nowhere, and return a descriptor of the real one; None if it is closed."""
    try:
        real = os.dup(2)
    except OSError:
        return None
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
    return real


def may_be_mpeg(head: bytes) -> bool:
    """Return whether a file with these first bytes may be MP3."""
    return head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] >= 0xE0)


def reason_of(error: Any) -> str:
    """Return the text of libsndfile's error, or its number: some codecs have no text."""
    return error.error_string.rstrip(".") or f"libsndfile's error {error.code}"
