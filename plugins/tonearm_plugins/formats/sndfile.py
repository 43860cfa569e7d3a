"""Writing by libsndfile, with its errors told apart: those of the output side, and those of what it was given."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, OutputError
from tonearm_plugins.formats.judge import BOMB_FROM, judged

if TYPE_CHECKING:
    import numpy as np

_SYSTEM = 2  # SF_ERR_SYSTEM: a call of the operating system failed


def write(
    path: Path,
    blocks: Iterable[np.ndarray[Any, Any]],
    *,
    sample_rate: int,
    channels: int,
    container: str,
    subtype: str,
    compression_level: float | None = None,
    bitrate_mode: str | None = None,
    strings: Mapping[str, str] | None = None,
    endian: str | None = None,
) -> None:
    """Write an audio file.

    Parameters
    ----------
    path
        Where; its suffix says nothing.
    blocks
        (samples, channels): int16 or int32, full scale that of the type, or floats for codecs of floats; by those of
        integers these would be floored.
    sample_rate
        In Hz.
    channels
        How many.
    container, subtype
        libsndfile's names: ``FLAC``, ``PCM_16``.
    compression_level
        0 to 1, as libsndfile counts; its own choice if not given.
    bitrate_mode
        ``CONSTANT``, ``AVERAGE`` or ``VARIABLE``, of MP3 and Opus.
    strings
        Tags that libsndfile itself has room for: title, artist, comment.
    endian
        ``LITTLE`` or ``BIG``, of raw samples.

    Raises
    ------
    OutputError
        The disk is full or the like.
    ItemError
        libsndfile refuses what it was given.
    """
    import soundfile

    with _errors(container), _Target(path) as target, target.errors():
        file = soundfile.SoundFile(
            target,
            "w",
            samplerate=sample_rate,
            channels=channels,
            format=container,
            subtype=subtype,
            compression_level=compression_level,
            bitrate_mode=bitrate_mode,
            endian=endian,
        )
        with file:
            for name, value in (strings or {}).items():
                setattr(file, name, value)
            for block in blocks:
                file.write(block)


class _Target:
    """A file that libsndfile writes by our hands: of what fails while it closes one of its own, it says nothing.

    Parameters
    ----------
    path
        Where; a file that is there is written anew.
    """

    def __init__(self, path: Path) -> None:
        self._file = open(path, "w+b", buffering=0)  # noqa: PTH123, SIM115 - closed at our own end
        self._error: BaseException | None = None

    def __enter__(self) -> _Target:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Raise at the end whatever went wrong with the file, which libsndfile makes nothing of: `OutputError`."""
        try:
            yield
        finally:
            error = self._error
            if isinstance(error, OSError):
                raise OutputError(f"cannot write: {(error.strerror or str(error)).lower()}") from error
            if error is not None:  # somebody stopped us within libsndfile's call
                raise error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        return self._noted(lambda: self._file.seek(offset, whence), failed=-1)

    def tell(self) -> int:
        """Return where we are."""
        return self._noted(self._file.tell, failed=-1)

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        return self._noted(lambda: self._file.readinto(buffer) or 0, failed=0)

    def write(self, data: Any) -> int:
        """Write all of it."""
        return self._noted(lambda: self._write(memoryview(data)), failed=0)

    def _write(self, data: memoryview) -> int:
        rest = data
        while len(rest):
            rest = rest[self._file.write(rest) :]
        return len(data)

    def _noted(self, do: Callable[[], int], *, failed: int) -> int:
        """Do something and note what goes wrong, now and from now on: an exception would not get through libsndfile."""
        if self._error is None:
            try:
                return do()
            except BaseException as error:
                self._error = error
        return failed


@contextlib.contextmanager
def _errors(container: str) -> Iterator[None]:
    import soundfile

    try:
        yield
    except soundfile.LibsndfileError as error:
        if error.code == _SYSTEM:
            raise OutputError(
                "cannot write: libsndfile's system call failed", hint="is the disk full, or the file too large for it?"
            ) from error
        raise ItemError(f"cannot write {container}: {reason_of(error)}", code="encoder-refused") from error


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
