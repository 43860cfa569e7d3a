"""loudness: targets, ceilings and warnings as a pipeline sets them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from transform_helpers import apply, make, problems, speech

from tonearm.api import ItemError, OptionError, Spec, Waveform
from tonearm_plugins.dsp.loudness import measure_loudness
from tonearm_plugins.dsp.true_peak import measure_true_peak
from tonearm_plugins.transforms.loudness import Loudness


def noise(channels: int, length: int, level: float = 0.1, kind: str = "f4") -> Any:
    return (np.random.default_rng(length).standard_normal((channels, length)) * level).astype(kind)


def db(amplitude: float) -> float:
    return 20 * math.log10(amplitude)


@pytest.mark.parametrize("target", [-40.0, -24.0])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_it_reaches_the_target(channels: int, target: float) -> None:
    samples = np.tile(speech(), (channels, 3))
    found, context = apply(Loudness, samples, 22050, target_lufs=target, true_peak_db=-1.0)
    measured, noted = measure_loudness(found, 22050), context.measurements
    assert measured.integrated == pytest.approx(target, abs=0.01)
    assert noted["loudness_lufs"] == target
    assert noted["loudness_range_lu"] == pytest.approx(measured.range, abs=0.01)
    assert noted["max_short_term_lufs"] == pytest.approx(measured.max_short_term, abs=0.01)
    assert noted["true_peak_db"] == pytest.approx(db(measure_true_peak(found)), abs=0.01)
    assert noted["gain_db"] == pytest.approx(target - noted["source_lufs"], abs=0.011)
    assert not context.warnings


@pytest.mark.parametrize("true_peak_db", [-20.0, -60.0])
@pytest.mark.parametrize("samples", [np.full((1, 6001), 0.3, "f4"), speech() * 0.1], ids=["DC", "speech"])
def test_a_target_beyond_the_ceiling_is_missed_with_a_warning(samples: Any, true_peak_db: float) -> None:
    found, context = apply(Loudness, samples, 22050, target_lufs=0.0, true_peak_db=true_peak_db)
    assert db(measure_true_peak(found)) <= true_peak_db + 1e-6
    assert db(np.abs(found).max()) > true_peak_db - 1
    assert "LUFS, not 0: its true peak is at" in context.warnings[-1]


def test_one_gain_leaves_it_below_the_target_if_peaks_would_be_over() -> None:
    samples = speech()
    found, context = apply(Loudness, samples, 22050, target_lufs=-9.0, peaks="lower")
    assert db(measure_true_peak(found)) == pytest.approx(-1, abs=1e-3)
    np.testing.assert_allclose(found / samples, (found / samples)[0, 5000], rtol=1e-5)
    (warning,) = context.warnings
    assert warning.startswith(f"it is at {context.measurements['loudness_lufs']:.1f} LUFS, not -9: its true peak is")
    assert warning.endswith("at -1.0 dBTP; peaks: limit would reach the target")


def test_the_limiter_reaches_the_target() -> None:
    found, context = apply(Loudness, speech(), 22050, target_lufs=-14.0)
    assert measure_loudness(found, 22050).integrated == pytest.approx(-14, abs=0.1)
    assert measure_true_peak(found) <= 10 ** (-1 / 20)
    assert not context.warnings
    assert context.measurements["loudness_lufs"] == pytest.approx(-14, abs=0.1)
    assert context.measurements["reduction_db"] > 6


def test_a_target_that_the_limiter_cannot_reach_gives_a_warning() -> None:
    found, context = apply(Loudness, speech(), 22050, target_lufs=0.0)
    assert measure_true_peak(found) <= 10 ** (-1 / 20)
    (warning,) = context.warnings
    assert "LUFS, not 0: its true peak is at -1.0 dBTP" in warning
    assert "peaks: limit" not in warning


def test_without_a_ceiling_peaks_are_free() -> None:
    found, _ = apply(Loudness, speech(), 22050, target_lufs=-5.0, true_peak_db=None)
    assert measure_loudness(found, 22050).integrated == pytest.approx(-5, abs=0.01)
    assert measure_true_peak(found) > 1


def test_a_sound_shorter_than_a_block_is_measured_without_gates() -> None:
    samples = noise(1, 2205)
    found, context = apply(Loudness, samples, 22050, target_lufs=-30.0)
    assert measure_loudness(found, 22050).integrated == pytest.approx(-30, abs=0.01)
    assert context.warnings == ["it lasts 0.1 s, less than a block of 0.4 s: its loudness was measured without gates"]
    assert apply(Loudness, np.full((1, 1), 0.5, "f4"), 22050)[0].shape == (1, 1)


def test_a_waveform_below_the_gate_stays_as_it_is() -> None:
    for samples in (np.zeros((1, 30000), "f4"), np.full((1, 30000), 1e-5, "f4")):
        found, context = apply(Loudness, samples, 22050)
        np.testing.assert_array_equal(found, samples)
        assert context.warnings == ["nothing in it is louder than -70 LUFS, so it stays as it is"]
        assert context.measurements == {"source_lufs": "-inf"}


def test_nan_and_infinity_stay() -> None:
    samples = speech()
    samples[0, 100] = np.nan
    found, _ = apply(Loudness, samples, 22050, target_lufs=-30.0)
    assert np.isnan(found[0, 100])
    assert np.isnan(found).sum() == 1


def test_a_number_of_channels_without_weights_is_refused() -> None:
    samples = np.tile(speech(), (7, 1))
    with pytest.raises(ItemError, match="has no weights for 7 channels") as caught:
        apply(Loudness, samples, 22050)
    assert caught.value.hint == "channel_weights: … (one weight for each channel); put mix before it, with to: mono"
    for spec, message in (
        ({"channels": 7}, "has no weights for 7 channels, only for 1, 2, 3, 4, 5, 6, 8"),
        ({"sample_rate": 2000}, "loudness needs a sample rate of at least 4000 Hz, not 2000 Hz"),
    ):
        with pytest.raises(OptionError, match=message):
            make(Loudness).produces(Spec(signals=(Waveform,), **spec))
    with pytest.raises(OptionError, match="there are 2 weights for 1 channels"):
        make(Loudness, channel_weights=[1, 1]).produces(Spec(signals=(Waveform,), channels=1))
    found, _ = apply(Loudness, samples, 22050, target_lufs=-30.0, channel_weights=[1.0, 0, 0, 0, 0, 0, 0])
    assert measure_loudness(found[:1], 22050).integrated == pytest.approx(-30, abs=0.01)


def test_check_refuses_a_low_rate() -> None:
    text = problems({"use": "resample", "with": {"sample_rate": 2000}}, {"use": "loudness"})
    assert "no-loudness: loudness: loudness needs a sample rate of at least 4000 Hz, not 2000 Hz" in text
    assert "resample" in text.splitlines()[1]
    assert problems({"use": "resample", "with": {"sample_rate": 4000}}, {"use": "loudness"}) == ""
