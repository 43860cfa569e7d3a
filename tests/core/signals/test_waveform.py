"""Waveforms check their samples, and know their measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonearm.errors import SignalError
from tonearm.signals import (
    Waveform,
    describe,
)


@pytest.mark.parametrize(
    ("samples", "code", "message"),
    [
        (np.zeros(5, "f4"), "bad-signal", r"a waveform is (channels, samples), not an array of shape (5,)"),
        (np.zeros((1, 5), "i2"), "bad-signal", "a waveform holds float values, not int16"),
        (np.zeros((1, 5), "c8"), "bad-signal", "a waveform holds float values, not complex64"),
        (np.zeros((1, 0), "f4"), "empty", "the waveform is empty: its shape is (1, 0)"),
        ([[0.0]], "bad-signal", "a waveform holds an array, not list"),
    ],
)
def test_a_waveform_checks_its_samples(samples: Any, code: str, message: str) -> None:
    with pytest.raises(SignalError) as caught:
        Waveform(samples=samples, sample_rate=8000)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_a_waveform_knows_its_measures() -> None:
    wave = Waveform(samples=np.zeros((2, 4000), "f4"), sample_rate=8000)
    assert (wave.channels, wave.length, wave.duration) == (2, 4000, 0.5)
    assert describe(wave) == "waveform 2×4000 at 8000 Hz"
    assert wave.arrays()[0] is wave.samples
