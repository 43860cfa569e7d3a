"""Axes of inputs beside the signal."""

from __future__ import annotations

import pytest
from network_headers import MEL, TOKENS, axes, plan

MELS = "mel float32 (batch, 80, frames)"
STATIC = "mel float32 (1, 80, 300)"


@pytest.mark.parametrize(
    ("signal", "one", "found"),
    [
        (MELS, "f0 float32 (batch, frames)", "batch frame"),
        (MELS, "f0 float32 (batch, 1, frames)", "batch one frame"),
        (MELS, "f0 float32 (batch, frames, 1)", "batch frame one"),
        (MELS, "f0 float32 (frames)", "frame"),
        (MELS, "f0 float32 (?, ?)", "batch frame"),
        (MELS, "f0 float32 (1, ?)", "batch frame"),
        (MELS, "f0 float32 (?, 1, ?)", "batch one frame"),
        (MELS, "f0 float32 (?)", "frame"),
        (MELS, "f0 float32 (batch, time)", "batch frame"),
        (STATIC, "f0 float32 (1, 300)", "batch frame"),
        (MELS, "style float32 (1, 256)", "batch fixed"),
        (MELS, "style float32 (batch, 256)", "batch fixed"),
        (MELS, "style float32 (batch, 256, 1)", "batch fixed one"),
        (MELS, "style float32 (?, 256)", "batch fixed"),
        (MELS, "style float32 (256)", "fixed"),
        (MELS, "style float32 (?)", "fixed"),
        (MELS, "noise float32 (batch, 192, frames)", "batch fixed frame"),
        (MELS, "noise_scale float32 ()", ""),
        (MELS, "sid int64 (1)", "fixed"),
        (MELS, "sid int64 (batch)", "batch"),
        (MELS, "noise float32 (batch, 1, samples)", "batch one sample"),
    ],
)
def test_values_that_are_given_follow_the_frames_of_the_signal(signal: str, one: str, found: str) -> None:
    name = one.split()[0]
    assert axes(plan(MEL, f"{signal};{one}", inputs={name: 1}), name) == found


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ("()", ""),
        ("(batch)", "batch"),
        ("(?)", "batch"),
        ("(batch, 1)", "batch one"),
        ("(1, 1)", "batch one"),
        ("(segments, batch)", "segment batch"),
        ("(?, ?, 1)", "segment batch one"),
    ],
)
def test_factors_belong_to_segments(shape: str, found: str) -> None:
    assert axes(plan(TOKENS, f"codes int64 (batch, 8, frames);scales float32 {shape}"), "scales") == found


@pytest.mark.parametrize(("shape", "found"), [("()", ""), ("(batch)", "batch"), ("(1)", "one"), ("(?)", "batch")])
def test_lengths_belong_to_signals(shape: str, found: str) -> None:
    assert axes(plan(TOKENS, f"codes int64 (batch, 8, frames);lengths int64 {shape}"), "lengths") == found
