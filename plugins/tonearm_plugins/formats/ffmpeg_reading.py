"""Sound that only ffmpeg reads, by PyAV or by the program, of formats that are one file alone.

The demuxer is named by the content of the file, and never guessed by ffmpeg: playlists, devices and addresses are no
formats here, and nothing but the given file is opened.
"""

from __future__ import annotations

import errno
import importlib.util
import io
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import (
    MAX_SAMPLE_RATE,
    ItemError,
    check_memory,
)
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.formats import ffmpeg_pipe
from tonearm_plugins.formats.container_sizes import check_container, has_end_mark
from tonearm_plugins.formats.ffmpeg_formats import whitelist
from tonearm_plugins.formats.frame_runs import frames_alone
from tonearm_plugins.formats.tags import tags_of_ffmpeg

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

# Formats whose header has the length, with the seconds by which codecs may fall short of it. AVI's is a number of
# blocks, of which ffmpeg makes three times the seconds for codecs such as ADPCM, and Matroska's is that of the longest
# stream; their sizes in bytes are checked instead.
_LENGTHS = dict.fromkeys(("ape", "dsf", "flac", "tak", "tta", "wv"), 0.0) | dict.fromkeys(
    ("aiff", "caf", "iff", "mov", "mpc", "mpc8", "voc", "wav"), 0.1
)

_SECONDS = 10
"""Seconds of processor time that a file may take, beside those by its size."""
_BYTES_A_SECOND = 50_000

_UNREADABLE = "it is damaged, or a variant that this ffmpeg does not know"


@dataclass(frozen=True)
class Foreign:
    """Sound that ffmpeg has read.

    Parameters
    ----------
    samples
        (channels, samples), float32, or float64 if float32 would lose digits.
    sample_rate
        Sample rate in Hz.
    scale
        Kind of the samples: ``PCM`` for integers, ``FLOAT`` for floats, ``CODED`` for what a lossy codec gives.
    tags
        Tags by name.
    warnings
        Warnings to give.
    """

    samples: Array
    sample_rate: int
    scale: str
    tags: dict[str, str]
    warnings: tuple[str, ...] = ()


def read_foreign(
    file: BinaryIO, name: str, demuxer: str, what: str, *, on_progress: OnProgress | None = None
) -> Foreign:
    """Read a file by PyAV, or else by the program.

    Parameters
    ----------
    file
        Open file.
    name
        Name of the file, for messages.
    demuxer, what
        Demuxer and name of the format, as `demuxer_of` gives them.
    on_progress
        Function called with the samples that are read, and with the number that the header claims, or infinity.

    Raises
    ------
    ItemError
        The file is broken or cut short, takes too much memory or time, or neither PyAV nor ffmpeg is installed.
    """
    size = _size(file)
    has_length = check_container(file, name, demuxer, size)
    is_whole = has_end_mark(file, demuxer, size)
    file, warnings = frames_alone(file, demuxer, size)
    if not is_whole:
        warnings.append("it has no index at its end: the file may be cut short")
    size = _size(file)
    if _has_pyav():
        found = _by_pyav(file, name, demuxer, what, size, has_length=has_length, on_progress=on_progress)
    else:
        found = _by_program(file, name, demuxer, what, size, on_progress=on_progress)
    return replace(found, warnings=(*found.warnings, *warnings))


def look_at_foreign(file: BinaryIO, name: str, demuxer: str, what: str) -> tuple[int, int, int | None]:
    """Return the sample rate in Hz, the number of channels and the length of a file; None if it does not give one."""
    check_container(file, name, demuxer, _size(file))
    if not _has_pyav():
        with ffmpeg_pipe.Decoding(file, demuxer, what, timeout=_timeout(_size(file))) as decoding:
            return decoding.sample_rate, decoding.channels, None
    with _av_errors(what), _open_av(file, demuxer) as container:
        stream = _audio_of(container, what)
        coder = stream.codec_context
        _check_rate(coder.sample_rate, coder.channels)
        return coder.sample_rate, coder.channels, None


def _has_pyav() -> bool:
    return importlib.util.find_spec("av") is not None


def _timeout(size: int) -> float:
    """Return the seconds that the program may take."""
    return 6 * (_SECONDS + size / _BYTES_A_SECOND)


def _size(file: BinaryIO) -> int:
    at = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(at)
    return size


def _check_rate(rate: int, channels: int) -> None:
    if not 1 <= rate <= MAX_SAMPLE_RATE or channels < 1:
        raise ItemError(f"it claims a sample rate of {rate} Hz and {channels} channels", code="bad-audio")


def _damaged(what: str, reason: str) -> ItemError:
    return ItemError(f"it begins as {what}, but cannot be read: {reason}", code="bad-audio", hint=_UNREADABLE)


def _cut_short(done: float, claimed: float) -> ItemError:
    return ItemError(
        f"the file is cut short: it has {done:.2f} of {claimed:.2f} seconds",
        code="truncated",
        hint="the write was interrupted; write the file again",
    )


class _Budget:
    """Bound on the memory and the processor time of one file."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._end = time.process_time() + _SECONDS + size / _BYTES_A_SECOND
        self._bytes = 0

    def add(self, count: int) -> None:
        """Raise `ItemError` if so many bytes of samples more are too many, or if the time is over."""
        self._bytes += count
        check_memory(self._name, "", self._bytes)
        self.check_time()

    def check_time(self) -> None:
        """Raise `ItemError` if the time is over."""
        if time.process_time() > self._end:
            raise _too_slow()


def _too_slow() -> ItemError:
    return ItemError("decoding it takes far longer than its size explains", code="too-long", hint=_UNREADABLE)


def _refuse(_url: str, _flags: int, _options: dict[str, Any]) -> Any:
    """Open no other file, whatever a format asks for."""
    raise PermissionError("another file")


def _open_av(file: BinaryIO, demuxer: str) -> Any:
    import av

    file.seek(0)
    # PyAV 19 has no option for it, and always escapes bytes of tags that are not UTF-8.
    escaping: Any = {} if int(av.__version__[:2]) >= 19 else {"metadata_errors": "surrogateescape"}
    bounds = {"protocol_whitelist": "none", "format_whitelist": whitelist(demuxer), "err_detect": "crccheck+explode"}
    return av.open(_Readable(file), "r", format=demuxer, io_open=_refuse, options=bounds, **escaping)


class _Readable:
    """The part of a file that PyAV needs. It has no name, which PyAV would give to ffmpeg."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read, self.tell = file.read, file.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position; return -1 for one before the start, which only a broken file leads to."""
        try:
            return self._file.seek(offset, whence)
        except (ValueError, OSError) as error:
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise
            return -1


class _av_errors:  # noqa: N801 - a context manager
    """Turns errors of PyAV in a ``with`` block into an `ItemError`."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        import av

        if isinstance(error, av.FFmpegError | ValueError | LookupError | EOFError):
            raise _damaged(self._what, getattr(error, "strerror", None) or "the data are invalid") from error


def _audio_of(container: Any, what: str) -> Any:
    stream = container.streams.best("audio")
    if stream is not None and stream.codec_context is not None:
        return stream
    if container.streams.audio:
        raise ItemError(f"it is {what}, and this ffmpeg does not know the codec of its sound", code="bad-audio")
    pictures = ", only pictures" if container.streams.video else ""
    raise ItemError(f"it has no sound{pictures}: it is {what}", code="empty", hint="choose a file with sound")


def _by_pyav(
    file: BinaryIO, name: str, demuxer: str, what: str, size: int, *, has_length: bool, on_progress: OnProgress | None
) -> Foreign:
    budget = _Budget(name, size)
    with _av_errors(what), _open_av(file, demuxer) as container:
        stream = _audio_of(container, what)
        codec = stream.codec_context.name
        blocks: list[Array] = []
        kind: tuple[int, int, str] | None = None
        packers: list[Any] = []
        last, done, total = 0.0, 0, _claimed(container, stream) or math.inf
        for frame, seconds in _frames(container, stream, budget):
            last = seconds
            found = frame.sample_rate, len(frame.layout.channels), frame.format.name
            if kind is None:
                kind = found
                _check_rate(*found[:2])
            if found != kind:
                raise _changes(kind, found)
            values = _values(_packed(frame, packers))
            budget.add(2 * values.nbytes if values.dtype.itemsize < 4 else values.nbytes)
            is_planar = frame.format.is_planar and found[1] < _MOST_PLANES
            blocks.append(values if is_planar else values.reshape(-1, found[1]).T)
            done += blocks[-1].shape[1]
            if on_progress:
                on_progress(done, total * found[0])
        if kind is None:
            raise ItemError(f"it is {what} without any samples", code="empty")
        claimed, index = _claimed(container, stream), stream.index
        tags = tags_of_ffmpeg({**container.metadata, **stream.metadata})
        count = len(container.streams.audio)
    samples = _joined(blocks, kind[2])
    _check_length(samples.shape[1], kind[0], demuxer, claimed, last)
    if has_length and codec == "aac":
        # Libraries before ffmpeg 9 give all of the last frame, of which the table of durations says a part.
        padding = blocks[-1].shape[1] - round(last * kind[0])
        if 0 < padding < blocks[-1].shape[1]:
            samples = samples[:, :-padding]
    warnings = () if count == 1 else (f"it holds {count} streams of sound; only stream {index} is read",)
    return Foreign(samples, kind[0], _scale(codec, kind[2]), tags, warnings)


_MOST_PLANES = 8
"""Smallest number of channels at which PyAV reads planes beyond the end of its list of them, and crashes."""


def _packed(frame: Any, packers: list[Any]) -> Any:
    """Return a frame whose samples PyAV can read: many channels are interleaved first, without other values."""
    if not frame.format.is_planar or len(frame.layout.channels) < _MOST_PLANES:
        return frame
    if not packers:
        import av

        packers.append(av.AudioResampler(format=frame.format.packed))
    (packed,) = packers[0].resample(frame)
    return packed


def _values(frame: Any) -> Array:
    """Return the samples of a frame; PyAV has no integers of 64 bits."""
    import numpy as np

    if frame.format.name != "s64":
        return frame.to_ndarray()  # type: ignore[no-any-return]
    return np.frombuffer(frame.planes[0], "i8", frame.samples * len(frame.layout.channels)).reshape(1, -1).copy()


def _frames(container: Any, stream: Any, budget: _Budget) -> Iterator[tuple[Any, float]]:
    """Yield the decoded frames and the seconds of their packets; raise `ItemError` at a packet that is cut off."""
    seconds = 0.0
    for packet in container.demux(stream):
        budget.check_time()
        if packet.is_corrupt and packet.size and stream.codec_context.name not in _SHORT_READS:
            raise ItemError(
                "the file is cut short: its last packet is not whole",
                code="truncated",
                hint="the write was interrupted; write the file again",
            )
        if not packet.size and packet.pts is not None:
            continue  # it has new headers alone, and ffmpeg takes an empty packet for the end
        if packet.size:
            seconds = float((packet.duration or 0) * packet.time_base)
        for frame in packet.decode():
            yield frame, seconds


_SHORT_READS = ("adpcm_adx",)  # codecs of which ffmpeg calls the last whole packets corrupt; `check_container` does it


def _changes(before: tuple[int, int, str], after: tuple[int, int, str]) -> ItemError:
    return ItemError(
        f"the sound changes from {before[0]} Hz with {before[1]} channels to {after[0]} Hz with {after[1]} channels",
        code="bad-audio",
        hint="split the file where it changes",
    )


def _claimed(container: Any, stream: Any) -> float:
    """Return the length in seconds that the header gives; 0 if it gives none."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / 1e6


def _check_length(done: int, rate: int, demuxer: str, claimed: float, last: float = 0) -> None:
    """Raise `ItemError` if there are fewer samples than the header claims, beside the seconds of the last packet."""
    slack = _LENGTHS.get(demuxer)
    if slack is None:
        return
    if done + 1 < (claimed - slack - (last if slack else 0)) * rate:
        raise _cut_short(done / rate, claimed)


def _joined(blocks: list[Array], kind: str) -> Array:
    """Return the samples of all frames as floats: float64 if float32 would lose digits."""
    import numpy as np

    kind = kind.removesuffix("p")
    if kind in ("flt", "dbl"):
        return np.concatenate(blocks, axis=1)
    bits = {"u8": 8, "s16": 16, "s32": 32, "s64": 64}[kind]
    fine = kind == "s64" or (kind == "s32" and any(np.bitwise_or.reduce(block, axis=None) & 0xFF for block in blocks))
    samples = np.concatenate(blocks, axis=1, dtype="f8" if fine else "f4")
    if kind == "u8":
        samples -= 128
    samples *= 2.0 ** (1 - bits)
    return samples


def _scale(codec: str, kind: str) -> str:
    """Return what the samples are, given the codec and ffmpeg's name of their format."""
    if not kind.startswith(("flt", "dbl")):
        return "PCM"
    return "FLOAT" if codec.startswith(("pcm_f", "wavpack")) else "CODED"


def _by_program(
    file: BinaryIO, name: str, demuxer: str, what: str, size: int, *, on_progress: OnProgress | None
) -> Foreign:
    import numpy as np

    budget = _Budget(name, size)
    blocks: list[Array] = []
    with ffmpeg_pipe.Decoding(file, demuxer, what, timeout=_timeout(size)) as decoding:
        rate, channels = decoding.sample_rate, decoding.channels
        _check_rate(rate, channels)
        done = 0
        for block in decoding.blocks():
            values = np.frombuffer(block, ">f8").reshape(-1, channels).T
            single = values.astype("f4")
            blocks.append(single if (single == values).all() else values.astype("f8"))
            budget.add(blocks[-1].nbytes)
            done += blocks[-1].shape[1]
            if on_progress:
                on_progress(done, math.inf)  # ffmpeg tells the length when it has ended
        report = decoding.report()
    if not blocks:
        raise ItemError(f"it is {what} without any samples", code="empty")
    samples = np.concatenate(blocks, axis=1)
    _check_length(samples.shape[1], rate, demuxer, report.seconds)
    return Foreign(samples, rate, _scale(report.codec, report.sample_format), tags_of_ffmpeg(report.metadata))
