"""Limits of codecs: those of the standards, and the nearest rate that loses nothing is the remedy."""

from __future__ import annotations

import io

import pytest
import soundfile
from mutagen.mp3 import MPEGFrame

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
    assert (codec_limits.AAC_OF_PYAV.rates, codec_limits.AAC_OF_PYAV.channels) == (AAC.rates, 6)
    assert codec_limits.aac_bitrate(48000, 2) == 576  # ISO/IEC 14496-3: 288 kbit/s of each channel at 48 kHz


@pytest.mark.parametrize(("rate", "lowest", "highest"), [(48000, 32, 320), (22050, 8, 160), (8000, 8, 64)])
def test_bit_rates_of_mp3(rate: int, lowest: int, highest: int) -> None:
    found = codec_limits.mp3_bitrates(rate)
    assert (found[0], found[-1]) == (lowest, highest)
    assert list(found) == sorted(set(found))


def takes(container: str, subtype: str, rate: int, channels: int) -> bool:
    """Whether libsndfile, which knows nothing of our table, opens a file of these for writing."""
    try:
        soundfile.SoundFile(io.BytesIO(), "w", rate, channels, subtype, format=container).close()
    except soundfile.LibsndfileError:
        return False
    return True


OF_SNDFILE = [
    (MP3, "MP3", "MPEG_LAYER_III", 44100, 2),
    (OPUS, "OGG", "OPUS", 48000, 8),
    (FLAC, "FLAC", "PCM_16", 44100, 8),
    (AIFF, "AIFF", "PCM_16", 44100, 1024),
]


@pytest.mark.parametrize(("limits", "container", "subtype", "rate", "most"), OF_SNDFILE)
def test_libsndfile_takes_as_many_channels_as_the_table_and_no_more(
    limits: Limits, container: str, subtype: str, rate: int, most: int
) -> None:
    assert limits.channels == most
    assert takes(container, subtype, rate, most)
    if container != "OGG":  # Opus of more channels is mapping family 255, which few players know
        assert not takes(container, subtype, rate, most + 1)


@pytest.mark.parametrize(("limits", "container", "subtype"), [(MP3, "MP3", "MPEG_LAYER_III"), (OPUS, "OGG", "OPUS")])
def test_libsndfile_takes_the_rates_of_the_table_and_no_others(limits: Limits, container: str, subtype: str) -> None:
    asked = {*range(7000, 50000, 25), 88200, 96000}
    assert {rate for rate in asked if takes(container, subtype, rate, 1)} == set(limits.rates)


def test_limits_of_channels_are_those_of_the_standards() -> None:
    of = {name: getattr(codec_limits, name).channels for name in ("MP2", "VORBIS", "AAC", "ALAC", "AC3", "EAC3", "WMA")}
    assert of == {"MP2": 2, "VORBIS": 8, "AAC": 8, "ALAC": 6, "AC3": 6, "EAC3": 6, "WMA": 2}
    assert codec_limits.AC3.rates == (32000, 44100, 48000)
    assert codec_limits.WMA.rates == (range(8000, 48_001),)
    assert codec_limits.ALAC.rates == (range(1, 384_001),)
    assert set(codec_limits.MP2.rates) == {16000, 22050, 24000, 32000, 44100, 48000}
    assert codec_limits.OPUS_BITRATES == (6, 256)


def test_bit_rates_are_those_of_mutagen() -> None:
    """mutagen has its own copy of the tables of ISO/IEC 11172-3 and 13818-3."""
    tables = MPEGFrame._MPEGFrame__BITRATE  # type: ignore[attr-defined]
    assert codec_limits.mp3_bitrates(32000) == tuple(tables[1, 3][1:])
    assert codec_limits.mp3_bitrates(31999) == codec_limits.mp3_bitrates(16000) == tuple(tables[2, 3][1:])
    assert codec_limits.mp3_bitrates(15999) == tuple(rate for rate in tables[2.5, 3][1:] if rate <= 64)
