"""filter: against scipy over the whole signal in float64, and the level of sines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.signal
from transform_helpers import apply, problems

from tonearm.api import ItemError
from tonearm_plugins.transforms.filter import Filter

RATE = 16000
FILTERS: list[tuple[dict[str, Any], Any]] = [
    ({"high_pass_hz": 80.0}, [(80, "highpass")]),
    ({"low_pass_hz": 3000.0}, [(3000, "lowpass")]),
    ({"band_pass_hz": [300.0, 3400.0]}, [((300, 3400), "bandpass")]),
    ({"band_stop_hz": [900.0, 1100.0]}, [((900, 1100), "bandstop")]),
    ({"high_pass_hz": 20.0, "low_pass_hz": 7000.0}, [(20, "highpass"), (7000, "lowpass")]),
]


def noise(channels: int, length: int, kind: str = "f8") -> Any:
    return np.random.default_rng(length).standard_normal((channels, length)).astype(kind)


def sections(filters: Any, order: int, rate: int = RATE) -> Any:
    return np.concatenate([scipy.signal.butter(order, hz, kind, fs=rate, output="sos") for hz, kind in filters])


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize(("options", "filters"), FILTERS)
def test_it_is_scipys_over_the_whole_at_once(options: dict[str, Any], filters: Any, kind: str) -> None:
    samples = noise(2, 300_001, kind)  # three blocks, and a bit
    for order in (1, 4, 8):
        found, _ = apply(Filter, samples, RATE, order=order, **options)
        wanted = scipy.signal.sosfilt(sections(filters, order), samples.astype("f8"))
        np.testing.assert_allclose(found, wanted, atol=1e-12 if kind == "f8" else 1e-6)


@pytest.mark.parametrize(("options", "filters"), FILTERS)
def test_zero_phase_is_scipys_too(options: dict[str, Any], filters: Any) -> None:
    samples = noise(2, 5000)
    found, _ = apply(Filter, samples, RATE, zero_phase=True, **options)
    np.testing.assert_allclose(found, scipy.signal.sosfiltfilt(sections(filters, 4), samples), atol=1e-12)


@pytest.mark.parametrize("zero_phase", [False, True])
def test_edges_have_their_documented_loss(zero_phase: bool) -> None:
    for hertz, wanted in ((100.0, 3.01), (50.0, 24.1), (1000.0, 0.0)):
        sine = np.sin(2 * np.pi * hertz * np.arange(4 * RATE) / RATE)[None]
        found, _ = apply(Filter, sine, RATE, high_pass_hz=100.0, zero_phase=zero_phase)
        middle = found[0, RATE:-RATE]
        loss = -20 * math.log10(math.sqrt(2 * np.mean(middle**2)))
        assert loss == pytest.approx(wanted * (2 if zero_phase else 1), abs=0.05)
        if zero_phase:
            assert np.corrcoef(middle, sine[0, RATE:-RATE])[0, 1] > 0.9999  # nothing is delayed


@pytest.mark.parametrize("zero_phase", [False, True])
@pytest.mark.parametrize("channels", range(1, 9))
def test_short_sounds_of_any_number_of_channels(channels: int, zero_phase: bool) -> None:
    for length in (1, 2, 10, 27):
        found, _ = apply(Filter, noise(channels, length, "f4"), RATE, low_pass_hz=1000.0, zero_phase=zero_phase)
        assert found.shape == (channels, length)
        assert np.isfinite(found).all()


@pytest.mark.parametrize("zero_phase", [False, True])
def test_nan_and_infinity_stay_and_count_as_zero(zero_phase: bool) -> None:
    samples = noise(1, 3000)
    clean = samples.copy()
    samples[0, 1000], samples[0, 2000] = np.nan, np.inf
    clean[0, [1000, 2000]] = 0
    found = apply(Filter, samples, RATE, low_pass_hz=1000.0, zero_phase=zero_phase)[0]
    wanted = apply(Filter, clean, RATE, low_pass_hz=1000.0, zero_phase=zero_phase)[0]
    assert np.isnan(found[0, 1000])
    assert np.isinf(found[0, 2000])
    np.testing.assert_array_equal(np.delete(found, [1000, 2000]), np.delete(wanted, [1000, 2000]))


def test_silence_stays_silence() -> None:
    assert not apply(Filter, np.zeros((2, 1000), "f4"), RATE, high_pass_hz=80.0)[0].any()


def test_an_edge_that_the_rate_does_not_have_is_found_before_and_after() -> None:
    low = {"use": "filter", "with": {"low_pass_hz": 8000}}
    text = problems({"use": "resample", "with": {"sample_rate": 16000}}, low)
    assert "beyond-nyquist: filter: 8000 Hz is not below half of the sample rate, 8000 Hz" in text
    assert problems(low) == ""
    with pytest.raises(ItemError, match="9000 Hz is not below half of the sample rate, 8000 Hz"):
        applied_without_check(np.zeros((1, 10)), band_stop_hz=[8900.0, 9000.0])


def applied_without_check(samples: Any, **options: Any) -> Any:
    from transform_helpers import make

    from tonearm.api import Context, Waveform

    return make(Filter, **options).apply(Waveform(samples=samples, sample_rate=RATE), Context())


def test_options_that_contradict_each_other_are_refused() -> None:
    assert "filter: no option says what to filter" in problems({"use": "filter"})
    for band in ([300, 200], [0, 200]):
        text = problems({"use": "filter", "with": {"band_pass_hz": band}})
        assert f"filter: {[float(x) for x in band]} is not a band" in text
    assert "filter: 'band_pass_hz' is" in problems({"use": "filter", "with": {"band_pass_hz": [300]}})
