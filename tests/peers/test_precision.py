"""Double precision: a gain of one part in 10¹¹ passes through every function as it is.

A step in single precision anywhere on the way would round such a gain away. Peers test this with every type by itself.
"""

import numpy as np
import pytest
from peer_material import noise, sine, sweep

from tonearm.signals.windows import window_values
from tonearm_plugins.dsp.effects import hpss, pitch_shift, time_stretch
from tonearm_plugins.dsp.filters import apply_filter, butterworth
from tonearm_plugins.dsp.griffin_lim import griffin_lim
from tonearm_plugins.dsp.istft import istft
from tonearm_plugins.dsp.limiter import limit
from tonearm_plugins.dsp.loudness import measure_loudness
from tonearm_plugins.dsp.mel_griffin_lim import mel_griffin_lim
from tonearm_plugins.dsp.mel_spectrogram import Conditioning, mel_spectrogram
from tonearm_plugins.dsp.mel_to_magnitude import mel_to_magnitude
from tonearm_plugins.dsp.preemphasis import deemphasis
from tonearm_plugins.dsp.resampling import resample
from tonearm_plugins.dsp.silence import window_powers
from tonearm_plugins.dsp.stft import stft
from tonearm_plugins.dsp.true_peak import measure_true_peak

GAIN = 1 + 2.0**-37
SAMPLES = noise(2, 9000, level=0.05) + sweep(9000) + sine(700, 9000)
FRAMES = {"window": np.array(window_values("hann", 512, 512)), "hop_length": 128, "pad": 256}
SPECTRUM = stft(SAMPLES, **FRAMES, double=True)
MAGNITUDES = np.abs(SPECTRUM)
BASIS = np.maximum(0, 1 - np.abs(np.arange(257) - np.arange(4, 254, 6)[:, None]) / 8)
CONDITIONING = Conditioning(preemphasis=0.97, per_frame=True, remove_dc=True)


def recovered(start, iterations):
    return lambda given: griffin_lim(given, **FRAMES, start=start, iterations=iterations, double=True).samples


def recovered_from_mels(given):
    return mel_griffin_lim(given, mel_basis=BASIS, **FRAMES, iterations=3, double=True).samples


def limited(*, true_peak):
    return lambda given: (
        limit(given, 0.4 * float(np.abs(given).max()), lookahead=40, release=400, true_peak=true_peak).samples
    )


# The function, what it is given, and by what power of a gain its result grows.
FUNCTIONS = {
    "stft": (lambda given: stft(given, **FRAMES, double=True), SAMPLES, 1),
    "istft": (lambda given: istft(given, **FRAMES), SPECTRUM, 1),
    "griffin-lim from zero": (recovered("zero", 2), MAGNITUDES, 1),
    "griffin-lim from noise": (recovered("random", 2), MAGNITUDES, 1),
    "griffin-lim from peaks": (recovered("plgi", 2), MAGNITUDES, 1),
    "griffin-lim from gradients": (recovered("pghi", 2), MAGNITUDES, 1),
    "mel griffin-lim": (recovered_from_mels, BASIS @ MAGNITUDES, 1),
    "mel to magnitude": (lambda given: mel_to_magnitude(given, mel_basis=BASIS, double=True), BASIS @ MAGNITUDES, 1),
    "mel to magnitude from powers": (
        lambda given: mel_to_magnitude(given, mel_basis=BASIS, power=2, double=True),
        BASIS @ MAGNITUDES**2,
        0.5,
    ),
    "mel spectrogram": (
        lambda given: mel_spectrogram(given, window=FRAMES["window"], win_length=512, hop_length=128, pad=(256, 256),
                                      pad_mode="reflect", mel_basis=BASIS, power=2, conditioning=CONDITIONING),
        SAMPLES,
        2,
    ),
    "resample": (lambda given: resample(given, 16000, 22050, "very-high"), SAMPLES, 1),
    "de-emphasis": (lambda given: deemphasis(given, 0.97), SAMPLES, 1),
    "filter": (lambda given: apply_filter(given, butterworth("bandpass", (60, 5000), 16000, 6)), SAMPLES, 1),
    "filter both ways": (
        lambda given: apply_filter(given, butterworth("highpass", 60, 16000, 4), zero_phase=True), SAMPLES, 1,
    ),
    "time stretch": (lambda given: time_stretch(given, 1.3, n_fft=1024), SAMPLES, 1),
    "pitch shift": (lambda given: pitch_shift(given, 16000, 2.5, n_fft=1024), SAMPLES, 1),
    "harmonic": (lambda given: hpss(given, percussive=False, margin=1.0, n_fft=1024), SAMPLES, 1),
    "percussive": (lambda given: hpss(given, percussive=True, margin=2.0, n_fft=1024), SAMPLES, 1),
    "true peak": (measure_true_peak, SAMPLES, 1),
    "powers": (lambda given: window_powers(given, 160), SAMPLES, 2),
    "loudness": (lambda given: measure_loudness(given, 16000, engine="scipy").energy, SAMPLES, 2),
    "limiter": (limited(true_peak=False), SAMPLES, 1),
    "limiter of true peaks": (limited(true_peak=True), SAMPLES, 1),
}  # fmt: skip


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_gain_of_one_part_in_a_hundred_thousand_million_passes(name):
    function, given, power = FUNCTIONS[name]
    before, after = np.asarray(function(given)), np.asarray(function(given * GAIN))
    assert before.dtype in (np.float64, np.complex128)
    grown = np.vdot(before, after).real / np.vdot(before, before).real - 1
    assert grown == pytest.approx(GAIN**power - 1, rel=0.05)
    assert np.abs(after - before * GAIN**power).max() < 1e-12 * np.abs(before).max()


@pytest.mark.parametrize(
    "name",
    ["istft", "griffin-lim from zero", "resample", "de-emphasis", "filter", "time stretch", "harmonic", "limiter"],
)
def test_single_precision_stays_and_is_near(name):
    function, given, _ = FUNCTIONS[name]
    kind = np.complex64 if np.iscomplexobj(given) else np.float32
    exact, found = np.asarray(function(given)), np.asarray(function(given.astype(kind)))
    if "griffin" not in name:  # its precision is an argument
        assert found.dtype == np.float32
    assert np.abs(found - exact).max() < 1e-3 * np.abs(exact).max()
