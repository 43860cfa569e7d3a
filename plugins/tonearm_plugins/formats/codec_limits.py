"""Limits of codecs and containers: one table, used by the dedicated writers and by ``ffmpeg-writer``.

A pipeline is checked against them before any data is read, and each signal again before it is written.
"""

from __future__ import annotations

from collections.abc import Mapping

from tonearm.api import Limits

_MORE_CHANNELS = {"too-many-channels": "wav-writer takes any number of channels, flac-writer up to 8"}
_MPEG_RATES = (16000, 22050, 24000, 32000, 44100, 48000)  # MPEG-1 from 32 kHz on, MPEG-2 below
_AAC_RATES = (7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)

MP2 = Limits(name="MP2", rates=_MPEG_RATES, channels=2, advice=_MORE_CHANNELS)
MP3 = Limits(name="MP3", rates=(8000, 11025, 12000, *_MPEG_RATES), channels=2, advice=_MORE_CHANNELS)
OPUS = Limits(name="Opus", rates=(8000, 12000, 16000, 24000, 48000), channels=8, advice=_MORE_CHANNELS)
OPUS_RESAMPLED = OPUS.replace(rates=())
VORBIS = Limits(name="Vorbis", rates=(range(8000, 192_001),), channels=8, advice=_MORE_CHANNELS)
AAC = Limits(name="AAC", rates=_AAC_RATES, channels=8, advice=_MORE_CHANNELS)
AAC_OF_PYAV = AAC.replace(channels=6)
ALAC = Limits(name="M4A", rates=(range(1, 384_001),), channels=6, advice=_MORE_CHANNELS)
AC3 = Limits(name="AC-3", rates=(32000, 44100, 48000), channels=6, advice=_MORE_CHANNELS)
EAC3 = AC3.replace(name="E-AC-3")
WMA = Limits(name="WMA", rates=(range(8000, 48_001),), channels=2, advice=_MORE_CHANNELS)

OF_FFMPEG: Mapping[str, Limits] = {
    "aac": AAC,
    "ac3": AC3,
    "eac3": EAC3,
    "libmp3lame": MP3,
    "libopus": OPUS,
    "libvorbis": VORBIS,
    "mp2": MP2,
    "wmav2": WMA,
}
"""Limits by ffmpeg's name of the encoder. ffmpeg itself would resample or mix down without a warning."""

_AIFF_BYTES = 0xFFFFFFFF - (1 << 20)  # the rest of its 4 GB is for other chunks
AIFF = Limits(
    name="AIFF",
    channels=1024,  # libsndfile's
    size=_AIFF_BYTES,
    advice={**_MORE_CHANNELS, "too-long": "use wav-writer, which continues as RF64"},
)

AAC_FRAME = 1024
"""Samples of each channel in a frame of AAC."""

OPUS_BITRATES = (6, 256)
"""Lowest and highest bit rate of Opus for each channel in kbit/s, as libsndfile has them."""

# The header of a frame gives rates above 65,535 Hz in tens of Hz.
FLAC = Limits(name="FLAC", rates=(range(1, 65_536), range(65_540, 655_351, 10)), channels=8, advice=_MORE_CHANNELS)


def aac_bitrate(sample_rate: int, channels: int) -> int:
    """Return the highest bit rate of AAC in kbit/s: 6144 bits a channel in 1024 samples (ISO/IEC 14496-3)."""
    return 6144 * sample_rate * channels // 1024 // 1000


def nearest_aac_bitrate(wanted: int | None, sample_rate: int, channels: int) -> int:
    """Return the bit rate of AAC in kbit/s that is nearest to the wanted one, by default 96 for each channel."""
    return min(wanted or 96 * channels, aac_bitrate(sample_rate, channels))


MPEG1_BITRATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MPEG2_BITRATES = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_LOW_BITRATES = tuple(rate for rate in MPEG2_BITRATES if rate <= 64)


def mp3_bitrates(sample_rate: int) -> tuple[int, ...]:
    """Return the bit rates of MP3 in kbit/s, ascending; LAME has no more than 64 below 16 kHz."""
    if sample_rate >= 32000:
        return MPEG1_BITRATES
    return MPEG2_BITRATES if sample_rate >= 16000 else _LOW_BITRATES
