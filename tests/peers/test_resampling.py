"""Resampling, asked what the tests of librosa, torchaudio and scipy ask: sizes, tones, alignment, aliases, batches."""

import librosa
import numpy as np
import pytest
import scipy.signal
import soxr
from peer_material import loudest_hertz, noise, sine, snr_db, sweep

from tonearm_plugins.dsp.resampling import SOXR_QUALITIES, resample, resampled_length

# Up, down, by a half, by three quarters, by a rate that shares no factor.
RATES = ((8000, 16000), (48000, 16000), (22050, 44100), (44100, 48000), (16000, 11025), (32000, 24000), (8000, 7993))


def same_tone(hertz, old, new, length, **tone):
    """Return a tone at the old rate, and the same at the new one."""
    return (
        sine(hertz, length, old, **tone)[None],
        sine(hertz, resampled_length(length, old, new), new, **tone)[None],
    )


@pytest.mark.parametrize(("old", "new"), RATES)
def test_the_size_is_librosas(old, new):
    for length in [1, 2, 99, 1000, 1001]:
        found = resample(noise(1, length), old, new)
        assert found.shape == (1, -(-length * new // old))
        if length > 2:  # soxr alone returns nothing for fewer
            expected = librosa.resample(noise(1, length), orig_sr=old, target_sr=new, res_type="soxr_hq")
            assert found.shape == expected.shape


@pytest.mark.parametrize("quality", ["high", "very-high"])
@pytest.mark.parametrize(("old", "new"), RATES)
def test_a_tone_is_the_same_tone_in_level_and_in_time(old, new, quality):
    for hertz in [3.0, 440.0, 3000.0]:
        given, expected = same_tone(hertz, old, new, 2 * old, phase=0.7)
        found = resample(given, old, new, quality)
        inside = slice(new // 5, -new // 5)
        level = np.vdot(expected[:, inside], found[:, inside]) / np.vdot(expected[:, inside], expected[:, inside])
        assert abs(20 * np.log10(level)) < 0.001
        best = quality == "very-high" and new != 7993  # libsoxr interpolates its filter for a ratio of large numbers
        assert snr_db(found[:, inside] / level, expected[:, inside]) > (150 if best else 110)


@pytest.mark.parametrize(("old", "new"), RATES)
def test_a_constant_stays_a_constant(old, new):
    found = resample(np.full((1, old // 2), 0.6), old, new, "very-high")
    assert np.abs(found[:, new // 10 : -new // 10] - 0.6).max() < 1e-7


@pytest.mark.parametrize("level", [100.0, 1e-6])
def test_the_level_does_not_matter(level):
    one, other = (resample(gain * noise(1, 4000), 16000, 24000, "very-high") for gain in (1, level))
    assert snr_db(other / level, one) > 150


@pytest.mark.parametrize(("old", "new"), [(48000, 16000), (44100, 22050), (24000, 11025)])
def test_a_tone_above_half_the_new_rate_is_gone(old, new):
    tone = sine(0.55 * new, old, old)[None]
    found = resample(tone, old, new, "high")
    inside = found[:, new // 5 : -new // 5]
    assert np.sqrt(np.mean(inside**2)) < 0.35 * 10 ** (-100 / 20)


@pytest.mark.parametrize(("old", "factor"), [(8000, 2), (11025, 4), (16000, 3)])
def test_up_and_down_again_is_the_same(old, factor):
    samples = sweep(old, old, last=0.4 * old)[None]
    there = resample(samples, old, old * factor, "very-high")
    back = resample(there, old * factor, old, "very-high")
    assert back.shape == samples.shape
    assert snr_db(back[:, 400:-400], samples[:, 400:-400]) > 130


@pytest.mark.parametrize("at", [500, 1500])
@pytest.mark.parametrize(("old", "new"), [(16000, 48000), (48000, 16000), (44100, 48000)])
def test_a_pulse_stays_in_its_place(old, new, at):
    time = (np.arange(4000) - at) / old
    found = resample(np.exp(-((time * 1000) ** 2))[None], old, new)
    expected = np.exp(-(((np.arange(found.shape[1]) / new - at / old) * 1000) ** 2))
    assert np.abs(found[0] - expected).max() < 1e-4


@pytest.mark.parametrize(("up", "down"), [(2, 1), (1, 3), (3, 2), (160, 147)])
def test_it_agrees_with_a_polyphase_filter_of_scipy_below_the_edge(up, down):
    samples = sweep(8000, 16000, last=2000.0)[None]
    expected = scipy.signal.resample_poly(samples, up, down, axis=1, window=("kaiser", 14.0))
    found = resample(samples, 1000 * down, 1000 * up, "very-high")
    assert found.shape == expected.shape
    assert snr_db(found[:, 300:-300], expected[:, 300:-300]) > 55


@pytest.mark.parametrize("quality", SOXR_QUALITIES)
def test_it_is_soxr_with_every_quality(quality):
    samples = noise(1, 8000)
    expected = soxr.resample(samples[0], 16000, 12000, SOXR_QUALITIES[quality])
    found = resample(samples, 16000, 12000, quality)[0]
    assert np.abs(found[: len(expected) - 200] - expected[:-200]).max() < 1e-12


@pytest.mark.parametrize(("old", "new"), RATES)
def test_the_last_samples_are_those_before_silence(old, new):
    for length in [1, 2, 3, 60, 1000]:
        samples = 0.5 + noise(1, length)
        found = resample(samples, old, new, "very-high")
        longer = resample(np.pad(samples, ((0, 0), (0, 5000))), old, new, "very-high")
        assert np.abs(found - longer[:, : found.shape[1]]).max() < 1e-9
        assert np.abs(found[:, -1]) > 0.01


def test_a_batch_is_its_parts_and_the_layout_in_memory_does_not_matter():
    samples = noise(3, 5000)
    together = resample(samples, 44100, 16000)
    for channel in range(3):
        assert np.array_equal(resample(samples[channel : channel + 1], 44100, 16000)[0], together[channel])
    assert np.array_equal(resample(np.asfortranarray(samples), 44100, 16000), together)


def test_it_is_linear():
    first, second = noise(1, 3000, seed=1), noise(1, 3000, seed=2)
    found = resample(2 * first - second, 16000, 22050, "very-high")
    parts = 2 * resample(first, 16000, 22050, "very-high") - resample(second, 16000, 22050, "very-high")
    assert snr_db(found, parts) > 200


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_the_type_stays(kind):
    assert resample(noise(2, 1000).astype(kind), 16000, 24000).dtype == kind


def test_a_rate_read_as_another_changes_the_pitch_and_resampling_does_not():
    tone = sine(1000, 32000, 32000)
    assert loudest_hertz(resample(tone[None], 32000, 20000)[0], 20000) == pytest.approx(1000, abs=0.1)


def test_silence_stays_silence():
    assert not resample(np.zeros((1, 2000)), 44100, 48000).any()
