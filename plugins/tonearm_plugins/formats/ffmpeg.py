"""ffmpeg: its path, its abilities, and files written by it, which gets the sound block by block through pydub."""

from __future__ import annotations

import errno
import functools
import os
import re
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from tonearm.api import ItemError, OutputError, Requirement, RunCommand, UsageError
from tonearm_plugins.formats import wav_header

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

HINT = "sudo apt install ffmpeg, or pip install 'tonearm[ffmpeg]', which includes it"
FFMPEG = Requirement(
    name="ffmpeg",
    program=True,
    hint=HINT,
    instead=Requirement(name="imageio_ffmpeg", hint="pip install imageio-ffmpeg"),
)

_SLICE = 1 << 20  # bytes written to ffmpeg at a time
_REPORT = 1 << 16  # bytes kept of what ffmpeg reports
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # errors of the output side, which ffmpeg reports in words
_TIMEOUT = 60  # seconds for ffmpeg to print its help
_LAYOUT = r"\d+ channels \([^)]*\)|\S+"
_LAYOUTS = {"mono": 1, "stereo": 2, "downmix": 2, "quad": 4, "hexagonal": 6, "octagonal": 8, "cube": 8}


@functools.cache
def find() -> str:
    """Return the path of ffmpeg: the one on the PATH, or else the one in the package imageio-ffmpeg.

    Raises
    ------
    UsageError
        Neither is installed.
    """
    import shutil

    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:  # installed from source, the package has no program
        raise UsageError("ffmpeg is not installed", code="missing-requirement", hint=HINT) from error


def require(program: str, *, container: str | None, codec: str | None) -> None:
    """Check that this ffmpeg writes a container and has an encoder.

    Raises
    ------
    UsageError
        It does not.
    """
    if container is not None and not _help(program, f"muxer={container}").startswith("Muxer "):
        raise UsageError(
            f"this ffmpeg does not write the format {container!r}",
            code="missing-requirement",
            remedies=(RunCommand((program, "-muxers"), "which lists the formats that it writes"),),
        )
    if codec is not None and not _help(program, f"encoder={codec}").startswith("Encoder "):
        raise UsageError(
            f"this ffmpeg has no encoder {codec!r}",
            code="missing-requirement",
            remedies=(RunCommand((program, "-encoders"), "which lists the encoders that it has"),),
        )


def limits(program: str, codec: str) -> tuple[tuple[int, ...] | None, int | None]:
    """Return the sample rates (ascending) and the largest number of channels of an encoder; None if it lists none.

    ffmpeg does not refuse others: it resamples and mixes without a warning.
    """
    said = _help(program, f"encoder={codec}")
    rates = re.search(r"Supported sample rates:([\d ]+)", said)
    layouts = re.search(r"Supported channel layouts:(.*)", said)
    counts = [_channels(layout) for layout in re.findall(_LAYOUT, layouts[1])] if layouts else []
    return (
        tuple(sorted(map(int, rates[1].split()))) if rates else None,
        max(counts) if counts and all(counts) else None,
    )


def _channels(layout: str) -> int:
    """Return the number of channels of ``stereo``, ``5.1(side)`` or ``2 channels (FC+LFE)``; 0 if it is not known."""
    name = layout.partition("(")[0].removesuffix(" channels ")
    numbers = re.fullmatch(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?", name)
    return sum(int(number or 0) for number in numbers.groups()) if numbers else _LAYOUTS.get(name, 0)


@functools.cache
def _help(program: str, topic: str) -> str:
    """Return the help of ffmpeg on a topic."""
    import subprocess

    command = [program, "-hide_banner", "-h", topic]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{program} does not run: {error}", code="missing-requirement", hint=HINT) from error
    return done.stdout.decode(errors="replace").lstrip()


class FfmpegEncoding:
    """A program ffmpeg at work on one file: it reads a WAV file from a pipe, as it is made.

    ffmpeg writes the file itself, so a full or missing folder for temporary files does not matter, and nothing but the
    file is left where ffmpeg is killed.

    Parameters
    ----------
    path
        Path of the file; its suffix has no meaning.
    width
        Bytes of a sample, 2 or 4.
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels.
    container, codec
        Format and encoder, by ffmpeg's names; by default the usual encoder of the format.
    bitrate
        Bit rate in kbit/s; by default the encoder chooses.
    parameters
        Additional arguments for ffmpeg.
    tags
        Tags by name.

    Raises
    ------
    ItemError
        ffmpeg failed; the message is that of ffmpeg.
    OutputError
        The file cannot be written, because the disk is full for instance.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        sample_rate: int,
        channels: int,
        container: str,
        codec: str | None = None,
        bitrate: int | None = None,
        parameters: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        import subprocess
        import threading

        command = [find(), "-y", "-f", "wav", "-i", "pipe:0"]
        command += [] if codec is None else ["-acodec", codec]
        command += [] if bitrate is None else ["-b:a", f"{bitrate}k"]
        # Without bitexact, Matroska and Ogg get random numbers, so that the same sound would be another file each time.
        command += ["-nostdin", "-loglevel", "error", "-map_metadata", "-1", "-fflags", "+bitexact", *parameters]
        for name, value in (tags or {}).items():
            command += ["-metadata", f"{name}={value}"]
        # A path could begin like an option or a protocol.
        command += ["-f", container, f"file:{path}"]
        self._process = subprocess.Popen(  # noqa: S603
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            restore_signals=False,  # it reports a file that is too large, where a signal would end it
        )
        assert self._process.stdin is not None
        self._report = bytearray()
        self._pipe = _Pipe(self._process.stdin)
        self._reader = threading.Thread(target=_read, args=(self._process.stderr, self._report), daemon=True)
        try:
            self._reader.start()
            self._begin(width, sample_rate, channels)
        except BaseException:
            self.abort()
            raise

    def _begin(self, width: int, sample_rate: int, channels: int) -> None:
        """Write the header alone, after which ffmpeg reads samples to the end of the pipe."""
        if channels == 3:  # without a mask, ffmpeg takes the third for that of low frequencies, and codecs filter it
            subtype: wav_header.Subtype = "PCM_16" if width == 2 else "PCM_32"
            self._pipe.write(wav_header.frame(sample_rate, channels, None, subtype).start)
        else:
            header = _segments()(b"", sample_width=width, frame_rate=sample_rate, channels=channels)
            header.export(self._pipe, "wav")

    def write(self, samples: np.ndarray[Any, Any]) -> None:
        """Pass on integers (samples, channels) of the width, contiguous, at the full scale of the type."""
        self._pipe.write(samples.data.cast("B"))
        if self._pipe.broken:
            self.finish()

    def finish(self) -> None:
        """Close the pipe, and wait until ffmpeg has written the file. Nothing happens where it has ended already."""
        self._pipe.close()
        status = self._process.wait()
        self._release()
        report = self._report.decode(errors="ignore")
        for number in _FULL:
            if os.strerror(number) in report:
                error = OSError(number, os.strerror(number))
                raise OutputError(f"cannot write: {os.strerror(number).lower()}") from error
        if status:
            raise ItemError(f"ffmpeg failed: {_first_error(report, status)}", code="encoder-failed")

    def abort(self) -> None:
        """End ffmpeg, and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        self._pipe.close()
        self._release()

    def _release(self) -> None:
        if self._reader.ident is not None:
            self._reader.join()
        assert self._process.stderr is not None
        self._process.stderr.close()


def _read(file: IO[bytes], report: bytearray) -> None:
    """Read a file to its end, and keep its start."""
    while data := file.read(_REPORT):
        if len(report) < _REPORT:
            report += data


class _Pipe:
    """The standard input of a program, as pydub takes a file. What an ended program would have read is dropped.

    Parameters
    ----------
    pipe
        File to write to.

    Attributes
    ----------
    broken
        Whether the program reads no more.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self.broken = False

    def write(self, data: bytes | memoryview) -> int:
        """Write all bytes, or drop them if that has failed before."""
        rest = memoryview(data)
        while len(rest) and not self.broken:
            try:
                rest = rest[self._pipe.write(rest[:_SLICE]) :]
            except BaseException as error:
                self.broken = True
                if not isinstance(error, BrokenPipeError):
                    raise
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._pipe.close()

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""

    def seek(self, *_: int) -> None:
        """Do nothing: pydub moves to the start before it writes, and afterwards."""

    def tell(self) -> int:
        """Return 0, since a pipe has no position, and the header that pydub writes needs no correction."""
        return 0


@functools.cache
def _segments() -> Any:
    """Return pydub's AudioSegment.

    Importing pydub warns that ffmpeg is not on the PATH, which does not matter here, and of invalid escapes in its own
    source.
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
    return AudioSegment


def _first_error(report: str, status: int) -> str:
    """Return the first line of a report of ffmpeg: it names the cause, and the lines after it are consequences."""
    lines = [line.strip() for line in report.splitlines() if line.strip()]
    silent = f"it was ended by signal {-status}" if status < 0 else "no reason was given"
    return re.sub(r" @ 0x[0-9a-f]+", "", lines[0]) if lines else silent
