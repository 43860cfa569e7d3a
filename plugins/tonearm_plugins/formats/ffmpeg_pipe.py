"""Decoding by ffmpeg as a program: it gets one file by its descriptor, and gives samples through a pipe."""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tonearm.api import InstallExtra, ItemError, Source, UsageError, path_of
from tonearm_plugins.formats import ffmpeg
from tonearm_plugins.formats.ffmpeg_formats import whitelist

_HEADER = 24  # bytes of the header of AU, before its notes
_BLOCK = 1 << 20  # bytes read at a time, about
_NOTES = 1 << 16  # bytes kept of what ffmpeg reports

_STREAM = re.compile(r"Audio: (?P<codec>\w+).*?, \d+ Hz, .*?, (?P<format>u8|s16|s32|s64|flt|dbl)p?\b")
_DURATION = re.compile(r"Duration: (\d+):(\d+):(\d+\.\d+)")
_METADATA = re.compile(r"\[info\] +(?P<name>[A-Za-z_]\w*) *: (?P<value>.*)")
_NO_STREAM = "does not contain any stream"
_ERROR = re.compile(r"^(?:\[[^\]]*\] )?\[(?:error|fatal|panic)\] (?P<text>.*)", re.MULTILINE)


@dataclass(frozen=True)
class Report:
    """What ffmpeg reports on its input.

    Parameters
    ----------
    codec, sample_format
        Names of the codec and of the format of its samples; empty if it names none.
    seconds
        Length in seconds that the file claims; 0 if it claims none.
    metadata
        Metadata by ffmpeg's names.
    """

    codec: str
    sample_format: str
    seconds: float
    metadata: dict[str, str]


class Decoding:
    """One file that ffmpeg decodes, for use in a ``with`` block.

    Parameters
    ----------
    file
        Open file. One in memory is copied into a file with a descriptor.
    demuxer, what
        Demuxer, and name of the format with its article.
    timeout
        Seconds after which ffmpeg is ended.

    Attributes
    ----------
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels.

    Raises
    ------
    ItemError
        ffmpeg is not installed, or cannot read the file.
    """

    def __init__(self, file: BinaryIO, demuxer: str, what: str, *, timeout: float) -> None:
        self._file, self._demuxer, self._what, self._timeout = file, demuxer, what, timeout
        self._notes = bytearray()
        self._is_late = False
        self.sample_rate = self.channels = 0

    def __enter__(self) -> Decoding:
        """Start ffmpeg, and read the header of what it gives."""
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._read_header()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End ffmpeg."""
        self._stack.close()

    def _start(self, stack: contextlib.ExitStack) -> None:
        import subprocess
        import threading

        try:
            program = ffmpeg.find()
        except UsageError as error:
            raise ItemError(
                f"it is {self._what}, which PyAV and ffmpeg read, and neither is installed",
                code="missing-requirement",
                remedies=(InstallExtra("m4a"),),
            ) from error
        file = self._file
        if path_of(file) is None:
            file.seek(0)
            file = stack.enter_context(Source(name="a", file=file).open(descriptor=True))
        handle = file.fileno()
        command = [program, "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info"]
        command += ["-protocol_whitelist", "file", "-format_whitelist", whitelist(self._demuxer)]
        command += ["-err_detect", "crccheck", "-f", self._demuxer, "-i", f"file:/dev/fd/{handle}"]
        command += ["-vn", "-sn", "-dn", "-map_metadata", "-1", "-c:a", "pcm_f64be", "-f", "au", "pipe:1"]
        self._process = process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=(handle,)
        )
        assert process.stdout is not None
        assert process.stderr is not None
        self._samples = process.stdout
        self._reader = threading.Thread(target=self._read_notes, args=(process.stderr,), daemon=True)
        timer = threading.Timer(self._timeout, self._stop)
        stack.callback(process.stderr.close)
        stack.callback(process.stdout.close)
        stack.callback(self._reader.join)
        stack.callback(process.wait)
        stack.callback(process.kill)
        stack.callback(timer.cancel)
        self._reader.start()
        timer.start()

    def _read_notes(self, pipe: BinaryIO) -> None:
        """Read what ffmpeg reports to its end, and keep the start."""
        while data := pipe.read(1 << 12):
            if len(self._notes) < _NOTES:
                self._notes += data

    def _stop(self) -> None:
        self._is_late = True
        self._process.kill()

    def _read_header(self) -> None:
        header = self._samples.read(_HEADER)
        if len(header) < _HEADER:
            self._finish()
            if _NO_STREAM in self._told():
                raise ItemError(f"it has no sound: it is {self._what}", code="empty", hint="choose a file with sound")
            raise self._error("ffmpeg gives no sound")
        _, start, _, _, self.sample_rate, self.channels = struct.unpack(">4s5I", header)
        self._samples.read(start - _HEADER)

    def blocks(self) -> Iterator[bytes]:
        """Yield the samples, interleaved big-endian float64, in blocks of whole frames.

        Raises
        ------
        ItemError
            ffmpeg could not decode all of the file.
        """
        frame = 8 * self.channels
        while block := self._samples.read(max(1, _BLOCK // frame) * frame):
            yield block[: len(block) // frame * frame]
        self._finish()
        if self._process.returncode or _ERROR.search(self._told()):
            raise self._error("it is damaged")

    def _finish(self) -> None:
        self._process.wait()
        self._reader.join()

    def _told(self) -> str:
        return self._notes.decode(errors="replace")

    def _error(self, reason: str) -> ItemError:
        if self._is_late:
            return ItemError("decoding it takes far longer than its size explains", code="too-long")
        found = _ERROR.search(self._told())
        text = re.sub(r" @ 0x[0-9a-f]+|file:/dev/fd/\d+:? ?", "", found["text"])[:200] if found else reason
        return ItemError(
            f"it begins as {self._what}, but cannot be read: {text.strip() or reason}",
            code="bad-audio",
            hint="it is damaged, or a variant that this ffmpeg does not know",
        )

    def report(self) -> Report:
        """Return what ffmpeg reported; complete when all blocks are read."""
        told = self._told().partition("Output #0")[0]
        stream, duration = _STREAM.search(told), _DURATION.search(told)
        seconds = (
            sum(float(part) * unit for part, unit in zip(duration.groups(), (3600, 60, 1), strict=True))
            if duration
            else 0
        )
        metadata = {found["name"]: found["value"] for found in _METADATA.finditer(told)}
        return Report(stream["codec"] if stream else "", stream["format"] if stream else "flt", seconds, metadata)
