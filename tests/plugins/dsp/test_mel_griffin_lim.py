import numpy as np
import pytest
from dsp_material import ENGINES, speech
from dsp_reference import analyse, hann, synthesise
from mel_material import basis, speech_mel

from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.mel_griffin_lim import mel_griffin_lim
from tonearm_plugins.dsp.phase_recovery.recovery import EXACT_DB

FRAMES = {"window": hann(1024), "hop_length": 256, "pad": 512}


def mel_of(samples, power, weights):
    magnitude = np.abs(analyse(np.pad(samples.astype(float), 512), hann(1024), 256, 1 + samples.size // 256))
    return weights @ magnitude.T**power


def reference(mel, weights, power, first, iterations, momentum, window, hop):
    """The joint method in float64, from a first signal on the padded axis, all frames kept."""
    share = weights / np.where(weights.sum(0) > 0, weights.sum(0), 1)
    floor = mel.max() * 1e-10
    scale = momentum / 0.99
    alpha, gamma = 0.5 * scale, 1 + 0.87 * scale
    t = c = first
    for _ in range(iterations):
        spectra = analyse(c, window, hop, mel.shape[1])
        held = np.maximum(np.abs(spectra) ** power @ weights.T, floor)
        spectra = spectra * (np.minimum(mel.T / held, 1e3) @ share) ** (1 / power)
        projected = synthesise(spectra, window, hop, 0, len(first), 1e-3)
        new = t + gamma * (projected - t)
        c, t = new + alpha * (new - t), new
    return t


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize(("n_fft", "hop", "win_length"), [(1024, 256, 1024), (800, 200, 640), (2048, 300, 1200)])
def test_iterations_are_as_in_float64(n_fft, hop, win_length, power, engine):
    window, weights = hann(n_fft, win_length), basis(40, n_fft, fmax=7000)
    weights[17] = 0  # a band that holds nothing
    rng = np.random.default_rng(0)
    mel = (weights @ rng.random((n_fft // 2 + 1, 37)) ** power).astype(np.float32)
    call = {
        "mel_basis": weights,
        "window": window,
        "hop_length": hop,
        "power": power,
        "engine": engine,
        "momentum": 0.9,
    }
    first = mel_griffin_lim(mel[None], iterations=0, **call).samples[0].astype(float)
    expected = reference(mel.astype(float), weights, power, first, 3, 0.9, window, hop)
    found = mel_griffin_lim(mel[None], iterations=3, **call).samples[0]
    assert np.linalg.norm(found - expected) < 2e-4 * np.linalg.norm(expected)


@pytest.mark.parametrize("power", [1, 2])
def test_both_engines_begin_with_the_same_magnitudes(power):
    mel = speech_mel(power, basis())
    found = [mel_griffin_lim(mel, mel_basis=basis(), power=power, iterations=0, engine=e, **FRAMES) for e in ENGINES]
    assert found[0].spectral_convergence_db == pytest.approx(found[-1].spectral_convergence_db, abs=0.05)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("power", [1, 2])
def test_meets_the_mel_spectrogram_better_than_librosa(power, engine, librosa):
    weights = basis()
    mel = speech_mel(power, weights)
    found = mel_griffin_lim(mel, mel_basis=weights, power=power, length=speech().size, engine=engine, **FRAMES)
    again = mel_of(found.samples[0], power, weights)
    distance = 20 * np.log10(np.linalg.norm(again - mel[0]) / np.linalg.norm(mel[0]))
    assert found.spectral_convergence_db == pytest.approx(distance, abs=0.01)
    assert found.engine == engine
    peer = mel_griffin_lim(mel, mel_basis=weights, power=power, length=speech().size, engine="librosa", **FRAMES)
    assert found.spectral_convergence_db < peer.spectral_convergence_db - 8


@pytest.mark.parametrize("engine", ENGINES)
def test_silence_and_nan(engine):
    weights = basis()
    silent = mel_griffin_lim(np.zeros((1, 80, 30), np.float32), mel_basis=weights, engine=engine, **FRAMES)
    assert not silent.samples.any()
    assert silent.spectral_convergence_db == EXACT_DB
    mel = np.ones((1, 80, 200), np.float32)
    mel[:, :, 100] = np.nan
    found = mel_griffin_lim(mel, mel_basis=weights, iterations=2, engine=engine, **FRAMES)
    bad = np.flatnonzero(np.isnan(found.samples[0])) // 256
    assert bad.size
    assert 84 < bad.min() <= bad.max() < 116


@pytest.mark.parametrize("engine", ENGINES)
def test_a_window_at_the_start_is_as_good_as_one_in_the_centre(engine):
    """Bands are the same wherever the window lies in the FFT; first phases suppose it in the centre."""
    mel = speech_mel(1, basis())
    short = hann(640)
    call = {"mel_basis": basis(), "hop_length": 256, "length": 256 * (mel.shape[-1] - 1), "iterations": 8}
    call["engine"] = engine
    centre = mel_griffin_lim(mel, window=np.pad(short, 192), pad=512, **call)
    start = mel_griffin_lim(mel, window=np.pad(short, (0, 384)), pad=320, **call)
    assert np.abs(centre.samples - start.samples).max() == 0


def test_what_does_not_fit_is_refused():
    mel = np.ones((1, 80, 10), np.float32)
    for weights, message in ((basis(40), "mel bands"), (-basis(), "negative"), (basis(80, 512), "n_fft")):
        with pytest.raises(ShapeError, match=message):
            mel_griffin_lim(mel, mel_basis=weights, **FRAMES)
    with pytest.raises(ValueError, match="power"):
        mel_griffin_lim(mel, mel_basis=basis(), power=1.5, **FRAMES)
    with pytest.raises(ShapeError, match="real"):
        mel_griffin_lim(mel.astype(complex), mel_basis=basis(), **FRAMES)
