"""AAC and ALAC through PyAV, which includes the libraries of ffmpeg: blocks go in, and a file or a pipe comes out."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, OutputError, Recut
from tonearm_plugins.formats.alac import SHORTEST, verbatim_frame

if TYPE_CHECKING:
    from tonearm_plugins.dsp.linear_prediction import Ending
    from tonearm_plugins.dsp.typing import Array

# ffmpeg's names of the layouts that both codecs have, with channels in WAV's order.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1"}
_DISK = (errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
_FRAGMENT = 0.15  # longest duration of a fragment in seconds, unless one frame is longer


class PyavEncoding:
    """One sound on its way through an encoder of ffmpeg into a container.

    The encoder gets frames of its own size, however the sound is cut. A lossy one transforms windows that overlap and
    looks ahead, so what stands behind the end changes what comes before it: silence there would be heard as a click.
    So the sound is continued beyond its end, and the packets that have nothing else are left out.

    Parameters
    ----------
    target
        Path of the file, or function that takes the bytes as they come.
    container, codec
        Container and encoder, by ffmpeg's names.
    sample_rate
        Sample rate in Hz, one that the codec has.
    channels
        Number of channels, 1 to 6.
    bits
        Bits of a sample, 16 or 24; None for floats.
    bitrate
        Bit rate in kbit/s; None for a lossless codec.
    options
        Options of the container.

    Raises
    ------
    OutputError
        The file cannot be written, because the disk is full for instance.
    ItemError
        The encoder refused the sound.
    """

    def __init__(
        self,
        target: Path | Callable[[bytes], object],
        container: str,
        codec: str,
        *,
        sample_rate: int,
        channels: int,
        bits: int | None = None,
        bitrate: int | None = None,
        options: Mapping[str, str],
    ) -> None:
        import av

        from tonearm_plugins.dsp.linear_prediction import Ending

        self._codec, self._sample_rate, self._channels, self._bits = codec, sample_rate, channels, bits
        self._format = {16: "s16p", 24: "s32p"}.get(bits or 0, "fltp")
        self._done = 0
        self._end: int | None = None
        self._ending = Ending(channels, sample_rate) if bits is None else None
        self._pipe = None if isinstance(target, Path) else _Pipe(target)
        self._container: Any = None
        layout: Any = _LAYOUTS[channels]
        try:
            with self._errors():
                # PyAV takes a file by its methods alone, of which a pipe has one.
                file: Any = self._pipe or str(target)
                self._container = av.open(file, "w", format=container, options=dict(options))
                self._stream = self._container.add_stream(codec, rate=sample_rate, layout=layout)
                coder = self._stream.codec_context
                coder.format = self._format
                if bitrate is not None:
                    coder.bit_rate = bitrate * 1000
                coder.open()
                self._frames = Recut(coder.frame_size)
        except BaseException:
            self.abort()
            raise

    def write(self, block: Array) -> None:
        """Encode a block (channels, samples): float32, or int16 for 16 bits, int32 for 24, at the type's full scale."""
        with self._errors():
            if self._ending is not None:
                self._ending.push(block)
            for frame in self._frames.push(block):
                self._encode(frame)

    def finish(self) -> None:
        """Encode what is left, and write the end of the container."""
        rest = self._frames.rest()
        with self._errors():
            if self._ending is not None:
                self._continue(self._ending, rest)
                rest = None
            by_hand = rest is not None and self._bits and self._channels > 2 and rest.shape[-1] < SHORTEST
            if rest is not None and not by_hand:
                self._encode(rest)
            self._container.start_encoding()  # if nothing has come before
            self._mux(self._stream.encode(None))
            if rest is not None and by_hand:
                self._container.mux(self._packet(verbatim_frame(rest, self._bits or 0), rest.shape[-1]))
            self._container.close()

    def abort(self) -> None:
        """Close the container; what it still writes into a pipe is dropped."""
        import av

        if self._pipe is not None:
            self._pipe.take = _drop
        if self._container is not None:
            with contextlib.suppress(av.FFmpegError):
                self._container.close()

    def _encode(self, samples: Array) -> None:
        import av
        import numpy as np

        layout: Any = _LAYOUTS[self._channels]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format=self._format, layout=layout)
        frame.sample_rate, frame.pts = self._sample_rate, self._done
        self._done += samples.shape[-1]
        self._mux(self._stream.encode(frame))

    def _continue(self, ending: Ending, rest: Array | None) -> None:
        """Encode what is left, and how it would go on for as long as the encoder looks ahead."""
        import numpy as np

        waiting = 0 if rest is None else rest.shape[-1]
        self._end = self._done + waiting
        if not self._end:
            return
        size = self._stream.codec_context.frame_size
        more = ending.continuation(-waiting % size + size).astype("f4")
        for frame in self._frames.push(more if rest is None else np.concatenate((rest, more), axis=-1)):
            self._encode(frame)

    def _mux(self, packets: Any) -> None:
        """Write packets; the last one ends where the sound does."""
        for packet in packets:
            if self._end is not None:
                if packet.pts >= self._end:
                    continue
                packet.duration = min(packet.duration, self._end - packet.pts)
            self._container.mux(packet)

    def _packet(self, content: bytes, length: int) -> Any:
        """Return a packet of ours, of a number of samples, which follows all others."""
        from fractions import Fraction

        import av

        packet = av.Packet(content)
        packet.stream, packet.time_base = self._stream, Fraction(1, self._sample_rate)
        packet.pts = packet.dts = self._done
        packet.duration = length
        packet.is_keyframe = True
        return packet

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise the errors of PyAV as ours, and those of the pipe as they are."""
        import av

        try:
            yield
        except av.FFmpegError as error:
            if self._pipe is None or self._pipe.error is None:
                raise self._translated(error) from error
        if self._pipe is not None and self._pipe.error is not None:
            raise self._pipe.error

    def _translated(self, error: Any) -> OutputError | ItemError:
        if isinstance(error, OSError) and error.errno in _DISK:
            return OutputError(f"cannot write: {(error.strerror or str(error)).lower()}")
        return ItemError(f"cannot write {self._codec}: {error.strerror or error}", code="encoder-refused")


class _Pipe:
    """A file that passes on what PyAV writes, and keeps the error of the one who takes it: PyAV would change it."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self.take = take
        self.error: BaseException | None = None

    def write(self, content: bytes) -> int:
        """Pass the bytes on; drop them after an error."""
        if self.error is None:
            try:
                self.take(content)
            except BaseException as error:  # raised again, outside the library
                self.error = error
        return len(content)


def _drop(_: bytes) -> None:
    """Take bytes that nobody wants."""


def file_options(sample_rate: int) -> dict[str, str]:
    """Return the options of MP4 for a file.

    The default time scale, milliseconds, is too coarse for the exact start and length.
    """
    return {"movie_timescale": str(sample_rate), "movflags": "+faststart"}


def fragment_options(sample_rate: int, frame: int) -> dict[str, str]:
    """Return the options of MP4 for a pipe: fragments, which players can read as they come.

    Parameters
    ----------
    sample_rate
        Sample rate in Hz.
    frame
        Samples of each channel in a frame of the codec.
    """
    # ffmpeg ends a fragment with the first frame that begins so many microseconds after its start.
    duration = max(1, round((_FRAGMENT - frame / sample_rate) * 1e6))
    return {
        "movie_timescale": str(sample_rate),
        # The table of contents waits for the first frames, which tell how many samples the edit list skips.
        "movflags": "+delay_moov+default_base_moof+skip_trailer",
        "frag_duration": str(duration),
        "flush_packets": "1",
    }
