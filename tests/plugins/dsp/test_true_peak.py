"""True peaks, against EBU Tech 3341's signals, sines in closed form, scipy's FFT, and ffmpeg's ebur128."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.signal
from dsp_material import ENGINES
from meter_material import noise, speech
from meter_reference import between_samples, ffmpegs

from tonearm_plugins.dsp.engines.native import true_peak_kernel
from tonearm_plugins.dsp.interpolation import OVERSAMPLING, TAPS, interpolation_filters
from tonearm_plugins.dsp.true_peak import SPAN, measure_true_peak, true_peak_envelope


def decibels(samples: Any, engine: str = "auto") -> float:
    return 20 * math.log10(measure_true_peak(np.atleast_2d(samples), engine=engine))


# EBU Tech 3341, table 1: period of the sine in samples, phase in degrees, amplitude, and what it reads in dBTP.
SINES = {15: (4, 0, 0.5, -6), 16: (4, 45, 0.5, -6), 17: (6, 60, 0.5, -6), 18: (8, 67.5, 0.5, -6), 19: (4, 45, 1.41, 3)}


def eased(samples: Any) -> Any:
    """Fade a sound in and out: a sharp end overshoots, and has a true peak of its own."""
    ramp = np.minimum(1, np.arange(samples.size) / 2000)
    return (samples * ramp * ramp[::-1]).astype("f4")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("number", SINES)
def test_the_ebus_sines_read_what_they_should(number: int, engine: str) -> None:
    period, degrees, amplitude, wanted = SINES[number]
    samples = eased(amplitude * np.sin(2 * np.pi * np.arange(48000) / period + np.radians(degrees)))
    assert wanted - 0.4 <= decibels(np.tile(samples, (2, 1)), engine) <= wanted + 0.2


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("first", range(4))
def test_the_ebus_peak_between_samples_reads_the_same_wherever_it_lies(first: int, engine: str) -> None:
    assert -0.4 <= decibels(eased(between_samples(first)), engine) <= 0.2


@pytest.mark.parametrize("engine", ENGINES)
def test_sines_read_their_amplitude(engine: str) -> None:
    for turns in (0.01, 0.1, 0.2, 0.3, 0.4):  # of the sample rate
        most = -20 * math.log10(math.cos(math.pi * turns / OVERSAMPLING))  # what four values to a sample may miss
        for phase in np.linspace(0, np.pi, 9):
            samples = eased(0.5 * np.sin(2 * np.pi * turns * np.arange(8000) + phase))
            assert -most - 0.01 <= decibels(samples, engine) + 20 * math.log10(2) <= 0.01


@pytest.mark.parametrize("engine", ENGINES)
def test_it_is_that_of_the_whole_signal_at_four_times_the_rate(engine: str) -> None:
    low = scipy.signal.firwin(201, 0.8)
    samples = scipy.signal.lfilter(low, 1, np.random.default_rng(2).standard_normal((2, 30000)) * 0.2).astype("f4")
    faded = np.stack([eased(channel) for channel in samples])
    wanted = np.abs(scipy.signal.resample(faded.astype("f8"), 4 * faded.shape[1], axis=1)).max()
    assert decibels(faded, engine) == pytest.approx(20 * math.log10(wanted), abs=0.005)


@pytest.mark.parametrize("rate", [8000, 48000, 192000])
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.usefixtures("ffmpeg")
def test_it_agrees_with_ffmpeg_on_noise(rate: int, channels: int) -> None:
    # Up to half the rate each meter has its own low-pass. ffmpeg always goes to 192 kHz, so at 8 kHz it looks more
    # closely, and at 192 kHz it takes the samples as they are.
    low = scipy.signal.firwin(301, min(20_000, 0.4 * rate), fs=rate)
    samples = scipy.signal.lfilter(low, 1, noise(2, rate, channels)).astype("f4")
    assert decibels(samples) == pytest.approx(ffmpegs(samples, rate)[1], abs=0.2)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 96000])
@pytest.mark.usefixtures("ffmpeg")
def test_it_agrees_with_ffmpeg_on_speech(rate: int) -> None:
    samples = speech(rate)
    assert decibels(samples) == pytest.approx(ffmpegs(samples, rate)[1], abs=0.1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("length", [1, 2, 31, 63, 64, 65, 200_000])
def test_skipped_spans_do_not_matter(length: int, engine: str) -> None:
    samples = noise(1, 8000, 1, seed=length)[0] if length < 8000 else noise(25, 8000, 1)[0]
    samples = samples[:length]
    filters = np.concatenate([[np.eye(TAPS)[TAPS // 2 - 1]], interpolation_filters()])
    padded = np.pad(samples, (TAPS // 2 - 1, TAPS // 2)).astype("f8")
    all_of_them = np.abs([np.correlate(padded, taps, "valid") for taps in filters])
    assert measure_true_peak(samples[None], engine=engine) == pytest.approx(all_of_them.max(), rel=1e-5)
    ceiling = 0.3 * float(np.abs(samples).max())
    found = true_peak_envelope(samples, slice(0, length), ceiling, engine=engine)
    over = all_of_them.max(axis=0) > ceiling * 1.001
    np.testing.assert_allclose(found[over], all_of_them.max(axis=0)[over], rtol=1e-5)
    part = slice(length // 3, length - length // 4)
    again = true_peak_envelope(samples, part, ceiling, engine=engine)
    np.testing.assert_allclose(np.maximum(again, ceiling), np.maximum(found[part], ceiling), rtol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_loud_span_reaches_into_the_quiet_one_before_it(engine: str) -> None:
    samples = np.zeros(4 * SPAN, "f4")
    samples[SPAN : SPAN + 2] = 0.5, 0.4
    padded = np.pad(samples, (TAPS // 2 - 1, TAPS // 2)).astype("f8")
    wanted = np.abs([np.correlate(padded, taps, "valid") for taps in interpolation_filters()]).max(axis=0)[SPAN - 1]
    found = true_peak_envelope(samples, slice(0, samples.size), 0.1, engine=engine)[SPAN - 1]
    assert found == pytest.approx(wanted, rel=1e-5)
    assert found > 0.3


@pytest.mark.parametrize("engine", ENGINES)
def test_silence_nan_and_infinity(engine: str) -> None:
    assert measure_true_peak(np.zeros((2, 100), "f4"), engine=engine) == 0
    samples = noise(0.1, 8000, 1)
    samples[0, 50], samples[0, 300] = np.nan, np.inf
    wanted = measure_true_peak(np.nan_to_num(samples, posinf=0), engine=engine)
    assert measure_true_peak(samples, engine=engine) == wanted


def test_samples_of_float64_are_interpolated_in_float64() -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, 1000)
    found = true_peak_envelope(samples, slice(100, 900), 0.0)
    between = [np.convolve(samples, taps[::-1]) for taps in interpolation_filters()]
    begin = TAPS // 2 + 100
    expected = np.max(np.abs([samples[100:900], *(one[begin : begin + 800] for one in between)]), axis=0)
    assert found.dtype == np.float64
    assert np.abs(found - expected).max() < 1e-14
    assert true_peak_envelope(samples.astype("f4"), slice(100, 900), 0.0).dtype == np.float32


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_which_spans_are_looked_at_together_changes_no_bit_of_an_envelope(engine: str, kind: str) -> None:
    channel = np.random.default_rng(0).standard_normal(20 * SPAN).astype(kind)
    whole = true_peak_envelope(channel, slice(0, channel.size), 0.1, engine=engine)
    for start in range(0, channel.size, SPAN):
        part = slice(start, start + SPAN)
        np.testing.assert_array_equal(true_peak_envelope(channel, part, 0.1, engine=engine), whole[part])


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_change_no_bit_and_progress_reaches_the_end(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(true_peak_kernel, "PART_LENGTH", 1 << 12)
    samples = noise(9, 8000, 4)
    reported: list[tuple[float, float]] = []
    found = measure_true_peak(samples, engine=engine, threads=3, on_progress=lambda *done: reported.append(done))
    assert found == measure_true_peak(samples, engine=engine)
    assert reported == sorted(reported)
    assert reported[-1][0] == reported[-1][1]
