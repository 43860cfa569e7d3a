"""Clipping: flat tops are found at any level and in any block, round ones are not, and cubics restore the peaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dsp_material import SAMPLES

from tonearm_plugins.dsp.blocks import BLOCK_LENGTH
from tonearm_plugins.dsp.clipping import clipped_runs, declip

RATE = 16000
SPEECH = np.load(SAMPLES / "utt08.npy").ravel()


def sine(hertz: float, peak: float = 1.0, seconds: float = 1.0) -> Any:
    return (peak * np.sin(2 * np.pi * hertz * np.arange(round(RATE * seconds)) / RATE)).astype("f4")


@pytest.mark.parametrize("gain", [1.0, 0.3])
@pytest.mark.parametrize("bits", [16, 32])
def test_flat_tops_are_found_whatever_gain_came_later(gain: float, bits: int) -> None:
    original = SPEECH.astype("f8") * 4
    clipped = np.clip(original, -1, 1) * gain
    samples = (np.round(clipped * 32767) / 32768 if bits == 16 else clipped).astype("f4")
    runs = clipped_runs(samples)
    assert (runs[:, 1] - runs[:, 0] >= 3).all()
    inside = np.zeros(len(samples), bool)
    for start, end in runs:
        inside[start:end] = True
    beyond = np.abs(original) > 1
    assert inside[~beyond].sum() <= 0.02 * inside.sum()
    # Tops of one or two samples cannot be told from round ones.
    longest = np.convolve(beyond, np.ones(3), "same") == 3
    assert inside[longest].mean() > 0.95
    assert len(clipped_runs(np.round(SPEECH / abs(SPEECH).max() * 32767) / 32768)) == 0


@pytest.mark.parametrize("hertz", [5.0, 20.0, 50.0, 100.0, 1000.0])
def test_round_tops_are_not_flat(hertz: float) -> None:
    for samples in (sine(hertz), np.round(sine(hertz) * 32767) / 32768):
        assert len(clipped_runs(samples)) == 0
    assert len(clipped_runs(np.clip(sine(hertz, 1.5), -1, 1))) == 2 * hertz


def test_constants_and_silence_are_not_clipped() -> None:
    for samples in (np.full(500, 0.5), np.zeros(500), np.array([0.5])):
        assert len(clipped_runs(samples)) == 0


def test_runs_across_the_border_of_blocks_are_one() -> None:
    samples = np.clip(np.tile(sine(100, 1.5), BLOCK_LENGTH // RATE + 2), -1, 1)
    samples[BLOCK_LENGTH - 10 : BLOCK_LENGTH + 10] = [0, 0, *[1] * 16, 0, 0]
    runs = clipped_runs(samples)
    assert [BLOCK_LENGTH - 8, BLOCK_LENGTH + 8] in runs.tolist()
    assert (runs[1:, 0] > runs[:-1, 1]).all()


def test_tops_are_rounded_towards_what_was_clipped() -> None:
    original = 1.4 * sine(440).astype("f8") + 0.3 * sine(950)
    clipped = np.clip(original, -1, 1).astype("f4")
    found = declip(clipped, clipped_runs(clipped))
    gain_db = 10 * np.log10(np.sum((clipped - original) ** 2) / np.sum((found - original) ** 2))
    assert gain_db > 6
    same = np.abs(clipped) < 1
    np.testing.assert_array_equal(found[same], clipped[same])
    assert (np.abs(found) >= np.abs(clipped)).all()


def test_flat_tops_at_the_very_ends_stay() -> None:
    samples = np.array([1, 1, 1, 0.5, 0, 0.5, 1, 1, 1, 0.2])
    np.testing.assert_array_equal(declip(samples, np.array([[0, 3], [6, 9]])), samples)
