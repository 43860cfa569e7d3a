"""The level of a waveform, and what is wrong with it."""

import math

import numpy as np
import pytest

from tonearm.pipeline.limits import PipelineLimits
from tonearm.signals import levels
from tonearm.signals.levels import (
    SILENT,
    beyond_message,
    decibels,
    has_offset,
    measure_levels,
    offset_message,
    quiet_message,
    sound_facts,
)

TONE = np.sin(np.arange(8000) / 3)


def verdict(samples, rate=8000):
    samples = np.atleast_2d(np.asarray(samples, np.float64))
    return measure_levels(samples).verdict(samples.shape[1] / rate)


def test_levels_are_counted_over_all_channels():
    found = measure_levels(np.array([[0.5, -2.0, np.nan, 1.5], [np.inf, 0, 1.0, -1.0]], np.float32))
    assert (found.size, found.beyond, found.not_finite) == (8, 2, 2)
    assert (found.peak, found.mean) == (2.0, 0.0)


def test_levels_do_not_depend_on_blocks(monkeypatch):
    samples = np.random.default_rng(0).uniform(-1.2, 1.0, (2, 5000))
    whole = measure_levels(samples)
    monkeypatch.setattr(levels, "_BLOCK", 999)
    parts = measure_levels(samples)
    assert (parts.peak, parts.beyond) == (whole.peak, whole.beyond)
    assert parts.mean == pytest.approx(whole.mean) == pytest.approx(samples.mean())


def test_without_a_finite_value_there_is_no_peak():
    found = measure_levels(np.full((1, 3), np.nan))
    assert (found.peak, found.mean, found.not_finite) == (0, 0, 3)


def test_a_sound_of_usual_level_has_nothing_wrong():
    assert verdict(0.5 * TONE) == []


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(8000), [SILENT]),
        (1e-4 * TONE, ["too-quiet: the peak of the waveform is only -80.0 dBFS (0.0001)"]),
        (
            1e-6 * TONE,
            ["too-quiet: the peak of the waveform is only -120.0 dBFS (1e-06), and 16-bit samples of it are all 0"],
        ),
        (
            [0.5] * 7990 + [2.0] * 10,
            ["clipped: players clip 10 samples; 0.125 % of the samples are beyond ±1.0 (peak 2)"],
        ),
        (
            0.5 + 0.3 * TONE,
            ["dc-offset: the mean of the waveform is 0.5, and its peak 0.8, but samples of sound lie around 0"],
        ),
        (np.r_[0.5 * TONE, np.nan, np.inf], ["not-finite: 2 of 8002 samples are NaN or infinite"]),
        ([np.nan] * 4, ["not-finite: 4 of 4 samples are NaN or infinite", SILENT]),
    ],
)
def test_what_is_wrong_has_the_words_of_warnings(samples, words):
    found = verdict(samples)
    if "clipped" in words[0]:
        assert found[0] == words[0]  # its mean is another matter
    else:
        assert found == words


def test_the_bound_of_quiet_sound_is_that_of_pipelines():
    bound = PipelineLimits().quiet_db
    assert verdict(10 ** ((bound - 0.1) / 20) * TONE / np.abs(TONE).max())[0].startswith("too-quiet: ")
    assert verdict(10 ** ((bound + 0.1) / 20) * TONE / np.abs(TONE).max()) == []


@pytest.mark.parametrize(
    ("mean", "peak", "duration", "expected"),
    [
        (0.19, 1.0, 1.0, False),
        (0.21, 1.0, 1.0, True),
        (-0.21, 1.0, 1.0, True),
        (0.21, 1.0, 0.24, False),  # half a period of a low tone
        (0.99999, 1.0, 1.0, False),  # a constant
        (0.0, 0.0, 1.0, False),
    ],
)
def test_an_offset_is_a_large_mean_of_what_is_no_constant(mean, peak, duration, expected):
    assert has_offset(mean, peak, duration) is expected


def test_decibels():
    assert [decibels(peak) for peak in (1.0, 0.1, 0.0)] == [0.0, -20.0, -math.inf]


@pytest.mark.parametrize(("share", "percent"), [(1e-6, "0.0001 %"), (0.5, "50 %"), (0.999, "99 %"), (1.0, "all")])
def test_a_share_is_never_rounded_to_all(share, percent):
    assert beyond_message(share, 3.0) == f"{percent} of the samples are beyond ±1.0 (peak 3)"


def test_messages_have_their_figures():
    assert quiet_message(1e-3) == "the peak of the waveform is only -60.0 dBFS (0.001)"
    assert offset_message(-0.25, 0.5).startswith("the mean of the waveform is -0.25, and its peak 0.5,")


def test_samples_of_any_size_have_levels():
    found = measure_levels(np.array([[1.7e308, 1.7e308, -1.7e308]]))
    assert (found.peak, found.beyond) == (1.7e308, 3)
    assert found.verdict(1.0)[0].startswith("clipped: players clip 3 samples; all of the samples are beyond ±1.0")


def test_what_is_known_of_a_sound():
    assert list(sound_facts({"duration": 1.0, "sample_rate": 8000, "channels": 1, "peak_db": 3.52})) == [
        "1.00 s",
        "8000 Hz",
        "1 channel",
        "peak +3.5 dBFS",
    ]
    assert list(sound_facts({"channels": 2, "peak_db": -math.inf, "loudness_lufs": -16.0})) == ["2 channels"]
    assert list(sound_facts({})) == []
