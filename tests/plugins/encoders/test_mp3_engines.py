"""Engines of MP3: each gives whole frames of the sound, and nothing of a frame of information."""

from __future__ import annotations

import numpy as np
import pytest

from tonearm_plugins.encoders import mp3_engines
from tonearm_plugins.formats.lame import Rate
from tonearm_plugins.formats.mpeg_audio import Frames


@pytest.mark.parametrize("engine", [mp3_engines.by_lame, mp3_engines.by_libsndfile])
@pytest.mark.parametrize("rate", [Rate("cbr", 32), Rate("cbr", 128), Rate("abr", 64), Rate("vbr", quality=9)])
@pytest.mark.parametrize("level", [0.0, 0.3])
def test_an_engine_gives_the_frames_alone(engine: type[mp3_engines.Mp3Engine], rate: Rate, level: float) -> None:
    made = engine(rate, 44100, 1)
    samples = np.sin(np.arange(10_000)[None] / 10) * level
    content = b"".join((made.encode(samples[:, :4000]), made.encode(samples[:, 4000:]), made.flush()))
    made.close()
    made.close()
    frames = Frames.of(content)
    assert len(frames.sizes) == 10  # 576 of delay, 10,000 samples, and at least 288 behind them, in frames of 1,152
    assert b"Xing" not in content
    assert b"Info" not in content
