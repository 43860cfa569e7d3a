"""Loudness, against EBU Tech 3341's signals, BS.1770-4 written out plainly in float64, and ffmpeg's ebur128."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.signal
from dsp_material import ENGINES, only_native
from meter_material import noise, speech
from meter_reference import HIGH_PASS, SHELF, ffmpegs, ffmpegs_range, integrated, tone

from tonearm_plugins.dsp.channel_layouts import LOUDNESS_WEIGHTS
from tonearm_plugins.dsp.engines.native import loudness_kernel
from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.loudness import k_weighting, measure_loudness

# EBU Tech 3341, table 1: level in dBFS and seconds of a 1 kHz sine in both channels; all are -23 LUFS but the second.
TECH_3341 = {
    1: [(-23, 20)],
    2: [(-33, 20)],
    3: [(-36, 10), (-23, 60), (-36, 10)],
    4: [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)],
    5: [(-26, 20), (-20, 20.1), (-26, 20)],
    9: [(-20, 1.34), (-30, 1.66)] * 5,
}


# EBU Tech 3342, table 1, made as those: the loudness range in LU.
TECH_3342 = {
    1: ([(-20, 20), (-30, 20)], 10),
    2: ([(-20, 20), (-15, 20)], 5),
    3: ([(-40, 20), (-20, 20)], 20),
    4: ([(-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)], 15),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("number", TECH_3341)
def test_the_ebus_signals_read_what_they_should(number: int, engine: str) -> None:
    both = np.tile(tone(TECH_3341[number]), (2, 1)).astype("f4")
    wanted = -33.0 if number == 2 else -23.0
    assert measure_loudness(both, 48000, engine=engine).integrated == pytest.approx(wanted, abs=0.1)


@pytest.mark.parametrize("number", TECH_3342)
def test_the_ebus_ranges_read_what_they_should(number: int) -> None:
    levels, wanted = TECH_3342[number]
    both = np.tile(tone(levels), (2, 1)).astype("f4")
    assert measure_loudness(both, 48000).range == pytest.approx(wanted, abs=1)


def test_the_ebus_short_term_signals_read_what_they_should() -> None:
    """The ninth stays at -23 LUFS whatever 3 s are taken, the tenth comes to it wherever its 3 s of sound begin."""
    steady = measure_loudness(np.tile(tone(TECH_3341[9]), (2, 1)).astype("f4"), 48000)
    np.testing.assert_allclose(-0.691 + 10 * np.log10(steady.short_term), -23, atol=0.1)
    for number in range(20):
        both = np.tile(tone([(-200, number * 0.15), (-23, 3), (-200, 1)]), (2, 1)).astype("f4")
        assert measure_loudness(both, 48000).max_short_term == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
@pytest.mark.usefixtures("ffmpeg")
def test_the_range_agrees_with_ffmpeg(rate: int) -> None:
    samples = noise(60, rate, 1)  # ffmpeg takes the value one rank below the standard's: slow enough not to matter
    assert measure_loudness(samples, rate).range == pytest.approx(ffmpegs_range(samples, rate), abs=0.2)


def test_there_is_no_range_of_less_than_three_seconds_or_of_silence() -> None:
    found = measure_loudness(noise(2.9, 8000, 1), 8000)
    assert (found.range, found.max_short_term) == (None, -math.inf)
    assert measure_loudness(np.zeros((1, 40_000), "f4"), 8000).range is None
    louder, found = (measure_loudness(noise(9, 8000, 1), 8000).scaled(gain) for gain in (2, 1))
    assert louder.range == pytest.approx(found.range)
    assert louder.max_short_term - found.max_short_term == pytest.approx(20 * math.log10(2))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("channels", [5, 6])
def test_the_ebus_surround_signal_reads_what_it_should(channels: int, engine: str) -> None:
    left, center, surround = (tone([(level, 20)]) for level in (-28, -24, -30))
    lfe = [tone([(-6, 20)])] if channels == 6 else []  # in the sixth signal it is silent; here it must not matter
    samples = np.stack([left, left, center, *lfe, surround, surround]).astype("f4")
    assert measure_loudness(samples, 48000, engine=engine).integrated == pytest.approx(-23.0, abs=0.1)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 96000, 192000])
def test_the_ebus_gating_signal_reads_the_same_at_every_rate(rate: int) -> None:
    both = np.tile(tone(TECH_3341[5], rate), (2, 1)).astype("f4")
    assert measure_loudness(both, rate).integrated == pytest.approx(-23.0, abs=0.1)


def test_the_k_weighting_has_the_recommendations_figures_at_48_khz() -> None:
    for section, (numerator, denominator) in zip(k_weighting(48000), (SHELF, HIGH_PASS), strict=True):
        np.testing.assert_allclose(section, [*numerator, *denominator], rtol=0, atol=1e-9)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 192000])
def test_the_k_weighting_is_the_same_filter_at_every_rate(rate: int) -> None:
    hertz = np.geomspace(20, 1500, 30)
    (_, found), (_, wanted) = (scipy.signal.sosfreqz(k_weighting(r), hertz, fs=r) for r in (rate, 48000))
    # The high-pass keeps the Recommendation's numerator at every rate, as in libebur128 and ffmpeg.
    assert np.abs(20 * np.log10(np.abs(found / wanted))).max() < (0.6 if rate == 8000 else 0.06)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 8])
def test_it_is_what_the_recommendation_says(channels: int, engine: str) -> None:
    samples = noise(13.7, 48000, channels)
    found = measure_loudness(samples, 48000, engine=engine).integrated
    assert found == pytest.approx(integrated(samples, LOUDNESS_WEIGHTS[channels]), abs=1e-5)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("rate", [8000, 22050, 48000, 192000])
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.usefixtures("ffmpeg")
def test_it_agrees_with_ffmpeg_on_noise(rate: int, channels: int) -> None:
    samples = noise(6, rate, channels)  # whole blocks, because ffmpeg's last reading comes at a whole 100 ms
    assert measure_loudness(samples, rate).integrated == pytest.approx(ffmpegs(samples, rate)[0], abs=0.1)


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 96000])
@pytest.mark.usefixtures("ffmpeg")
def test_it_agrees_with_ffmpeg_on_speech(rate: int) -> None:
    samples = speech(rate)
    assert measure_loudness(samples, rate).integrated == pytest.approx(ffmpegs(samples, rate)[0], abs=0.1)


@pytest.mark.parametrize("engine", ENGINES)
def test_blocks_below_the_absolute_gate_do_not_count(engine: str) -> None:
    both = np.tile(tone([(-66, 5), (-74, 5)]), (2, 1)).astype(
        "f4"
    )  # within the relative gate, but for the absolute one
    found = measure_loudness(both, 48000, engine=engine).integrated
    assert found == pytest.approx(integrated(both, (1, 1)), abs=1e-5)
    assert found == pytest.approx(-66, abs=0.2)
    assert measure_loudness(both[:, 300_000:], 48000, engine=engine).integrated == -math.inf


@only_native
@pytest.mark.parametrize("rate", [4000, 8000, 11025, 22051, 44100, 48000, 192000])
@pytest.mark.parametrize("seconds", [0.41, 3.33])
def test_both_engines_measure_the_same(rate: int, seconds: float) -> None:
    samples = noise(seconds, rate, 2)
    native, plain = (measure_loudness(samples, rate, engine=engine).energy for engine in ("native", "scipy"))
    np.testing.assert_allclose(native, plain, rtol=1e-7)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_gain_moves_the_loudness_as_much(engine: str) -> None:
    found = measure_loudness(noise(5, 22050, 2), 22050, engine=engine)
    again = measure_loudness(noise(5, 22050, 2) * np.float32(0.5), 22050, engine=engine)
    assert found.scaled(0.5).integrated == pytest.approx(again.integrated, abs=1e-5)
    for target in (-60.0, -23.0, 0.0):
        assert found.scaled(found.gain_to(target)).integrated == pytest.approx(target, abs=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("length", [1, 100, 2205, 8819])
def test_a_sound_shorter_than_a_block_is_measured_without_gates(length: int, engine: str) -> None:
    samples = noise(0.5, 22050, 1)[:, :length]
    found = measure_loudness(samples, 22050, engine=engine)
    weighted = scipy.signal.sosfilt(k_weighting(22050), np.pad(samples[0], (0, -length % 2205)).astype("f8"))
    assert found.ungated
    assert found.integrated == pytest.approx(-0.691 + 10 * math.log10((weighted**2).sum() / length), abs=1e-5)
    assert not measure_loudness(noise(0.5, 22050, 1)[:, :8820], 22050, engine=engine).ungated


@pytest.mark.parametrize("engine", ENGINES)
def test_silence_has_no_loudness(engine: str) -> None:
    for samples in (np.zeros((2, 48000), "f4"), np.full((1, 48000), 1e-6, "f4"), np.zeros((1, 3), "f4")):
        found = measure_loudness(samples, 48000, engine=engine)
        assert found.integrated == -math.inf
        assert found.gain_to(-16) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_values_that_are_not_finite_count_as_nothing(engine: str) -> None:
    samples = noise(1, 8000, 2)
    samples[0, 100:120], samples[1, 7000], samples[1, 7001] = np.nan, np.inf, -np.inf
    zeros = np.nan_to_num(samples, posinf=0, neginf=0)
    found, wanted = (measure_loudness(x, 8000, engine=engine).integrated for x in (samples, zeros))
    assert found == pytest.approx(wanted, abs=1e-9)


def test_unmeasurable_waveforms_are_refused() -> None:
    with pytest.raises(ShapeError, match="no weights for 7 channels, only for 1, 2, 3, 4, 5, 6, 8"):
        measure_loudness(np.zeros((7, 9), "f4"), 48000)
    with pytest.raises(ShapeError, match="there are 2 weights for 3 channels"):
        measure_loudness(np.zeros((3, 9), "f4"), 48000, weights=[1, 1])
    with pytest.raises(ShapeError, match="at least 4000 Hz, not 3999 Hz"):
        measure_loudness(np.zeros((1, 9), "f4"), 3999)
    assert measure_loudness(noise(1, 8000, 7), 8000, weights=[1] * 7).integrated < 0


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_change_no_bit_and_progress_reaches_the_end(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loudness_kernel, "LEAST_SAMPLES", 1)
    samples = noise(30, 8000, 6)
    reported: list[tuple[float, float]] = []
    found = measure_loudness(samples, 8000, engine=engine, threads=3, on_progress=lambda *done: reported.append(done))
    np.testing.assert_array_equal(found.energy, measure_loudness(samples, 8000, engine=engine).energy)
    assert reported == sorted(reported)
    assert reported[-1][0] == reported[-1][1]


@pytest.mark.parametrize("engine", ENGINES)
def test_channels_without_weight_do_not_count_whatever_they_hold(engine: str) -> None:
    samples = noise(2, 8000, 3)
    samples[1] = np.nan
    found = measure_loudness(samples, 8000, weights=[1, 0, 1], engine=engine)
    wanted = measure_loudness(samples[::2], 8000, weights=[1, 1], engine=engine)
    np.testing.assert_allclose(found.energy, wanted.energy, rtol=1e-7)
    assert measure_loudness(samples, 8000, weights=[0, 0, 0], engine=engine).integrated == -math.inf
