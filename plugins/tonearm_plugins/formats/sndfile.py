"""Writing by libsndfile, with its errors told apart: those of the output side, and those of what it was given."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, OutputError
from tonearm_plugins.formats.sndfile_reading import reason_of

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
