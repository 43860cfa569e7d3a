"""LAME, called directly, through lameenc or through libsndfile: each gives the frames of a sound as they are made.

lameenc's own class takes 16 bits alone. But its module has LAME's functions in C, which take floats, so these are
called where the module exports them, as on Linux. All share two things:

- LAME's settings for constant and average bit rates turn the sound down by up to 0.45 dB. The samples are turned up
  before, as floats, so that nothing clips.
- The frame of information, which has the exact length, is none of LAME's: see `mpeg_audio`.
"""

from __future__ import annotations

import ctypes
import functools
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, quantize
from tonearm_plugins.formats.codec_limits import mp3_bitrates
from tonearm_plugins.formats.mpeg_audio import Frames, Mode, holds_info

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

_QUALITY = 3  # of LAME's search: the default of LAME, ffmpeg and libsndfile, but not of lameenc
_VBR_MODES = {"abr": 3, "vbr": 4}  # LAME's numbers; 4 is the newer of two for VBR
_MONO = 3
_PIECE = 1 << 16  # samples of each channel that are encoded at once
_PRESETS = ((224, 0.98), (192, 0.97))  # by bit rate; 1 above, and 0.95 below: LAME's abr_switch_map


@dataclass(frozen=True)
class Rates:
    """Bit rate of a file.

    Parameters
    ----------
    mode
        Whether it is constant, average or variable.
    bitrate
        Bit rate in kbit/s, one that MP3 has at the sample rate; 0 for a variable one.
    quality
        Quality of a variable one, 0 to 9.
    """

    mode: Mode
    bitrate: int = 0
    quality: int = 0

    @property
    def gain(self) -> float:
        """Factor that brings the sound back to the level from which LAME's settings turn it down."""
        if self.mode == "vbr" or self.bitrate >= 256:
            return 1.0
        return 1 / next((scale for bitrate, scale in _PRESETS if self.bitrate >= bitrate), 0.95)


class Stream(ABC):
    """An encoder at work on one sound.

    Parameters
    ----------
    sample_rate
        Sample rate in Hz, one that MP3 has.
    channels
        Number of channels, 1 or 2.
    rates
        Bit rate.
    """

    @abstractmethod
    def __init__(self, sample_rate: int, channels: int, rates: Rates) -> None: ...

    @abstractmethod
    def encode(self, block: Array) -> bytes:
        """Return what is ready of the stream after a block (channels, samples) of floats within ±1."""

    @abstractmethod
    def flush(self) -> bytes:
        """Return the end of the stream, and release the encoder."""

    def close(self) -> None:  # noqa: B027 - nothing is held where Python releases it
        """Release the encoder."""


class LameFloats(Stream):
    """LAME itself, by its functions in the module of lameenc."""

    def __init__(self, sample_rate: int, channels: int, rates: Rates) -> None:
        self._library = library = _library()
        self._gain = rates.gain
        self._flags = library.lame_init()
        set_number = {"lame_set_in_samplerate": sample_rate, "lame_set_out_samplerate": sample_rate}
        set_number |= {"lame_set_num_channels": channels, "lame_set_quality": _QUALITY, "lame_set_bWriteVbrTag": 0}
        if channels == 1:
            set_number["lame_set_mode"] = _MONO
        if rates.mode == "cbr":
            set_number["lame_set_brate"] = rates.bitrate
        else:
            set_number["lame_set_VBR"] = _VBR_MODES[rates.mode]
        if rates.mode == "abr":
            set_number["lame_set_VBR_mean_bitrate_kbps"] = rates.bitrate
        if rates.mode == "vbr":
            set_number["lame_set_VBR_q"] = rates.quality
        for name in ("lame_set_errorf", "lame_set_debugf", "lame_set_msgf"):  # nothing on stderr
            _function(library, name, ctypes.c_void_p, ctypes.c_void_p)(self._flags, None)
        for name, value in set_number.items():
            _function(library, name, ctypes.c_void_p, ctypes.c_int)(self._flags, value)
        _function(library, "lame_set_scale", ctypes.c_void_p, ctypes.c_float)(self._flags, self._gain)
        if _function(library, "lame_init_params", ctypes.c_void_p)(self._flags) < 0:
            self.close()
            raise improper("it refuses the settings")

    def encode(self, block: Array) -> bytes:
        """Return what is ready of the stream after a block."""
        import numpy as np

        encode = _function(
            self._library,
            "lame_encode_buffer_ieee_float",
            *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_int),
        )
        made = []
        for start in range(0, block.shape[1], _PIECE):
            piece = block[:, start : start + _PIECE]
            left = np.ascontiguousarray(piece[0], "f4")
            right = left if len(piece) == 1 else np.ascontiguousarray(piece[1], "f4")
            buffer = ctypes.create_string_buffer(len(left) * 5 // 4 + 7200)  # as lame.h says
            size = encode(self._flags, left.ctypes.data, right.ctypes.data, len(left), buffer, len(buffer))
            made.append(_taken(buffer, size))
        return b"".join(made)

    def flush(self) -> bytes:
        """Return the end of the stream, and release the encoder."""
        buffer = ctypes.create_string_buffer(7200)
        flush = _function(self._library, "lame_encode_flush", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
        made = _taken(buffer, flush(self._flags, buffer, len(buffer)))
        self.close()
        return made

    def close(self) -> None:
        """Release the encoder."""
        flags, self._flags = self._flags, None
        if flags is not None:
            _function(self._library, "lame_close", ctypes.c_void_p)(flags)

    def __del__(self) -> None:
        if getattr(self, "_flags", None) is not None:
            self.close()


class LameIntegers(Stream):
    """The class of lameenc, which takes 16 bits: what the gain brings beyond full scale clips."""

    def __init__(self, sample_rate: int, channels: int, rates: Rates) -> None:
        import lameenc

        self._gain = rates.gain
        self._encoder = encoder = lameenc.Encoder()
        encoder.silence()
        encoder.set_channels(channels)
        encoder.set_in_sample_rate(sample_rate)
        encoder.set_out_sample_rate(sample_rate)  # by default it resamples for low bit rates
        encoder.set_quality(_QUALITY)
        if rates.mode == "cbr":
            encoder.set_bit_rate(rates.bitrate)
        else:
            encoder.set_vbr(_VBR_MODES[rates.mode])
        if rates.mode == "abr":
            encoder.set_vbr_mean_bitrate_kbps(rates.bitrate)
        if rates.mode == "vbr":
            encoder.set_vbr_quality(rates.quality)

    def encode(self, block: Array) -> bytes:
        """Return what is ready of the stream after a block."""
        values, _ = quantize(block * block.dtype.type(self._gain), 16)
        return bytes(self._encoder.encode(values.T.astype("<i2").tobytes()))

    def flush(self) -> bytes:
        """Return the end of the stream."""
        return bytes(self._encoder.flush())


class LameBySndfile(Stream):
    """LAME within libsndfile, whose own frame of information is left out."""

    def __init__(self, sample_rate: int, channels: int, rates: Rates) -> None:
        from tonearm_plugins.formats.sndfile_writing import SndfileWriter

        self._gain = rates.gain
        self._taken = _Appended()
        choices = mp3_bitrates(sample_rate)
        # libsndfile spreads 0 to 1 evenly over the bit rates, the highest first, and refuses exactly 1.
        level = min((choices[-1] - rates.bitrate) / (choices[-1] - choices[0]), 0.999)
        self._writer = SndfileWriter(
            self._taken,
            sample_rate=sample_rate,
            channels=channels,
            container="MP3",
            subtype="MPEG_LAYER_III",
            compression_level=rates.quality / 10 if rates.mode == "vbr" else level,
            bitrate_mode={"cbr": "CONSTANT", "abr": "AVERAGE", "vbr": "VARIABLE"}[rates.mode],
        )
        # LAME leaves a frame of zeros for its own information at the start, which it fills in at the end. It does so
        # wherever the frame is large enough.
        begins_with_info = rates.mode != "cbr" or holds_info(rates.bitrate, sample_rate, channels)
        self._skipping = Frames() if begins_with_info else None

    def encode(self, block: Array) -> bytes:
        """Return what is ready of the stream after a block."""
        import numpy as np

        self._writer.write(np.ascontiguousarray((block * block.dtype.type(self._gain)).T))
        return self._without_info()

    def flush(self) -> bytes:
        """Return the end of the stream."""
        self._writer.finish()
        return self._without_info()

    def close(self) -> None:
        """Release the encoder."""
        self._writer.abort()

    def _without_info(self) -> bytes:
        """Return what libsndfile has written since, without the frame of information."""
        data = self._taken.take()
        if self._skipping is None:
            return data
        whole = self._skipping.push(data)
        if not self._skipping.sizes:
            return b""
        rest = whole[self._skipping.sizes[0] :] + self._skipping.rest
        self._skipping = None
        return rest


class _Appended:
    """An open file that keeps what is appended until it is taken, and forgets what is written elsewhere."""

    def __init__(self) -> None:
        self._new = bytearray()
        self._at = self._end = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def write(self, data: memoryview, /) -> int:
        if self._at == self._end:
            self._new += data
            self._end += len(data)
        self._at += len(data)
        return len(data)

    def take(self) -> bytes:
        new, self._new = bytes(self._new), bytearray()
        return new

    def close(self) -> None:
        """Do nothing."""


def stream_class(engine: str) -> type[Stream]:
    """Return the encoder of an engine: ``lameenc`` or ``soundfile``, or for ``auto`` the best that is installed."""
    if engine == "soundfile":
        return LameBySndfile
    if exports_lame():
        return LameFloats
    return LameIntegers if engine == "lameenc" else LameBySndfile


def exports_lame() -> bool:
    """Return whether lameenc is installed, and its module has LAME's functions."""
    try:
        library = _library()
    except (ImportError, OSError):
        return False
    return all(hasattr(library, name) for name in ("lame_init", "lame_set_scale", "lame_encode_buffer_ieee_float"))


@functools.cache
def _library() -> Any:
    import lameenc

    library = ctypes.CDLL(lameenc.__file__)  # noqa: TID251 - of LAME, not of the system
    if hasattr(library, "lame_init"):
        library.lame_init.restype = ctypes.c_void_p
    return library


def _function(library: Any, name: str, *types: Any) -> Any:
    """Return a function of LAME, whose arguments have been declared."""
    function = getattr(library, name)
    if not function.argtypes:
        function.argtypes = types
    return function


def _taken(buffer: Any, size: int) -> bytes:
    """Return what LAME wrote into a buffer."""
    if size < 0:
        raise improper(f"it reports error {size}")
    return bytes(memoryview(buffer)[:size])


def corrected(content: bytes, *, length: int, rates: Rates) -> bytes:
    """Return an MP3 file that ffmpeg made with LAME, with the right length in its first frame.

    ffmpeg miscounts the padding at the end if LAME needs less than a whole frame for it.

    Raises
    ------
    ItemError
        The file does not begin with a frame of information, or has another length.
    """
    frames = Frames()
    try:
        frames.push(content)
        first = frames.first
        if first is None or content[4 + first.side : 8 + first.side] not in (b"Xing", b"Info"):
            raise ValueError("it does not start with a frame of information")
        music = Frames()
        whole = music.push(content[first.size :])
        return music.info(length, rates.mode, bitrate=rates.bitrate, quality=rates.quality) + whole
    except ValueError as error:
        raise improper(str(error)) from error


def improper(why: str) -> ItemError:
    """Return the error for what LAME should not have made."""
    return ItemError(f"LAME made an invalid MP3 file: {why}", code="encoder-failed", hint="report it, with the sound")
