"""Reading by libsndfile: bounds on what a file claims, sounds in memory, and silence on stderr."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError
from tonearm_plugins.formats.reading import BOMB_FROM, judged

if TYPE_CHECKING:
    import numpy as np

_MOST = 3000
"""Times its size, to which a large file may grow: digital silence in stereo takes a two-thousandth as FLAC."""

_PRECISE = ("PCM_24", "PCM_32", "DOUBLE")


def refuse_bomb(sound: Any, size: int) -> None:
    """Raise `ItemError` if an open sound file of so many bytes says that it has far more sound than they can hold."""
    needed = 8 * sound.channels * sound.frames
    if needed > BOMB_FROM and needed > _MOST * size:
        raise ItemError(
            f"it says it has {sound.frames:,} samples, but its {size:,} bytes are too few for so much sound",
            code="too-long",
            hint="if it is nothing but silence, leave it out",
        )


def decoded(data: bytes, name: str) -> tuple[np.ndarray[Any, Any], int]:
    """Return samples and sample rate of a sound file in memory.

    Parameters
    ----------
    data
        All of it.
    name
        What to call it in messages.

    Returns
    -------
    samples, sample_rate
        (channels, samples) float32, or float64 where it has more digits; in Hz.

    Raises
    ------
    ItemError
        ``broken-file``, ``too-long``.
    """
    import io

    import soundfile

    quiet = hushed() if is_mpeg(data[:16]) else contextlib.nullcontext()
    with judged(name, "audio"), quiet, soundfile.SoundFile(io.BytesIO(data)) as file:
        refuse_bomb(file, len(data))
        samples: np.ndarray[Any, Any] = file.read(
            dtype="float64" if file.subtype in _PRECISE else "float32", always_2d=True
        )
        return samples.T, file.samplerate


_hush = threading.Lock()
_hushed: list[int | None] = []
"""The real stderr while it is hushed, once for each that asked."""


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Let nobody hear what libmpg123 has to say of an MP3 file: it prints notes on stderr by itself, from within C."""
    with _hush:
        _hushed.append(_hushed[0] if _hushed else _turned_away())
    try:
        yield
    finally:
        with _hush:
            real = _hushed.pop()
            if not _hushed and real is not None:
                os.dup2(real, 2)
                os.close(real)


def _turned_away() -> int | None:
    """Lead stderr nowhere, and return the real one; None if there is none."""
    try:
        real = os.dup(2)
    except OSError:
        return None
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
    return real


def is_mpeg(head: bytes) -> bool:
    """Say whether a file that starts so may be MP3."""
    return head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] >= 0xE0)


def reason_of(error: Any) -> str:
    """Return what libsndfile says is wrong, which for some codecs is nothing but a number."""
    return error.error_string.rstrip(".") or f"libsndfile's error {error.code}"
