"""Limits of codecs: those of the standards, and the nearest rate that loses nothing is the remedy."""

from __future__ import annotations

import pytest

from tonearm.api import InsertStep, Limits, OptionError, Spec, Waveform
from tonearm_plugins.formats import codec_limits
from tonearm_plugins.formats.codec_limits import AAC, AIFF, FLAC, MP3, OF_FFMPEG, OPUS, VORBIS


def spec(rate: int | None = None, channels: int | None = None, length: int | None = None) -> Spec:
    return Spec(signals=(Waveform,), sample_rate=rate, channels=channels, length=length)


@pytest.mark.parametrize(
    ("limits", "rate", "best"),
    [
        (MP3, 22051, 24000),
        (MP3, 96000, 48000),
        (MP3, 4000, 8000),
        (OPUS, 44100, 48000),
        (VORBIS, 7999, 8000),
        (VORBIS, 200_000, 192_000),
        (FLAC, 65_537, 65_540),
        (FLAC, 99_991, 100_000),
        (FLAC, 700_000, 655_350),
    ],
)
def test_the_remedy_is_the_next_rate_up_or_else_the_last(limits: Limits, rate: int, best: int) -> None:
    with pytest.raises(OptionError) as caught:
        limits.check(spec(rate))
    assert caught.value.code == "unsupported-rate"
    assert caught.value.remedies == (InsertStep("resample", {"sample_rate": best}),)
    limits.check(spec(best))


@pytest.mark.parametrize("rate", [1, 44_100, 65_535, 65_540, 655_350])
def test_rates_of_flac(rate: int) -> None:
    FLAC.check(spec(rate, 8))


def test_an_aiff_ends_at_4_gigabytes() -> None:
    limits = AIFF.replace(sample_size=4)
    limits.check(spec(48000, 2, (1 << 29) - (1 << 18)))
    with pytest.raises(OptionError, match="AIFF ends at 4 GB") as caught:
        limits.check(spec(48000, 2, 1 << 29))
    assert caught.value.code == "too-long"
    assert caught.value.hint == "use wav-writer, which continues as RF64"


@pytest.mark.parametrize("codec", ["aac", "libmp3lame", "libopus", "libvorbis", "mp2", "ac3", "wmav2"])
def test_the_table_allows_no_more_than_the_encoders_of_ffmpeg(codec: str) -> None:
    """libvorbis and WMA do not list theirs."""
    from tonearm_plugins.formats import ffmpeg

    rates, channels = ffmpeg.limits(ffmpeg.find(), codec)
    ours = OF_FFMPEG[codec]
    if rates is not None and all(isinstance(rate, int) for rate in ours.rates):
        assert set(ours.rates) <= set(rates)
    if channels is not None:
        assert isinstance(ours.channels, int)
        assert ours.channels <= max(channels, 8 if codec == "aac" else 0)


def test_aac_in_m4a_has_the_rates_of_aac() -> None:
    assert (codec_limits.AAC_IN_M4A.rates, codec_limits.AAC_IN_M4A.channels) == (AAC.rates, 6)
    assert codec_limits.aac_bitrate(48000, 2) == 576  # ISO/IEC 14496-3: 288 kbit/s of each channel at 48 kHz


@pytest.mark.parametrize(("rate", "lowest", "highest"), [(48000, 32, 320), (22050, 8, 160), (8000, 8, 64)])
def test_bit_rates_of_mp3(rate: int, lowest: int, highest: int) -> None:
    found = codec_limits.mp3_bitrates(rate)
    assert (found[0], found[-1]) == (lowest, highest)
    assert list(found) == sorted(set(found))
