"""The order of samples: two channels in turns are found, and no sound is taken for them."""

from __future__ import annotations

import numpy as np
import pytest
from real_sounds import SOUNDS, SPEECH

from tonearm.findings.samples import GLANCE, seems_interleaved


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("step", [1, 2, 4])
def test_sounds_at_any_rate_are_none(name: str, step: int) -> None:
    assert not seems_interleaved(SOUNDS[name][::step].astype(np.float32))


@pytest.mark.parametrize("frequency", np.linspace(0.002, 0.998, 60))
def test_tones_of_any_frequency_are_none(frequency: float) -> None:
    assert not seems_interleaved(np.sin(np.pi * frequency * np.arange(20000)).astype(np.float32))


@pytest.mark.parametrize(("gain", "delay"), [(0.2, 0), (1.0, 0), (0.7, 5), (1.0, 5), (0.2, 200), (1.0, 200)])
def test_two_channels_in_turns_are_found(gain: float, delay: int) -> None:
    pair = np.stack([SPEECH, gain * np.roll(SPEECH, delay)], axis=1)
    assert seems_interleaved(pair.reshape(-1).astype(np.float32))
    assert seems_interleaved(np.ascontiguousarray(pair[:, ::-1]).reshape(-1)[1:])


def test_two_different_sounds_and_an_empty_channel_are_found() -> None:
    music = np.resize(SOUNDS["music"], SPEECH.size)
    assert seems_interleaved(np.stack([SPEECH, music], axis=1).reshape(-1))
    assert seems_interleaved(np.stack([SPEECH, 0 * SPEECH], axis=1).reshape(-1))


def test_pulses_with_even_periods_are_none() -> None:
    assert not seems_interleaved(np.where(np.arange(20000) % 100 < 50, 0.5, -0.5))


def test_short_rows_show_nothing() -> None:
    assert not seems_interleaved(np.repeat(SPEECH[20000 : 20000 + GLANCE - 1], 2))
    assert seems_interleaved(np.repeat(SPEECH[20000 : 20000 + GLANCE], 2))
