"""Waveforms check their samples, and know their measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from notebook_page import Page, played

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


def test_in_a_notebook_it_plays_with_its_picture_and_verdict() -> None:
    samples = np.array([0.5 * np.sin(np.arange(8000) / 3), np.zeros(8000)], np.float32)
    samples[0, 7] = 1.5
    before = samples.copy()
    page = Page(Waveform(samples=samples, sample_rate=8000)._repr_html_())
    sound, rate = played(page)
    assert rate == 8000
    assert np.abs(sound / 32768 - np.clip(samples, -1, 32767 / 32768)).max() <= 0.5 / 32768
    assert page.caption() == [
        "1.00 s, 8000 Hz, 2 channels, peak +3.5 dBFS",
        "clipped: players clip 1 sample; 0.00625 % of the samples are beyond ±1.0 (peak 1.5)",
    ]
    assert len(page.all("path")) == 3  # two envelopes, and the place that is clipped
    assert np.array_equal(samples, before)


@pytest.mark.parametrize(
    ("samples", "caption"),
    [
        (
            0.5 * np.sin(np.arange(4000) / 3),
            ["0.50 s, 8000 Hz, 1 channel, peak -6.0 dBFS", "no clipping, no offset, not too quiet, all samples finite"],
        ),
        (np.zeros(8000), ["1.00 s, 8000 Hz, 1 channel", "the waveform is silent"]),
        (
            np.full(12000, np.nan),
            [
                "1.50 s, 8000 Hz, 1 channel",
                "not-finite: 12000 of 12000 samples are NaN or infinite",
                "the waveform is silent",
            ],
        ),
    ],
)
def test_the_verdict_tells_what_is_wrong(samples: Any, caption: list[str]) -> None:
    page = Page(Waveform(samples=samples[None], sample_rate=8000)._repr_html_())
    assert page.caption() == caption
