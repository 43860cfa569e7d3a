"""normalize, gain, dc-remove, pad, fade, limiter and loudness, as pipelines use them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from finishing import applied, made, problems, speech
from hypothesis import given
from hypothesis import strategies as st

from tonearm.api import ItemError, OptionError, Spec, Waveform
from tonearm_plugins.dsp.loudness import measure_loudness
from tonearm_plugins.dsp.true_peak import true_peak_of
from tonearm_plugins.transforms.dc_remove import DcRemove
from tonearm_plugins.transforms.fade import Fade
from tonearm_plugins.transforms.gain import Gain
from tonearm_plugins.transforms.limiter import Limiter
from tonearm_plugins.transforms.loudness import Loudness
from tonearm_plugins.transforms.normalize import Normalize
from tonearm_plugins.transforms.pad import Pad

SHAPES = ("linear", "cosine", "equal-power", "exponential")


def noise(channels: int, length: int, level: float = 0.1, kind: str = "f4") -> Any:
    return (np.random.default_rng(length).standard_normal((channels, length)) * level).astype(kind)


def db(amplitude: float) -> float:
    return 20 * math.log10(amplitude)


def rms(samples: Any) -> float:
    return math.sqrt(np.mean(np.square(samples, dtype="f8")))


class TestNormalize:
    @pytest.mark.parametrize("kind", ["f4", "f8"])
    @pytest.mark.parametrize("channels", [1, 2, 8])
    def test_the_peak_over_all_channels(self, channels: int, kind: str) -> None:
        samples = noise(channels, 5000, kind=kind)
        found, context = applied(Normalize, samples, peak_db=-6.0)
        assert db(np.abs(found).max()) == pytest.approx(-6, abs=1e-5)
        gain = context.measurements["gain_db"]
        np.testing.assert_allclose(found, samples * 10 ** (gain / 20), rtol=2e-3)
        assert db(np.abs(applied(Normalize, samples)[0]).max()) == pytest.approx(-1, abs=1e-5)

    def test_the_rms(self) -> None:
        samples = noise(2, 300_000)
        found, context = applied(Normalize, samples, rms_db=-30.0)
        assert db(rms(found)) == pytest.approx(-30, abs=1e-4)
        assert not context.warnings

    def test_a_full_scale_sine_has_an_rms_of_minus_3(self) -> None:
        sine = np.sin(2 * np.pi * np.arange(48000) / 48)[None]
        found, _ = applied(Normalize, 0.01 * sine, rms_db=-3.0103)
        np.testing.assert_allclose(found, sine, atol=1e-6)

    def test_a_peak_over_the_ceiling_lowers_the_gain_and_is_said(self) -> None:
        samples = noise(1, 48000)
        found, context = applied(Normalize, samples, rms_db=-6.0, peak_db=-1.0)
        assert db(np.abs(found).max()) == pytest.approx(-1, abs=1e-5)
        (warning,) = context.warnings
        assert warning.startswith("it would peak at ")
        assert " dBFS with an RMS of -6 dBFS, so its gain is " in warning
        assert not applied(Normalize, samples, rms_db=-30.0, peak_db=-1.0)[1].warnings

    @pytest.mark.parametrize("options", [{}, {"rms_db": -20.0}])
    def test_silence_and_the_very_soft(self, options: dict[str, float]) -> None:
        np.testing.assert_array_equal(applied(Normalize, np.zeros((2, 7), "f4"), **options)[0], 0)
        for kind, least in (("f4", 1e-45), ("f4", 1e-30), ("f8", 1e-200), ("f8", 1e-320)):
            samples = np.full((1, 9), least, kind)
            found, _ = applied(Normalize, samples)
            assert float(found.max()) == (pytest.approx(10 ** (-1 / 20)) if least > 1e-300 else least)
            assert np.isfinite(applied(Normalize, samples, **options)[0]).all()

    @pytest.mark.parametrize("options", [{}, {"rms_db": -20.0}])
    def test_what_is_not_finite_stays_and_has_no_level(self, options: dict[str, float]) -> None:
        samples = noise(2, 300_000)
        samples[0, 7], samples[1, 200_000] = np.nan, -np.inf
        clean = np.where(np.isfinite(samples), samples, 0)
        found = applied(Normalize, samples, **options)[0]
        wanted = applied(Normalize, clean, **options)[0]
        np.testing.assert_array_equal(np.where(np.isfinite(found), found, 0), wanted)
        assert np.isnan(found[0, 7])


class TestGain:
    def test_it_is_what_it_says(self) -> None:
        samples = noise(3, 100)
        np.testing.assert_allclose(applied(Gain, samples, gain_db=-20.0)[0], samples / 10, rtol=1e-6)
        np.testing.assert_array_equal(applied(Gain, samples, gain_db=0.0)[0], samples)

    def test_it_is_wanted_and_bounded(self) -> None:
        assert "missing-option: gain: 'gain_db' is missing" in problems({"use": "gain"})
        assert "gain: 'gain_db' is 1e4; expected" in problems({"use": "gain", "with": {"gain_db": 1e4}}).replace(
            "10000.0", "1e4"
        )


class TestDcRemove:
    @pytest.mark.parametrize("kind", ["f4", "f8"])
    def test_the_mean_of_each_channel_is_gone(self, kind: str) -> None:
        samples = noise(3, 300_000, kind=kind) + np.array([[0.5], [-0.25], [0]], kind)
        found, context = applied(DcRemove, samples)
        assert np.abs(found.mean(axis=1, dtype="f8")).max() < 1e-7
        np.testing.assert_allclose(found, samples - samples.mean(axis=1, dtype="f8")[:, None], atol=1e-6)
        assert context.measurements["dc_removed"] == pytest.approx(0.5, abs=1e-3)

    def test_one_sample_becomes_silence(self) -> None:
        np.testing.assert_array_equal(applied(DcRemove, np.full((2, 1), 0.3, "f4"))[0], 0)

    def test_what_is_not_finite_stays(self) -> None:
        samples = np.array([[0.5, np.nan, 0.5, np.inf]], "f4")
        np.testing.assert_array_equal(applied(DcRemove, samples)[0], [[0.25, np.nan, 0.25, np.inf]])


class TestPad:
    def test_before_and_after(self) -> None:
        samples = noise(2, 100)
        found, _ = applied(Pad, samples, 1000, before_ms=5.0, after_ms=7.0)
        np.testing.assert_array_equal(found, np.pad(samples, ((0, 0), (5, 7))))

    def test_up_to_a_duration_and_never_less(self) -> None:
        for length, wanted in ((1, 500), (499, 500), (500, 500), (501, 501)):
            assert applied(Pad, noise(1, length), 1000, min_seconds=0.5)[0].shape == (1, wanted)

    def test_up_to_a_multiple(self) -> None:
        for length, wanted in ((1, 256), (256, 256), (257, 512)):
            assert applied(Pad, noise(1, length), multiple=256)[0].shape == (1, wanted)
        assert applied(Pad, noise(1, 10), 1000, before_ms=1.0, min_seconds=0.02, multiple=32)[0].shape == (1, 32)

    def test_nothing_to_pad_is_a_mistake(self) -> None:
        assert "bad-option: pad: nothing says what to pad" in problems({"use": "pad"})


class TestFade:
    @pytest.mark.parametrize("shape", SHAPES)
    @given(length=st.integers(1, 400), rise=st.floats(0, 300), fall=st.floats(0, 300))
    def test_it_rises_and_falls_and_is_whole_between(self, shape: str, length: int, rise: float, fall: float) -> None:
        found, _ = applied(Fade, np.ones((2, length)), 1000, in_ms=rise, out_ms=fall, shape=shape)
        np.testing.assert_array_equal(found[0], found[1])
        top = int(np.argmax(found[0]))
        assert (np.diff(found[0, : top + 1]) >= 0).all()
        assert (np.diff(found[0, top:]) <= 0).all()
        assert found.min() >= 0
        rise, fall = round(rise), round(fall)
        if rise + fall < length:
            assert (found[0, rise : length - fall] == 1).all()
            assert rise == 0 or found[0, 0] == 0
            assert fall == 0 or found[0, -1] == 0

    def test_its_shapes(self) -> None:
        x = np.arange(100) / 100
        wanted = {
            "linear": x,
            "cosine": (1 - np.cos(np.pi * x)) / 2,
            "equal-power": np.sqrt((1 - np.cos(np.pi * x)) / 2),
            "exponential": np.where(x > 0, 10 ** (60 * (x - 1) / 20), 0),
        }
        for shape in SHAPES:
            found, _ = applied(Fade, np.ones((1, 300)), 1000, in_ms=100.0, out_ms=0.0, shape=shape)
            np.testing.assert_allclose(found[0, :100], wanted[shape], atol=1e-12)
            out, _ = applied(Fade, np.ones((1, 300)), 1000, in_ms=0.0, out_ms=100.0, shape=shape)
            np.testing.assert_array_equal(out, found[:, ::-1])

    def test_one_sample_and_nan_stay(self) -> None:
        np.testing.assert_array_equal(applied(Fade, np.full((1, 1), np.nan, "f4"))[0], np.nan)
        assert applied(Fade, np.ones((1, 1), "f4"), in_ms=100.0, out_ms=100.0)[0] == pytest.approx(1)


class TestLimiter:
    def test_true_peaks_are_under_minus_1_by_default(self) -> None:
        found, context = applied(Limiter, speech() * np.float32(8), 22050)
        assert db(true_peak_of(found)) == pytest.approx(-1, abs=1e-4)
        assert true_peak_of(found) <= 10 ** (-1 / 20)
        assert context.measurements["reduction_db"] > 6

    def test_or_those_of_the_samples_alone(self) -> None:
        found, _ = applied(Limiter, speech() * np.float32(8), 22050, peak_db=-3.0)
        assert 0.999 * 10 ** (-3 / 20) < np.abs(found).max() <= 10 ** (-3 / 20)

    def test_two_ceilings_are_a_mistake(self) -> None:
        step = {"use": "limiter", "with": {"peak_db": -1, "true_peak_db": -1}}
        assert "limiter: peak_db and true_peak_db are two ceilings" in problems(step)

    @pytest.mark.parametrize("channels", range(1, 9))
    def test_one_sample_of_any_number_of_channels(self, channels: int) -> None:
        found, _ = applied(Limiter, np.full((channels, 1), 3, "f4"), peak_db=0.0)
        np.testing.assert_array_equal(found, 1)


class TestLoudness:
    @pytest.mark.parametrize("target", [-40.0, -24.0])
    @pytest.mark.parametrize("channels", [1, 2, 6])
    def test_it_is_as_loud_as_wanted(self, channels: int, target: float) -> None:
        samples = np.tile(speech(), (channels, 3))
        found, context = applied(Loudness, samples, 22050, target_lufs=target, true_peak_db=-1.0)
        measured, noted = measure_loudness(found, 22050), context.measurements
        assert measured.integrated == pytest.approx(target, abs=0.01)
        assert noted["loudness_lufs"] == target
        assert noted["loudness_range_lu"] == pytest.approx(measured.range, abs=0.01)
        assert noted["max_short_term_lufs"] == pytest.approx(measured.loudest_short_term, abs=0.01)
        assert noted["true_peak_db"] == pytest.approx(db(true_peak_of(found)), abs=0.01)
        assert noted["gain_db"] == pytest.approx(target - noted["source_lufs"], abs=0.011)
        assert not context.warnings

    @pytest.mark.parametrize("true_peak_db", [-20.0, -60.0])
    @pytest.mark.parametrize("samples", [np.full((1, 6001), 0.3, "f4"), speech() * 0.1], ids=["DC", "speech"])
    def test_a_target_beyond_the_ceiling_is_missed_and_not_run_after(self, samples: Any, true_peak_db: float) -> None:
        found, context = applied(Loudness, samples, 22050, target_lufs=0.0, true_peak_db=true_peak_db)
        assert db(true_peak_of(found)) <= true_peak_db + 1e-6
        assert db(np.abs(found).max()) > true_peak_db - 1
        assert "LUFS, not 0: its true peak is at" in context.warnings[-1]

    def test_one_gain_leaves_it_softer_where_peaks_would_be_over(self) -> None:
        samples = speech()
        found, context = applied(Loudness, samples, 22050, target_lufs=-9.0, peaks="lower")
        assert db(true_peak_of(found)) == pytest.approx(-1, abs=1e-3)
        np.testing.assert_allclose(found / samples, (found / samples)[0, 5000], rtol=1e-5)
        (warning,) = context.warnings
        assert warning.startswith(
            f"it is at {context.measurements['loudness_lufs']:.1f} LUFS, not -9: its true peak is"
        )
        assert warning.endswith("at -1.0 dBTP; peaks: limit would reach it")

    def test_the_limiter_reaches_the_target_all_the_same(self) -> None:
        found, context = applied(Loudness, speech(), 22050, target_lufs=-14.0)
        assert measure_loudness(found, 22050).integrated == pytest.approx(-14, abs=0.1)
        assert true_peak_of(found) <= 10 ** (-1 / 20)
        assert not context.warnings
        assert context.measurements["loudness_lufs"] == pytest.approx(-14, abs=0.1)
        assert context.measurements["reduction_db"] > 6

    def test_what_even_the_limiter_cannot_reach_is_said(self) -> None:
        found, context = applied(Loudness, speech(), 22050, target_lufs=0.0)
        assert true_peak_of(found) <= 10 ** (-1 / 20)
        (warning,) = context.warnings
        assert "LUFS, not 0: its true peak is at -1.0 dBTP" in warning
        assert "peaks: limit" not in warning

    def test_without_a_ceiling_peaks_go_where_they_go(self) -> None:
        found, _ = applied(Loudness, speech(), 22050, target_lufs=-5.0, true_peak_db=None)
        assert measure_loudness(found, 22050).integrated == pytest.approx(-5, abs=0.01)
        assert true_peak_of(found) > 1

    def test_what_is_shorter_than_a_block_is_measured_as_a_whole_and_that_is_said(self) -> None:
        samples = noise(1, 2205)
        found, context = applied(Loudness, samples, 22050, target_lufs=-30.0)
        assert measure_loudness(found, 22050).integrated == pytest.approx(-30, abs=0.01)
        assert context.warnings == [
            "it lasts 0.1 s, less than a block of 0.4 s: its loudness is that of the whole, without gates"
        ]
        assert applied(Loudness, np.full((1, 1), 0.5, "f4"), 22050)[0].shape == (1, 1)

    def test_what_is_as_good_as_silent_stays_as_it_is(self) -> None:
        for samples in (np.zeros((1, 30000), "f4"), np.full((1, 30000), 1e-5, "f4")):
            found, context = applied(Loudness, samples, 22050)
            np.testing.assert_array_equal(found, samples)
            assert context.warnings == ["nothing in it is louder than -70 LUFS: it has no loudness, and stays as it is"]
            assert context.measurements == {"source_lufs": "-inf"}

    def test_what_is_not_finite_stays(self) -> None:
        samples = speech()
        samples[0, 100] = np.nan
        found, _ = applied(Loudness, samples, 22050, target_lufs=-30.0)
        assert np.isnan(found[0, 100])
        assert np.isnan(found).sum() == 1

    def test_channels_that_nobody_knows_want_weights(self) -> None:
        samples = np.tile(speech(), (7, 1))
        with pytest.raises(ItemError, match="does not say where 7 channels stand") as caught:
            applied(Loudness, samples, 22050)
        assert caught.value.hint.startswith("channel_weights says what each channel weighs")
        for spec, message in (
            ({"channels": 7}, "does not say where 7 channels stand, only of 1, 2, 3, 4, 5, 6, 8"),
            ({"sample_rate": 2000}, "loudness is measured from 4000 Hz on, not at 2000 Hz"),
        ):
            with pytest.raises(OptionError, match=message):
                made(Loudness).produces(Spec(signals=(Waveform,), **spec))
        with pytest.raises(OptionError, match="there are 2 weights for 1 channels"):
            made(Loudness, channel_weights=[1, 1]).produces(Spec(signals=(Waveform,), channels=1))
        found, _ = applied(Loudness, samples, 22050, target_lufs=-30.0, channel_weights=[1.0, 0, 0, 0, 0, 0, 0])
        assert measure_loudness(found[:1], 22050).integrated == pytest.approx(-30, abs=0.01)

    def test_check_says_it(self) -> None:
        text = problems({"use": "resample", "with": {"sample_rate": 2000}}, {"use": "loudness"})
        assert "no-loudness: loudness: loudness is measured from 4000 Hz on, not at 2000 Hz" in text
