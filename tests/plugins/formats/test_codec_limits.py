"""Limits of codecs: those of the standards, and the nearest rate that loses nothing is the remedy."""

from __future__ import annotations

import numpy as np
import pytest

from tonearm.api import InsertStep, ItemError, OptionError, Waveform
from tonearm_plugins.formats import codec_limits
from tonearm_plugins.formats.codec_limits import AAC, MP3, OF_FFMPEG, OPUS, VORBIS, Limits


@pytest.mark.parametrize(
    ("limits", "rate", "best"),
    [
        (MP3, 22051, 24000),
        (MP3, 96000, 48000),
        (MP3, 4000, 8000),
        (OPUS, 44100, 48000),
        (VORBIS, 7999, 8000),
        (VORBIS, 200_000, 192_000),
        (codec_limits.flac(65_537), 65_537, 65_540),
        (codec_limits.flac(700_000), 700_000, 655_350),
    ],
)
def test_the_remedy_is_the_next_rate_up_or_else_the_last(limits: Limits, rate: int, best: int) -> None:
    problem = limits.problem(rate, None)
    assert problem is not None
    assert problem.code == "unsupported-rate"
    assert problem.remedies == (InsertStep("resample", {"sample_rate": best}),)
    assert limits.problem(best, None) is None


def test_channels_are_limited_for_a_pipeline_and_for_an_item() -> None:
    assert OPUS.problem(48000, 8) is None
    with pytest.raises(OptionError, match="Opus cannot have 9 channels, only up to 8") as caught:
        OPUS.check(48000, 9)
    with pytest.raises(ItemError, match="Opus cannot have 9 channels, only up to 8") as item:
        OPUS.check_signal(Waveform(samples=np.zeros((9, 4), "f4"), sample_rate=48000))
    assert (item.value.code, item.value.remedies) == (caught.value.code, caught.value.remedies)
    assert item.value.code == "too-many-channels"


def test_nothing_is_refused_that_is_not_known() -> None:
    Limits(name="any").check(None, None)
    Limits(name="any").check(1, 1000)
    MP3.check(None, None)


@pytest.mark.parametrize("rate", [1, 44_100, 65_535, 65_540, 655_350])
def test_rates_of_flac(rate: int) -> None:
    codec_limits.flac(rate).check(rate, 8)


@pytest.mark.parametrize("codec", ["aac", "libmp3lame", "libopus", "libvorbis", "mp2", "ac3", "wmav2"])
def test_the_table_allows_no_more_than_the_encoders_of_ffmpeg(codec: str) -> None:
    """libvorbis and WMA do not list theirs."""
    from tonearm_plugins.formats import ffmpeg

    rates, channels = ffmpeg.limits(ffmpeg.find(), codec)
    ours = OF_FFMPEG[codec]
    if rates is not None and ours.rates is not None:
        assert set(ours.rates) <= set(rates)
    if channels is not None and ours.channels is not None:
        assert ours.channels <= max(channels, 8 if codec == "aac" else 0)


def test_aac_in_m4a_has_the_rates_of_aac() -> None:
    assert (codec_limits.AAC_IN_M4A.rates, codec_limits.AAC_IN_M4A.channels) == (AAC.rates, 6)
    assert codec_limits.aac_bitrate(48000, 2) == 576  # ISO/IEC 14496-3: 288 kbit/s of each channel at 48 kHz


@pytest.mark.parametrize(("rate", "lowest", "highest"), [(48000, 32, 320), (22050, 8, 160), (8000, 8, 64)])
def test_bit_rates_of_mp3(rate: int, lowest: int, highest: int) -> None:
    found = codec_limits.mp3_bitrates(rate)
    assert (found[0], found[-1]) == (lowest, highest)
    assert list(found) == sorted(set(found))
