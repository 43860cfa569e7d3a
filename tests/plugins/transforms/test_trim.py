"""trim: the edges and nothing else, against librosa, and with hypothesis."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transform_helpers import apply, make, speech

from tonearm.api import Context, Waveform
from tonearm_plugins.transforms.trim import Trim

RATE = 1000  # a window is 10 samples


def part_of(found: Any, samples: Any) -> tuple[int, int]:
    """Return the first and last index of a view within its array."""
    first = found.__array_interface__["data"][0] - samples.__array_interface__["data"][0]
    return first // samples.itemsize, first // samples.itemsize + found.shape[1]


def trimmed(samples: Any, rate: int = RATE, **options: Any) -> tuple[int, int]:
    """Return the bounds of the part that is left; every sample is made unique, so that it can be found."""
    marks = np.where(samples == 0, 1e-30, samples)  # silence, but not zero
    marks = marks * (1 + np.arange(samples.shape[1]) / 1e6)
    found, _ = apply(Trim, marks, rate, **options)
    first = int(np.flatnonzero(marks[0] == found[0, 0])[0])
    np.testing.assert_array_equal(found, marks[:, first : first + found.shape[1]])
    return first, first + found.shape[1]


def sound(before: int, during: int, after: int, channels: int = 1) -> Any:
    rng = np.random.default_rng(before)
    middle = rng.uniform(0.5, 1, (channels, during)) * rng.choice([-1, 1], (channels, during))
    return np.pad(middle, ((0, 0), (before, after)))


def test_the_edges_go_but_for_the_padding() -> None:
    assert trimmed(sound(100, 50, 200), padding_ms=0.0) == (100, 150)
    assert trimmed(sound(100, 50, 200), padding_ms=30.0) == (70, 180)
    assert trimmed(sound(100, 50, 200), padding_ms=150.0) == (0, 300)
    assert trimmed(sound(103, 50, 200), padding_ms=0.0) == (100, 160)  # in steps of 10 ms
    assert trimmed(sound(100, 50, 200), padding_ms=0.0, edges="start") == (100, 350)
    assert trimmed(sound(100, 50, 200), padding_ms=0.0, edges="end") == (0, 150)


def test_a_shortest_duration_is_left() -> None:
    assert trimmed(sound(100, 50, 200), padding_ms=0.0, min_seconds=0.15) == (50, 200)
    assert trimmed(sound(10, 50, 200), padding_ms=0.0, min_seconds=0.15) == (0, 150)
    assert trimmed(sound(200, 50, 10), padding_ms=0.0, min_seconds=0.15) == (110, 260)
    assert trimmed(sound(100, 50, 200), padding_ms=0.0, min_seconds=3.0) == (0, 350)


@given(
    pieces=st.lists(st.tuples(st.integers(0, 300), st.integers(1, 300)), min_size=1, max_size=6),
    after=st.integers(0, 300),
    padding=st.integers(0, 100),
    least=st.floats(0, 1),
)
def test_nothing_loud_is_ever_cut(pieces: list[tuple[int, int]], after: int, padding: int, least: float) -> None:
    samples = np.concatenate([sound(pause, length, 0) for pause, length in pieces] + [np.zeros((1, after))], axis=1)
    first, last = trimmed(samples, padding_ms=float(padding), min_seconds=least)
    loud = np.flatnonzero(samples[0])
    assert first <= loud[0]
    assert last > loud[-1]
    length = samples.shape[1]
    assert last - first >= min(round(least * RATE), length)
    wide = max(round(least * RATE), 0)
    assert loud[0] - first <= padding + 10 + wide
    assert last - loud[-1] <= padding + 11 + wide


@pytest.mark.parametrize("threshold", [20, 40, 60])
def test_it_finds_the_edges_that_librosa_finds(threshold: int) -> None:
    samples = np.pad(speech(), ((0, 0), (9000, 13000)))
    found, context = apply(Trim, samples, 22050, threshold_db=-float(threshold), padding_ms=0.0)
    _, (first, last) = librosa.effects.trim(samples[0], top_db=threshold, frame_length=440, hop_length=110)
    start = round(context.measurements["trimmed_start"] * 22050)
    assert abs(start - first) <= 440
    assert abs(start + found.shape[1] - last) <= 660


def test_the_threshold_is_beside_the_loudest_or_full_scale() -> None:
    samples = sound(0, 100, 0) * 0.5
    samples[:, :50] *= 1e-2  # 40 dB less
    for level in (1.0, 1e-3):
        assert trimmed(samples * level, threshold_db=-30.0, padding_ms=0.0) == (50, 100)
        assert trimmed(samples * level, threshold_db=-50.0, padding_ms=0.0) == (0, 100)
    full = {"relative_to": "full-scale", "padding_ms": 0.0}
    assert trimmed(samples, threshold_db=-30.0, **full) == (50, 100)
    assert trimmed(samples, threshold_db=-50.0, **full) == (0, 100)
    assert trimmed(samples * 0.1, threshold_db=-50.0, **full) == (50, 100)


def test_the_loudest_channel_counts() -> None:
    samples = np.concatenate([sound(100, 50, 100), np.zeros((1, 250)), sound(30, 10, 210)])
    assert apply(Trim, samples, RATE, padding_ms=0.0)[0].shape == (3, 120)


def test_a_silent_waveform_stays_as_it_is() -> None:
    for samples, options, warning in (
        (np.zeros((2, 500), "f4"), {}, "the waveform is silent, so nothing was trimmed"),
        (np.zeros((1, 1), "f4"), {}, "the waveform is silent, so nothing was trimmed"),
        (
            np.full((1, 500), 1e-4, "f4"),
            {"relative_to": "full-scale"},
            "the waveform has nothing above -50 dBFS, so nothing was trimmed",
        ),
    ):
        found, context = apply(Trim, samples, RATE, **options)
        np.testing.assert_array_equal(found, samples)
        assert context.warnings == [warning]
        assert context.measurements == {}


def test_one_sample_stays() -> None:
    assert apply(Trim, np.full((8, 1), 0.5, "f4"), RATE, padding_ms=0.0)[0].shape == (8, 1)


def test_nan_and_infinity_are_not_silence() -> None:
    samples = sound(100, 50, 200)
    samples[0, 20], samples[0, 330] = np.nan, np.inf
    found, _ = apply(Trim, samples, RATE, padding_ms=0.0)
    np.testing.assert_array_equal(found, samples[:, 20:340])


def test_a_view_is_left_and_nothing_is_copied() -> None:
    samples = sound(100, 50, 200)
    result = make(Trim, padding_ms=0.0).apply(Waveform(samples=samples, sample_rate=RATE), Context())
    assert part_of(result.samples, samples) == (100, 150)
