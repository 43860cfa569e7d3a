"""LAME, called by its C functions, which the compiled module of lameenc exports on Linux and macOS.

lameenc's own class takes 16 bits and has no scale. LAME itself takes floats, so that nothing is rounded before it, and
a scale that takes back the gain of its presets.
"""

from __future__ import annotations

import ctypes
import functools
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tonearm.api import ItemError, SetOption

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array
    from tonearm_plugins.formats.mpeg_audio import Mode

_QUALITY = 3  # of LAME's search: the default of LAME, ffmpeg and libsndfile
_MODES = {"cbr": 0, "abr": 3, "vbr": 4}  # LAME's numbers of its modes; 4 is the newer of two for VBR
_FULL_SCALE = 32768 / 32767  # LAME takes 1.0 for 32,767, and decoders take 32,768 for 1.0
_STEP = 1 << 15  # samples that one call encodes, in a few milliseconds: an interrupt waits no longer


class Rate(Struct, frozen=True):
    """Bit rate of an MP3 file.

    Parameters
    ----------
    mode
        Constant, average or variable.
    bitrate
        Bit rate in kbit/s, constant or average.
    quality
        Quality of a variable bit rate, 0 to 9.
    """

    mode: Mode
    bitrate: int = 0
    quality: int = 0

    @property
    def preset_gain(self) -> float:
        """Factor by which LAME's presets turn the sound down, which the scale of LAME does not show beforehand.

        It is there against clipping, and the same in every mode but VBR.
        """
        if self.mode == "vbr" or self.bitrate > 224:
            return 1.0
        return {224: 0.98, 192: 0.97}.get(self.bitrate, 0.95)


@functools.cache
def library() -> Any:
    """Return LAME's functions; None if lameenc is not installed, or does not export them."""
    from importlib.util import find_spec

    spec = find_spec("lameenc")
    if spec is None or spec.origin is None:
        return None
    try:
        return _declared(ctypes.CDLL(spec.origin))  # noqa: TID251 - no call of POSIX: it is LAME in a module
    except (OSError, AttributeError):
        return None


def _declared(lame: Any) -> Any:
    """Declare the types of LAME's functions; raise `AttributeError` if one is not exported."""
    handle, floats = ctypes.c_void_p, ctypes.c_void_p
    lame.lame_init.restype = handle
    lame.lame_get_scale.restype = ctypes.c_float
    lame.lame_get_scale.argtypes = (handle,)
    lame.lame_set_scale.argtypes = (handle, ctypes.c_float)
    for name in (*_SETTINGS, "VBR", "VBR_q", "VBR_mean_bitrate_kbps", "brate"):
        getattr(lame, f"lame_set_{name}").argtypes = (handle, ctypes.c_int)
    for name in ("errorf", "debugf", "msgf"):
        getattr(lame, f"lame_set_{name}").argtypes = (handle, ctypes.c_void_p)
    for name in ("init_params", "close"):
        getattr(lame, f"lame_{name}").argtypes = (handle,)
    lame.lame_encode_buffer_ieee_float.argtypes = (handle, floats, floats, ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
    lame.lame_encode_flush.argtypes = (handle, ctypes.c_char_p, ctypes.c_int)
    return lame


_SETTINGS = ("num_channels", "in_samplerate", "out_samplerate", "quality", "bWriteVbrTag")


class Lame:
    """LAME at work on one sound. Its memory is freed by `close`, or with the object.

    Parameters
    ----------
    rate
        Bit rate that MP3 has at the sample rate.
    sample_rate
        Sample rate in Hz, one that MP3 has.
    channels
        Number of channels, 1 or 2.

    Raises
    ------
    ItemError
        If LAME refuses the settings.
    """

    _handle: int | None = None

    def __init__(self, rate: Rate, sample_rate: int, channels: int) -> None:
        self._lame = lame = library()
        self._handle = handle = lame.lame_init()
        for name in ("errorf", "debugf", "msgf"):
            getattr(lame, f"lame_set_{name}")(handle, None)
        # The output rate is set because LAME resamples for low bit rates by default. Its own frame of information is
        # not wanted: `mpeg_audio` makes one that fits at every bit rate.
        for name, value in zip(_SETTINGS, (channels, sample_rate, sample_rate, _QUALITY, 0), strict=True):
            getattr(lame, f"lame_set_{name}")(handle, value)
        lame.lame_set_VBR(handle, _MODES[rate.mode])
        if rate.mode == "vbr":
            lame.lame_set_VBR_q(handle, rate.quality)
        elif rate.mode == "abr":
            lame.lame_set_VBR_mean_bitrate_kbps(handle, rate.bitrate)
        else:
            lame.lame_set_brate(handle, rate.bitrate)
        lame.lame_set_scale(handle, _FULL_SCALE / rate.preset_gain)
        self._check(lame.lame_init_params(handle))
        self._buffer = ctypes.create_string_buffer(_STEP * 5 // 4 + 7200)  # as LAME's documentation says

    @property
    def scale(self) -> float:
        """Factor by which LAME multiplies the sound in all."""
        scale: float = self._lame.lame_get_scale(self._handle)
        return scale

    def encode(self, block: Array) -> bytes:
        """Return what a block (channels, samples) of floats makes complete, within ±1.0."""
        import numpy as np

        made = []
        for start in range(0, block.shape[1], _STEP):
            part = block[:, start : start + _STEP]
            rows = [np.ascontiguousarray(row, np.float32) for row in part]
            count = self._lame.lame_encode_buffer_ieee_float(
                self._handle, rows[0].ctypes.data, rows[-1].ctypes.data, part.shape[1], self._buffer, len(self._buffer)
            )
            made.append(self._taken(count))
        return b"".join(made)

    def flush(self) -> bytes:
        """Return the rest, after the last block."""
        return self._taken(self._lame.lame_encode_flush(self._handle, self._buffer, len(self._buffer)))

    def close(self) -> None:
        """Free LAME's memory."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._lame.lame_close(handle)

    __del__ = close

    def _taken(self, count: int) -> bytes:
        """Return as many bytes of the buffer."""
        self._check(count)
        return ctypes.string_at(self._buffer, count)

    def _check(self, status: int) -> None:
        if status < 0:
            raise improper_mp3(f"it reports the error {status}")


def improper_mp3(why: str) -> ItemError:
    """Return the error for what LAME did wrong."""
    return ItemError(
        f"LAME made an invalid MP3 file: {why}", code="encoder-failed", remedies=(SetOption("engine", "soundfile"),)
    )
