"""Filters, fades and gains, asked what torchaudio's and scipy's tests ask: responses, stability, ends, middles."""

import numpy as np
import pytest
import scipy.signal
from peer_material import RATE, noise, sine

from tonearm.api import Context, Waveform
from tonearm.plugins.ports import ports_of
from tonearm_plugins.transforms.dc_remove import DcRemove
from tonearm_plugins.transforms.fade import Fade
from tonearm_plugins.transforms.filter import Filter
from tonearm_plugins.transforms.gain import Gain
from tonearm_plugins.transforms.normalize import Normalize


def apply(plugin, samples, rate=RATE, **options):
    made = plugin(ports_of(plugin).options(**options))
    return made.apply(Waveform(samples=np.atleast_2d(samples), sample_rate=rate), Context()).samples


# ------------------------------------------------------------ filters

FILTERS = (
    ({"low_pass_hz": 1500.0}, "lowpass", 1500.0),
    ({"high_pass_hz": 300.0}, "highpass", 300.0),
    ({"band_pass_hz": [400.0, 2500.0]}, "bandpass", [400.0, 2500.0]),
    ({"band_stop_hz": [900.0, 1100.0]}, "bandstop", [900.0, 1100.0]),
)


@pytest.mark.parametrize(("options", "kind", "edges"), FILTERS)
def test_filters_are_scipys(options, kind, edges):
    for order in [1, 2, 5, 9]:
        samples = noise(2, 150_001)  # more than a block
        sections = scipy.signal.butter(order, edges, kind, fs=RATE, output="sos")
        assert (
            np.abs(apply(Filter, samples, order=order, **options) - scipy.signal.sosfilt(sections, samples)).max()
            < 1e-12
        )
        both = scipy.signal.sosfiltfilt(sections, samples)
        assert np.abs(apply(Filter, samples, order=order, zero_phase=True, **options) - both).max() < 1e-12


@pytest.mark.parametrize("zero_phase", [False, True])
@pytest.mark.parametrize(("options", "kind", "edges"), FILTERS)
def test_a_tone_at_an_edge_is_three_decibels_down_or_six_forwards_and_backwards(options, kind, edges, zero_phase):
    for edge in np.atleast_1d(edges):
        samples = sine(edge, 4 * RATE, amplitude=1.0)
        found = apply(Filter, samples, zero_phase=zero_phase, **options)[0, RATE:-RATE]
        level = 20 * np.log10(np.sqrt(2 * np.mean(found**2)))
        assert level == pytest.approx(-6.02 if zero_phase else -3.01, abs=0.02)


@pytest.mark.parametrize("order", [4, 9, 16])
def test_filters_of_a_high_order_and_a_low_edge_stay_stable(order):
    samples = np.zeros((1, 8 * RATE))
    samples[0, 0] = 1
    found = apply(Filter, samples, high_pass_hz=20.0, order=order)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 1.0
    assert np.abs(found[:, -RATE:]).max() < 1e-6


def test_a_filter_in_single_precision_is_computed_in_double():
    samples = (0.5 + noise(1, 60_000, level=0.01)).astype("f4")
    exact = apply(Filter, samples.astype("f8"), high_pass_hz=5.0, order=6)
    found = apply(Filter, samples, high_pass_hz=5.0, order=6)
    assert found.dtype == np.float32
    assert np.abs(found - exact).max() < 1e-7


def test_filters_in_a_row_are_one_after_the_other():
    samples = noise(1, 20_000)
    both = apply(Filter, samples, high_pass_hz=100.0, low_pass_hz=3000.0)
    chain = apply(Filter, apply(Filter, samples, high_pass_hz=100.0), low_pass_hz=3000.0)
    assert np.abs(both - chain).max() < 1e-12


# ------------------------------------------------------------ fades


def fade_gains(count, shape):
    """Return the gains of torchaudio's Fade by time from 0 to 1; its exponential has another curve than ours."""
    time = np.arange(count) / count
    return {
        "linear": time,
        "equal-power": np.sin(time * np.pi / 2),
        "cosine": np.sin(time * np.pi - np.pi / 2) / 2 + 0.5,
        "exponential": np.where(time > 0, 10 ** (-60 * (1 - time) / 20), 0),
    }[shape]


@pytest.mark.parametrize("shape", ["linear", "equal-power", "cosine", "exponential"])
@pytest.mark.parametrize(("rising", "falling"), [(100, 50), (0, 125), (250, 0), (500, 500)])
def test_fades_follow_their_curve_and_leave_the_middle(rising, falling, shape):
    samples = noise(2, 16000) + 1
    found = apply(Fade, samples, in_ms=float(rising), out_ms=float(falling), shape=shape)
    gains = np.ones(16000)
    rising, falling = rising * RATE // 1000, falling * RATE // 1000
    gains[:rising] = fade_gains(rising, shape)
    gains[16000 - falling :] *= fade_gains(falling, shape)[::-1]
    assert np.abs(found - samples * gains).max() < 1e-14


@pytest.mark.parametrize("shape", ["linear", "equal-power", "cosine", "exponential"])
def test_a_fade_never_goes_back_and_never_above_one(shape):
    found = apply(Fade, np.ones((1, 3200)), in_ms=120.0, out_ms=0.0, shape=shape)[0]
    assert found[0] == 0
    assert found.max() == 1
    assert (np.diff(found) >= 0).all()


# ------------------------------------------------------------ gains


@pytest.mark.parametrize("db", [-60.0, -6.0, 0.0, 12.0])
def test_a_gain_in_decibels_is_a_factor(db):
    samples = noise(2, 500)
    assert apply(Gain, samples, gain_db=db) == pytest.approx(samples * 10 ** (db / 20), rel=1e-14)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("db", [-30.0, -1.0, 0.0])
def test_normalized_peaks_and_levels_are_what_was_asked(db, kind):
    samples = noise(2, 4000).astype(kind)
    limit = 1e-6 if kind == "f4" else 1e-13
    assert np.abs(apply(Normalize, samples, peak_db=db)).max() == pytest.approx(10 ** (db / 20), rel=limit)
    rms = np.sqrt(np.mean(apply(Normalize, samples, rms_db=db).astype("f8") ** 2))
    assert rms == pytest.approx(10 ** (db / 20), rel=limit)


def test_a_normalized_sound_is_the_same_at_any_level_before():
    samples = noise(1, 3000)
    first, second = (apply(Normalize, gain * samples, peak_db=-3.0) for gain in (1e-6, 300.0))
    assert np.abs(first - second).max() < 1e-13


@pytest.mark.parametrize("shift", [-0.75, 0.02, 0.5])
def test_a_shift_of_each_channel_is_taken_off_and_nothing_else(shift):
    samples = noise(3, 5000)
    samples -= samples.mean(axis=1, keepdims=True)
    found = apply(DcRemove, samples + shift * np.array([[1], [0], [-2]]))
    assert np.abs(found - samples).max() < 1e-13
