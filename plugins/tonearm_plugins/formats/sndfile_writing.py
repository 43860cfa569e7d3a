"""Writing by libsndfile, with its errors told apart: those of the output side, and those of what it was given."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, OutputError
from tonearm_plugins.formats.callback_errors import errors_of_callbacks
from tonearm_plugins.formats.library_notes import hushed_libraries
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
        Path of the file; its suffix has no meaning.
    blocks
        Samples (samples, channels): int16 or int32 at the full scale of the type, or floats for formats of floats.
        Formats of integers would floor floats.
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels.
    container, subtype
        Format and subtype, by libsndfile's names: ``FLAC``, ``PCM_16``.
    compression_level
        Compression from 0 to 1 on the scale of libsndfile; by default libsndfile chooses.
    bitrate_mode
        Mode of MP3 and Opus: ``CONSTANT``, ``AVERAGE`` or ``VARIABLE``.
    strings
        Tags that libsndfile itself writes: title, artist, comment.
    endian
        Byte order of raw samples, ``LITTLE`` or ``BIG``.

    Raises
    ------
    OutputError
        The file cannot be written, because the disk is full for instance.
    ItemError
        libsndfile refused the sound.
    """
    import soundfile

    with _errors(container), _Target(path) as target, target.errors(), hushed_libraries():
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
    """File that libsndfile writes through callbacks: it reports no error of closing a file that it opened itself.

    Parameters
    ----------
    path
        Path of the file, which is overwritten.
    """

    def __init__(self, path: Path) -> None:
        self._file = open(path, "w+b", buffering=0)  # noqa: PTH123, SIM115 - closed in __exit__
        self._error: BaseException | None = None

    def __enter__(self) -> _Target:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Raise the first error of the file at the end, since libsndfile ignores it: `OutputError`."""
        try:
            with errors_of_callbacks(self._keep):
                yield
        finally:
            error = self._error
            if isinstance(error, OSError):
                raise OutputError(f"cannot write: {(error.strerror or str(error)).lower()}") from error
            if error is not None:  # an interrupt within a call of libsndfile
                raise error

    def _keep(self, error: BaseException) -> None:
        """Keep the first error."""
        self._error = self._error or error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position."""
        return self._guarded(lambda: self._file.seek(offset, whence), failed=-1)

    def tell(self) -> int:
        """Return the position."""
        return self._guarded(self._file.tell, failed=-1)

    def readinto(self, buffer: Any) -> int:
        """Read bytes into a buffer."""
        return self._guarded(lambda: self._file.readinto(buffer) or 0, failed=0)

    def write(self, data: Any) -> int:
        """Write all bytes."""
        return self._guarded(lambda: self._write(memoryview(data)), failed=0)

    def _write(self, data: memoryview) -> int:
        rest = data
        while len(rest):
            rest = rest[self._file.write(rest) :]
        return len(data)

    def _guarded(self, do: Callable[[], int], *, failed: int) -> int:
        """Call a function unless one has failed, and keep its error: no exception can pass through libsndfile."""
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
