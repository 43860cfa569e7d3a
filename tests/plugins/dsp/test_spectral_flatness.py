"""Spectral flatness, against Welch's spectrum by scipy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from dsp_material import speech

from tonearm_plugins.dsp.spectral_flatness import spectral_flatness

RNG = np.random.default_rng(11)


@pytest.mark.parametrize(
    "samples",
    [speech()[None], RNG.normal(size=(1, 60000)), np.cumsum(RNG.normal(size=(1, 60000)), 1)],
    ids=["speech", "white noise", "brown noise"],
)
def test_it_is_that_of_welchs_spectrum(samples: np.ndarray) -> None:
    _, power = scipy.signal.welch(samples[0], window="hann", nperseg=1024, detrend="constant")
    expected = np.exp(np.log(power[1:-1]).mean()) / power[1:-1].mean()
    assert spectral_flatness(samples) == pytest.approx(expected, rel=0.1)


def test_the_loudest_channel_counts() -> None:
    noise, tone = RNG.normal(size=20000), np.sin(np.arange(20000))
    assert spectral_flatness(np.stack([noise, 0.1 * tone])) > 0.9
    assert spectral_flatness(np.stack([0.1 * noise, 10 * tone])) < 0.1


def test_silence_and_short_sounds_have_none() -> None:
    assert spectral_flatness(np.zeros((1, 5000))) == 0
    assert spectral_flatness(RNG.normal(size=(1, 1023))) == 0
