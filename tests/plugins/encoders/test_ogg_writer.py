"""Vorbis: other people's decoders hear the right sound, at the right time, for exactly as long."""

from __future__ import annotations

from pathlib import Path

import pytest
from encoder_helpers import rates_and_channels
from lossy_sounds import TAGS, check, chord, written
from other_decoders import by_ffmpeg, by_oggdec

from tonearm_plugins.encoders.ogg_writer import OggOptions, OggWriter


@pytest.mark.parametrize(("rate", "channels"), rates_and_channels([8000, 22050, 44100, 192000]))
def test_other_decoders_hear_the_sound(tmp_path: Path, rate: int, channels: int) -> None:
    for length in (1, 100, rate // 2 + 17):
        samples = chord(rate, length, channels)
        path = written(OggWriter(OggOptions(tags=TAGS)), tmp_path, samples, rate)
        check(path, samples, rate, by_oggdec, -15 if channels == 6 else -30)
    # ffmpeg cuts ends at blocks of Vorbis if the file is short, oggenc's too.
    check(path, samples, rate, by_ffmpeg, -15 if channels == 6 else -30, range(-2048, 2048))


@pytest.mark.slow
def test_ten_minutes(tmp_path: Path) -> None:
    samples = chord(44100, 600 * 44100 + 17, 2)
    check(written(OggWriter(OggOptions()), tmp_path, samples, 44100), samples, 44100, by_oggdec, -30)
