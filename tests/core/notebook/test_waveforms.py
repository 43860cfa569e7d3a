import base64
import io
import re
import wave

import numpy as np
import pytest

from tonearm.api import Waveform
from tonearm.signals.player import player

FIGURE = re.compile(
    r'<figure><audio controls src="data:audio/wav;base64,([A-Za-z0-9+/=]+)"></audio>'
    r"<figcaption>(.*)</figcaption></figure>"
)


def played(samples, sample_rate=8000):
    """Return what a browser would play: (channels, samples) as 16-bit integers, its rate, and what is said of it."""
    data, verdict = FIGURE.fullmatch(player(samples, sample_rate)).groups()
    with wave.open(io.BytesIO(base64.b64decode(data))) as file:
        assert file.getsampwidth() == 2
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return frames.T, file.getframerate(), verdict


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_plays_the_samples_as_they_are(channels, dtype):
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, (channels, 1000)).astype(dtype)
    found, rate, _ = played(samples, 22050)
    assert rate == 22050
    assert found.shape == samples.shape
    assert np.abs(found / 32768 - samples).max() <= 0.5 / 32768 + 1e-9


def test_what_goes_beyond_is_clipped_and_never_wraps():
    found, _, verdict = played(np.array([[0.5, 1.5, -1.5, 1.0, -1.0, 100]], np.float32))
    assert found[0].tolist() == [16384, 32767, -32768, 32767, -32768, 32767]
    assert verdict.endswith("peak +40.0 dBFS, 3 samples beyond full scale")


def test_values_that_are_not_finite_are_silence():
    found, _, verdict = played(np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32))
    assert found[0].tolist() == [0, 0, 0, 16384]
    assert verdict == "0.00 s, 8000 Hz, mono, peak -6.0 dBFS, 3 values are NaN or infinite"


@pytest.mark.parametrize(
    ("samples", "verdict"),
    [
        (np.zeros((1, 8000)), "1.00 s, 8000 Hz, mono, silent"),
        (np.ones((2, 4000)), "0.50 s, 8000 Hz, 2 channels, peak +0.0 dBFS"),
        (np.full((1, 12000), np.nan), "1.50 s, 8000 Hz, mono, silent, 12000 values are NaN or infinite"),
    ],
)
def test_the_verdict(samples, verdict):
    assert played(samples)[2] == verdict


def test_a_waveform_shows_itself_and_stays_as_it_is():
    samples = np.array([[0.5, np.nan]], np.float32)
    before = samples.copy()
    assert Waveform(samples=samples, sample_rate=8000)._repr_html_() == player(samples, 8000)
    assert np.array_equal(samples, before, equal_nan=True)
