"""Loudness and true peaks, asked what torchaudio's tests of compliance and scipy's tests of interpolation ask."""

import numpy as np
import pytest
import scipy.signal
from peer_material import ENGINES, noise, sine

from tonearm_plugins.dsp.loudness import measure_loudness
from tonearm_plugins.dsp.true_peak import measure_true_peak


def biquad(samples, b, a):
    return scipy.signal.lfilter(np.array(b) / a[0], np.array(a) / a[0], samples)


def torchaudio_loudness(samples, rate):
    """Return torchaudio.functional.loudness by its definition: cookbook filters, blocks of 400 ms, two gates.

    The shelf gains 4 dB at 1,500 Hz with a Q of 1/√2, and the high-pass is at 38 Hz with a Q of 0.5, so that readings
    differ a little from those of the Recommendation's own filters.
    """
    gain, q = 10 ** (4.0 / 40), 2**-0.5
    w = 2 * np.pi * 1500.0 / rate
    alpha, cos = np.sin(w) / (2 * q), np.cos(w)
    root = 2 * np.sqrt(gain) * alpha
    weighted = biquad(
        samples,
        [
            gain * (gain + 1 + (gain - 1) * cos + root),
            -2 * gain * (gain - 1 + (gain + 1) * cos),
            gain * (gain + 1 + (gain - 1) * cos - root),
        ],
        [gain + 1 - (gain - 1) * cos + root, 2 * (gain - 1 - (gain + 1) * cos), gain + 1 - (gain - 1) * cos - root],
    )
    w = 2 * np.pi * 38.0 / rate
    alpha, cos = np.sin(w) / (2 * 0.5), np.cos(w)
    weighted = biquad(weighted, [(1 + cos) / 2, -1 - cos, (1 + cos) / 2], [1 + alpha, -2 * cos, 1 - alpha])
    block, step = round(0.4 * rate), round(0.1 * rate)
    starts = range(0, weighted.shape[1] - block + 1, step)
    energy = np.array([[np.mean(channel[s : s + block] ** 2) for s in starts] for channel in weighted])
    weights = np.array([1.0, 1.0, 1.0, 1.41, 1.41])[: len(samples), None]
    loudness = -0.691 + 10 * np.log10(np.sum(weights * energy, axis=0))
    gated = loudness > -70
    relative = -0.691 + 10 * np.log10(np.sum(weights * energy[:, gated].mean(axis=1, keepdims=True))) - 10
    gated &= loudness > relative
    return float(-0.691 + 10 * np.log10(np.sum(weights * energy[:, gated].mean(axis=1, keepdims=True))))


def speechlike(channels, rate, seconds=4.0):
    """Return noise that falls by 6 dB an octave, with a level that swings by 30 dB."""
    length = int(rate * seconds)
    brown = scipy.signal.lfilter([1], [1, -0.95], noise(channels, length, level=0.02))
    return brown * 10 ** (-0.75 * (1 - np.cos(2 * np.pi * np.arange(length) / rate)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_it_agrees_with_torchaudios_as_far_as_its_filters_do(rate, channels, engine):
    samples = speechlike(channels, rate)
    found = measure_loudness(samples, rate, engine=engine).integrated
    assert found == pytest.approx(torchaudio_loudness(samples, rate), abs=0.1 if rate > 16000 else 0.15)


@pytest.mark.parametrize("rate", [32000, 44100, 48000, 96000])
def test_a_sine_of_1_khz_reads_its_rms(rate):
    for level in [-6.0, -23.0, -40.0]:
        samples = sine(1000, 5 * rate, rate, amplitude=10 ** (level / 20))[None]
        assert measure_loudness(samples, rate).integrated == pytest.approx(level - 3.01, abs=0.06)


@pytest.mark.parametrize("engine", ENGINES)
def test_two_channels_alike_are_three_decibels_louder_than_one(engine):
    samples = speechlike(1, 48000)
    one, two = (measure_loudness(np.repeat(samples, n, axis=0), 48000, engine=engine).integrated for n in (1, 2))
    assert two - one == pytest.approx(10 * np.log10(2), abs=1e-6)


@pytest.mark.parametrize("channel", range(6))
def test_the_channels_of_5_1_weigh_what_the_recommendation_says(channel):
    samples = np.zeros((6, 3 * 48000))
    samples[channel] = noise(3 * 48000)
    found = measure_loudness(samples, 48000).integrated
    front = measure_loudness(samples[channel : channel + 1], 48000).integrated
    if channel == 3:
        assert found == -np.inf
    else:
        assert found - front == pytest.approx(10 * np.log10(1.41 if channel > 3 else 1), abs=1e-6)


@pytest.mark.parametrize("gain", [-20.0, -3.0, 6.0])
def test_a_gain_is_as_many_units(gain):
    samples = speechlike(2, 44100)
    before = measure_loudness(samples, 44100).integrated
    assert measure_loudness(samples * 10 ** (gain / 20), 44100).integrated - before == pytest.approx(gain, abs=1e-6)


@pytest.mark.parametrize("seconds", [0.4, 1.0, 7.3])
def test_silence_before_and_after_counts_as_nothing(seconds):
    samples = noise(1, 10 * 48000)
    silence = np.zeros((1, int(seconds * 48000)))
    found = measure_loudness(np.concatenate([silence, samples, silence], axis=1), 48000).integrated
    edges = 10 * np.log10(100 / 103)  # 97 whole blocks, and 6 that reach over the edges with half their energy
    assert found == pytest.approx(measure_loudness(samples, 48000).integrated + edges, abs=0.02)


def test_quiet_parts_more_than_ten_units_below_do_not_count():
    loud, quiet = noise(1, 8 * 48000), noise(1, 12 * 48000, seed=1) * 10 ** (-20 / 20)
    found = measure_loudness(np.concatenate([loud, quiet], axis=1), 48000).integrated
    assert found == pytest.approx(measure_loudness(loud, 48000).integrated, abs=0.15)


# ------------------------------------------------------------ true peaks


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", range(3))
def test_true_peaks_are_those_of_scipys_resampling_by_four(seed, engine):
    spectrum = np.fft.rfft(noise(1, 4096, seed=seed))
    spectrum[:, int(0.42 * 4096) :] = 0
    samples = np.fft.irfft(spectrum, 4096) * np.hanning(4096)
    expected = np.abs(scipy.signal.resample(samples, 4 * 4096, axis=1)).max()
    assert measure_true_peak(samples, engine=engine) == pytest.approx(expected, rel=0.003)


@pytest.mark.parametrize("part", [3, 4, 6, 10, 48])
def test_the_true_peak_of_a_sine_is_its_amplitude_within_what_four_times_leaves(part):
    for phase in [0.0, 0.4, np.pi / 4]:
        length = 4800
        samples = (
            sine(1, length, part, amplitude=0.5, phase=phase)[None] * np.sin(np.pi * np.arange(length) / length) ** 0.1
        )
        found = 20 * np.log10(measure_true_peak(samples) / 0.5)
        assert 20 * np.log10(np.cos(np.pi / part / 4)) - 0.05 < found < 0.05


def test_a_true_peak_is_at_least_the_samples_and_scales_with_them():
    samples = noise(2, 5000)
    found = measure_true_peak(samples)
    assert found >= np.abs(samples).max()
    assert measure_true_peak(samples * 0.125) == pytest.approx(found / 8, rel=1e-12)
    assert measure_true_peak(samples[:, ::-1]) == pytest.approx(found, rel=1e-12)
