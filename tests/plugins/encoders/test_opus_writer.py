"""Opus: other people's decoders hear the right sound, at the right time, for exactly as long."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from encoder_helpers import encoded, noise, rates_and_channels
from lossy_sounds import TAGS, check, chord, written
from other_decoders import by_ffmpeg_with_libopus, by_opusdec

from tonearm_plugins.encoders.opus_writer import OpusOptions, OpusWriter

OPUS = [8000, 12000, 16000, 24000, 48000]


@pytest.mark.parametrize(("rate", "channels"), rates_and_channels([*OPUS, 22050, 44100, 96000]))
def test_other_decoders_hear_the_sound(tmp_path: Path, rate: int, channels: int) -> None:
    for length in (1, 100, rate // 2 + 17):
        samples = chord(rate, length, channels)
        path = written(OpusWriter(OpusOptions(bitrate=96 * channels, tags=TAGS)), tmp_path, samples, rate)
        at = next((one for one in OPUS if one >= rate), 48000)
        inside = -(-length * at // rate)  # at the rate that Opus got
        # Channel by channel, because soxr before 1.1 takes one sample of several channels for something else.
        wanted = np.array([soxr.resample(channel, rate, 48000) for channel in samples]) if rate != 48000 else samples
        wanted = np.pad(wanted, ((0, 0), (0, 48000)))[:, : inside * 48000 // at]  # every decoder gives 48 kHz
        check(path, wanted, 48000, by_opusdec, -15)
    check(path, wanted, 48000, by_ffmpeg_with_libopus, -15)


@pytest.mark.parametrize(("rate", "found"), [(22050, 24000), (44100, 48000), (96000, 48000), (4000, 8000)])
def test_opus_says_that_it_resamples(tmp_path: Path, rate: int, found: int) -> None:
    path, context = encoded(OpusWriter(OpusOptions()), tmp_path, noise(1, 999), rate)
    assert context.measurements["resampled_to"] == found
    assert context.warnings == [f"resampled from {rate} Hz to {found} Hz, which Opus has"]
    info = soundfile.info(path)
    assert (info.samplerate, info.frames) == (found, -(-999 * found // rate))


@pytest.mark.parametrize("rate", [8000, 12000, 16000, 24000, 48000])
def test_opus_leaves_its_own_rates_alone(tmp_path: Path, rate: int) -> None:
    path, context = encoded(OpusWriter(OpusOptions(resample=False)), tmp_path, noise(1, 999), rate)
    assert not context.measurements
    assert not context.warnings
    assert soundfile.info(path).samplerate == rate


def test_the_bit_rate_of_opus_is_that_of_all_channels(tmp_path: Path) -> None:
    for channels, bitrate in ((1, 32), (2, 64), (2, 192), (6, 256)):
        path, _ = encoded(OpusWriter(OpusOptions(bitrate=bitrate)), tmp_path, noise(channels, 240_000), 48000)
        assert path.stat().st_size * 8 / 5000 == pytest.approx(bitrate, rel=0.2)


@pytest.mark.slow
def test_ten_minutes(tmp_path: Path) -> None:
    samples = chord(48000, 600 * 48000 + 17, 2)
    check(written(OpusWriter(OpusOptions()), tmp_path, samples, 48000), samples, 48000, by_opusdec, -15)
