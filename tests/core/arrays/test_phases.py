"""Phases: other units than radians are a doubt, radians and unwrapped phases are none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.signal

from tonearm.arrays.phases import FEW, doubt_frames, doubt_phases
from tonearm.plugins.context import Context
from tonearm.signals import StftGrid

RADIANS = np.random.default_rng(2).uniform(-math.pi, math.pi, (100, 50))


def advice(phase: Any) -> list[str]:
    context = Context()
    doubt_phases(phase.astype(np.float32), context)
    assert all(doubt.code == "kind-doubtful" for doubt in context.doubts)
    return [doubt.hint for doubt in context.doubts]


@pytest.mark.parametrize(
    ("phase", "factor"),
    [
        (np.degrees(RADIANS), "np.pi / 180"),
        (np.degrees(RADIANS) % 360, "np.pi / 180"),
        (RADIANS / math.pi, "np.pi"),
        (RADIANS / (2 * math.pi), "2 * np.pi"),
        (RADIANS / (2 * math.pi) % 1, "2 * np.pi"),
    ],
)
def test_other_units_are_a_doubt_with_the_factor(phase: Any, factor: str) -> None:
    assert advice(phase) == [f"save phase * {factor}"]


@pytest.mark.parametrize(
    "phase",
    [
        RADIANS,
        RADIANS % (2 * math.pi),
        np.unwrap(RADIANS, axis=1),
        np.cumsum(np.full((100, 50), 2.0), axis=1),
        np.zeros((100, 50)),
        np.where(RADIANS > 0, 0.0, math.pi),
        0.1 * RADIANS,
        np.clip(RADIANS, -1, 1),
        np.sin(RADIANS),
        RADIANS.reshape(-1)[: FEW - 1] / math.pi,
    ],
    ids=["radians", "0 to 2 pi", "unwrapped", "growing", "zero", "real", "small", "clipped", "a sine", "few"],
)
def test_radians_are_no_doubt(phase: Any) -> None:
    assert advice(phase) == []


@pytest.mark.parametrize(
    ("more", "noted"), [({}, ["hop_length: 64"]), ({"sides": "two"}, []), ({"end_bins": "dc"}, [])]
)
def test_frames_are_compared_where_the_bins_are_those_of_one_side(more: Any, noted: list[str]) -> None:
    noise = np.random.default_rng(0).standard_normal(4000)
    frames = np.lib.stride_tricks.sliding_window_view(noise, 256)[::64] * np.hanning(257)[:256]
    context = Context()
    grid = StftGrid(sample_rate=8000, n_fft=256, hop_length=128, win_length=256, **more)
    doubt_frames(np.fft.rfft(frames, axis=1).T, grid, context)
    assert [doubt.hint for doubt in context.doubts] == noted
    assert all(doubt.code == "grid-doubtful" for doubt in context.doubts)


def test_phases_from_the_centre_of_the_window_are_those_of_a_convention() -> None:
    noise = np.random.default_rng(0).standard_normal(4000)
    values = scipy.signal.ShortTimeFFT(np.hanning(257)[:256], 64, 8000).stft(noise)
    context = Context()
    doubt_frames(values, StftGrid(sample_rate=8000, n_fft=256, hop_length=64, win_length=256), context)
    assert [doubt.hint for doubt in context.doubts] == ["convention: scipy-short-time-fft"]
