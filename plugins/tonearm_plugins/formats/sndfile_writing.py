"""Writing by libsndfile, with its errors told apart: those of the output side, and those of what it was given."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from tonearm.api import ItemError, OutputError
from tonearm_plugins.formats.callback_errors import errors_of_callbacks
from tonearm_plugins.formats.library_notes import hushed_libraries
from tonearm_plugins.formats.sndfile_reading import reason_of

if TYPE_CHECKING:
    import numpy as np

_SYSTEM = 2  # SF_ERR_SYSTEM: a call of the operating system failed
_TYPES = {"float64": "double", "float32": "float", "int32": "int", "int16": "short"}
_SET_PEAK_CHUNK = 0x1050  # SFC_SET_ADD_PEAK_CHUNK
_SET_PAGE_LATENCY = 0x1302  # SFC_SET_OGG_PAGE_LATENCY_MS


class Seekable(Protocol):
    """An open file that libsndfile can write: a binary file, or what rewrites its bytes."""

    def write(self, data: memoryview, /) -> int:
        """Write bytes, and return how many."""

    def seek(self, offset: int, whence: int = ..., /) -> int:
        """Move to a position, and return it."""

    def tell(self) -> int:
        """Return the position."""

    def close(self) -> None:
        """Close the file."""


Result = TypeVar("Result")
Output: TypeAlias = Seekable | Callable[[memoryview], object]
"""Open file, or a function that takes all bytes in order and keeps no reference to them."""


class SndfileWriter:
    """A sound file that libsndfile writes block by block, through callbacks.

    It reports no error of closing a file that it opened itself, so it gets none by name.

    Parameters
    ----------
    output
        Open file, which is closed at the end, also if libsndfile refuses the sound here; or function that takes bytes,
        for formats in which libsndfile never goes back.
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
    page_latency
        Longest time that Opus is collected for a page, in ms; by default libsndfile chooses a second.

    Raises
    ------
    OutputError
        The start of the file cannot be written.
    ItemError
        libsndfile refused the sound.
    """

    def __init__(
        self,
        output: Output,
        *,
        sample_rate: int,
        channels: int,
        container: str,
        subtype: str,
        compression_level: float | None = None,
        bitrate_mode: str | None = None,
        strings: Mapping[str, str] | None = None,
        page_latency: float | None = None,
    ) -> None:
        import soundfile

        self._container = container
        self._target = _Target(output)
        self._sound: Any = None
        try:
            with self._errors():
                self._sound = soundfile.SoundFile(
                    self._target,
                    "w",
                    samplerate=sample_rate,
                    channels=channels,
                    format=container,
                    subtype=subtype,
                    compression_level=compression_level,
                    bitrate_mode=bitrate_mode,
                )
                _leave_peak_out(self._sound)
                for name, value in (strings or {}).items():
                    setattr(self._sound, name, value)
                if page_latency is not None:
                    _set_page_latency(self._sound, page_latency)
        except BaseException:
            self.abort()
            raise

    def write(self, block: np.ndarray[Any, Any]) -> None:
        """Write a block of samples.

        Parameters
        ----------
        block
            Samples (samples, channels): int16 or int32 at the full scale of the type, or floats for formats of floats.
            Formats of integers would floor floats.

        Raises
        ------
        OutputError
            The file cannot be written.
        ItemError
            libsndfile refused the samples.
        """
        with self._errors():
            _write(self._sound, block)

    def finish(self, last: Callable[[], object] | None = None) -> None:
        """Write the end of the file and close it.

        Parameters
        ----------
        last
            Function that is called when libsndfile has written its last byte. Its errors are those of the output.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        with self._errors():
            self._sound.close()
            if last is not None:
                self._target.call(last, failed=None)
            self._target.call(self._target.close, failed=None)

    def abort(self) -> None:
        """Release what libsndfile holds and close the file, into which nothing more is written."""
        import soundfile

        self._target.discard()
        with self._errors():
            if self._sound is not None:
                with contextlib.suppress(soundfile.LibsndfileError):
                    self._sound.close()
            with contextlib.suppress(OSError):  # of what the file itself had in its buffer
                self._target.close()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise the errors of libsndfile, and those of the file that it does not tell."""
        with _errors(self._container), self._target.errors(), hushed_libraries():
            yield


def _write(sound: Any, block: np.ndarray[Any, Any]) -> None:
    """Write a block, without the calls by which `soundfile` seeks around it: they take longer than short blocks do."""
    import numpy as np
    import soundfile

    kind = _TYPES[block.dtype.name]
    values = soundfile._ffi.from_buffer(f"{kind}[]", np.ascontiguousarray(block))  # noqa: SLF001 - no public way
    getattr(soundfile._snd, f"sf_writef_{kind}")(sound._file, values, len(block))  # noqa: SLF001
    soundfile._error_check(sound._errorcode)  # noqa: SLF001


def _leave_peak_out(sound: Any) -> None:
    """Make libsndfile write no PEAK chunk for floats: it has the time of day, and the same sound has the same bytes."""
    import soundfile

    soundfile._snd.sf_command(sound._file, _SET_PEAK_CHUNK, soundfile._ffi.NULL, 0)  # noqa: SLF001 - no public way


def _set_page_latency(sound: Any, milliseconds: float) -> None:
    """Make libsndfile write pages of Ogg earlier; it has no argument for that in `soundfile`."""
    import soundfile

    value = soundfile._ffi.new("double*", milliseconds)  # noqa: SLF001 - no public way
    soundfile._snd.sf_command(sound._file, _SET_PAGE_LATENCY, value, 8)  # noqa: SLF001


class _Target:
    """What libsndfile calls back: it can pass on no exception, so the first one is kept until it has returned.

    Parameters
    ----------
    output
        Open file or function, as for `SndfileWriter`.
    """

    def __init__(self, output: Output) -> None:
        self._file: Any = _Forward(output) if callable(output) else output
        self._error: BaseException | None = None
        self.close: Callable[[], object] = self._file.close

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

    def discard(self) -> None:
        """Forget an error, and take what else is written without passing it on."""
        self._file, self._error = _Forward(lambda _: None, lenient=True), None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position."""
        return self.call(lambda: self._file.seek(offset, whence), failed=-1)

    def tell(self) -> int:
        """Return the position."""
        return self.call(self._file.tell, failed=-1)

    def readinto(self, buffer: Any) -> int:
        """Read bytes into a buffer."""
        return self.call(lambda: self._file.readinto(buffer) or 0, failed=0)

    def write(self, data: Any) -> int:
        """Write all bytes."""
        return self.call(lambda: self._write(memoryview(data)), failed=0)

    def _write(self, data: memoryview) -> int:
        rest = data
        while len(rest):
            rest = rest[self._file.write(rest) :]
        return len(data)

    def call(self, do: Callable[[], Result], *, failed: Result) -> Result:
        """Call a function unless one has failed, and keep its error: no exception can pass through libsndfile."""
        if self._error is None:
            try:
                return do()
            except BaseException as error:
                self._error = error
        return failed


class _Forward:
    """A function that takes bytes, as a file that only grows.

    Parameters
    ----------
    take
        Function.
    lenient
        Whether writing elsewhere than at the end is no error.
    """

    def __init__(self, take: Callable[[memoryview], object], *, lenient: bool = False) -> None:
        self._take = take
        self._lenient = lenient
        self._at = self._end = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def write(self, data: memoryview) -> int:
        if self._at != self._end and not self._lenient:
            raise io.UnsupportedOperation("libsndfile goes back in a format that was taken for one without")
        self._take(data)
        self._at += len(data)
        self._end = max(self._end, self._at)
        return len(data)

    def readinto(self, _: Any) -> int:
        return 0

    def close(self) -> None:
        pass


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
