"""Limits of codecs and containers: one table, used by the dedicated writers and by ``ffmpeg-writer``.

A pipeline is checked against them before any data is read, and each signal again before it is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tonearm.api import Advice, InsertStep, ItemError, OptionError, Waveform


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Sample rates and numbers of channels that a format can hold.

    Parameters
    ----------
    name
        Common name of the format.
    rates
        Sample rates in Hz, ascending: a range or a list. None if there is no limit.
    channels
        Largest number of channels; None if it is not known.
    """

    name: str
    rates: Sequence[int] | None = None
    channels: int | None = None

    def problem(self, sample_rate: int | None, channels: int | None) -> OptionError | None:
        """Return the error for what does not fit; None if everything that is known fits."""
        if sample_rate is not None and self.rates is not None and sample_rate not in self.rates:
            # Nothing is lost at the next rate up; beyond the last one, it is the last.
            best = next((rate for rate in self.rates if rate > sample_rate), self.rates[-1])
            return OptionError(
                f"{self.name} cannot have a sample rate of {sample_rate} Hz",
                code="unsupported-rate",
                remedies=(InsertStep("resample", {"sample_rate": best}),),
            )
        if channels is not None and self.channels is not None and channels > self.channels:
            others = Advice("wav-writer takes any number of channels, flac-writer up to 8")
            return OptionError(
                f"{self.name} cannot have {channels} channels, only up to {self.channels}",
                code="too-many-channels",
                remedies=(InsertStep("mix"), others),
            )
        return None

    def check(self, sample_rate: int | None, channels: int | None) -> None:
        """Raise `OptionError` if what is known beforehand does not fit."""
        problem = self.problem(sample_rate, channels)
        if problem:
            raise problem

    def check_signal(self, signal: Waveform) -> None:
        """Raise `ItemError` if a signal does not fit."""
        problem = self.problem(signal.sample_rate, signal.channels)
        if problem:
            raise as_item_error(problem)


def as_item_error(problem: OptionError) -> ItemError:
    """Return the error of one item that says the same as the error of a pipeline."""
    return ItemError(problem.message, code=problem.code, remedies=problem.remedies)


_MPEG_RATES = (16000, 22050, 24000, 32000, 44100, 48000)  # MPEG-1 from 32 kHz on, MPEG-2 below
_AAC_RATES = (7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)

MP2 = Limits(name="MP2", rates=_MPEG_RATES, channels=2)
MP3 = Limits(name="MP3", rates=(8000, 11025, 12000, *_MPEG_RATES), channels=2)
OPUS = Limits(name="Opus", rates=(8000, 12000, 16000, 24000, 48000), channels=8)
OPUS_RESAMPLED = replace(OPUS, rates=None)
VORBIS = Limits(name="Vorbis", rates=range(8000, 192_001), channels=8)
AAC = Limits(name="AAC", rates=_AAC_RATES, channels=8)
AAC_IN_M4A = replace(AAC, channels=6)
ALAC = Limits(name="M4A", rates=range(1, 384_001), channels=6)
AC3 = Limits(name="AC-3", rates=(32000, 44100, 48000), channels=6)
EAC3 = replace(AC3, name="E-AC-3")
WMA = Limits(name="WMA", rates=range(8000, 48_001), channels=2)
AIFF = Limits(name="AIFF", channels=1024)  # libsndfile's
RAW = Limits(name="libsndfile", channels=1024)

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

AIFF_BYTES = 0xFFFFFFFF - (1 << 20)
"""Largest size of the samples in an AIFF file, in bytes; the rest of its 4 GB is for other chunks."""

RIFF_BYTES = 0xFFFFFFFF
"""Largest size that the header of a RIFF file can give, in bytes; RF64 has no limit."""

ALAC_FRAME = 4096
"""Samples of each channel in a frame of ALAC."""

ALAC_SHORTEST = 3
"""Shortest last frame of more than two channels, in samples; a shorter one makes ffmpeg's encoder end the process."""

OPUS_BITRATES = (6, 256)
"""Lowest and highest bit rate of Opus for each channel in kbit/s, as libsndfile has them."""

_FLAC = Limits(name="FLAC", rates=range(1, 65_536), channels=8)
_FLAC_ABOVE = replace(_FLAC, rates=range(65_540, 655_351, 10))


def flac(sample_rate: int | None) -> Limits:
    """Return the limits of FLAC: the header of a frame gives rates above 65,535 Hz in tens of Hz."""
    return _FLAC if sample_rate is None or sample_rate < 65_536 else _FLAC_ABOVE


def aac_bitrate(sample_rate: int, channels: int) -> int:
    """Return the highest bit rate of AAC in kbit/s: 6144 bits a channel in 1024 samples (ISO/IEC 14496-3)."""
    return 6144 * sample_rate * channels // 1024 // 1000


MPEG1_BITRATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MPEG2_BITRATES = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_LOW_BITRATES = tuple(rate for rate in MPEG2_BITRATES if rate <= 64)


def mp3_bitrates(sample_rate: int) -> tuple[int, ...]:
    """Return the bit rates of MP3 in kbit/s, ascending; LAME has no more than 64 below 16 kHz."""
    if sample_rate >= 32000:
        return MPEG1_BITRATES
    return MPEG2_BITRATES if sample_rate >= 16000 else _LOW_BITRATES
