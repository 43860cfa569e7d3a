"""Griffin-Lim, asked what the tests of librosa and torchaudio ask: the method itself, lengths, seeds, convergence."""

import inspect

import librosa
import numpy as np
import pytest
from peer_material import ENGINES, noise, sine, snr_db, sweep

from tonearm.signals.windows import window_values
from tonearm_plugins.dsp.griffin_lim import griffin_lim
from tonearm_plugins.dsp.mel_griffin_lim import mel_griffin_lim
from tonearm_plugins.dsp.mel_to_magnitude import mel_to_magnitude
from tonearm_plugins.dsp.stft import stft

SEED = "rng" if "rng" in inspect.signature(librosa.griffinlim).parameters else "random_state"
"""Name of librosa's argument for the seed: another one since version 1.0."""

# n_fft, hop_length, win_length
SIZES = ((256, 64, 256), (500, 125, 400), (512, 160, 512))


def frames_of(sizes, window="hann"):
    n_fft, hop, win_length = sizes
    values = np.array(window_values(window, win_length, n_fft))
    return {"window": values, "hop_length": hop, "pad": n_fft // 2}


def magnitudes(samples, sizes, window="hann"):
    return np.abs(stft(samples, **frames_of(sizes, window), double=True))


def convergence(samples, magnitude, sizes, window="hann"):
    """Return the distance of the magnitudes of samples from others, relative to these."""
    return np.linalg.norm(magnitudes(samples, sizes, window) - magnitude) / np.linalg.norm(magnitude)


def sound(length=6400, channels=1):
    return np.stack(
        [sweep(length) + sine(523, length, amplitude=0.2) + noise(length, seed=c, level=0.02) for c in range(channels)]
    )


@pytest.mark.parametrize("iterations", [0, 1, 5, 20])
@pytest.mark.parametrize("sizes", SIZES)
def test_the_method_of_1984_is_librosas(sizes, iterations):
    """From zero phases and without momentum, both do the same projections."""
    for window in ["hann", "hamming"]:
        n_fft, hop, win_length = sizes
        magnitude = magnitudes(sound(), sizes, window)
        expected = librosa.griffinlim(
            magnitude,
            n_iter=iterations,
            hop_length=hop,
            win_length=win_length,
            n_fft=n_fft,
            window=window,
            momentum=0,
            init=None,
            length=6400,
        )
        found = griffin_lim(
            magnitude,
            **frames_of(sizes, window),
            length=6400,
            start="zero",
            iterations=iterations,
            momentum=0,
            double=True,
        )
        assert found.samples.shape == expected.shape
        inside = slice(n_fft, -n_fft)
        assert snr_db(found.samples[:, inside], expected[:, inside]) > (60 if iterations > 5 else 100)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("engine", ["auto", "scipy"])
@pytest.mark.parametrize("start", ["plgi", "pghi", "random", "zero"])
@pytest.mark.parametrize("sizes", SIZES)
def test_after_as_many_iterations_derived_phases_are_nearer_and_others_about_as_near_as_librosas(sizes, start, engine):
    n_fft, hop, win_length = sizes
    magnitude = magnitudes(sound(), sizes)
    theirs = librosa.griffinlim(
        magnitude,
        n_iter=32,
        hop_length=hop,
        win_length=win_length,
        n_fft=n_fft,
        length=6400,
        **{SEED: 1},
        init=None if start == "zero" else "random",
    )
    found = griffin_lim(magnitude, **frames_of(sizes), length=6400, start=start, iterations=32, engine=engine)
    ours = convergence(found.samples, magnitude, sizes)
    assert ours < convergence(theirs, magnitude, sizes) * (0.95 if start in ("plgi", "pghi") else 1.5)
    assert 20 * np.log10(ours) == pytest.approx(found.spectral_convergence_db, abs=0.3)


@pytest.mark.parametrize("momentum", [0.0, 0.2, 0.5, 0.9, 0.99])
def test_more_iterations_come_nearer_at_every_momentum(momentum):
    sizes = SIZES[0]
    magnitude = magnitudes(sound(), sizes)
    steps = [
        griffin_lim(magnitude, **frames_of(sizes), start="random", iterations=count, momentum=momentum)
        for count in (0, 4, 16, 64)
    ]
    distances = [found.spectral_convergence_db for found in steps]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < distances[0] - 6


@pytest.mark.parametrize("engine", ENGINES)
def test_every_length_is_exact(engine):
    for length in [None, 500, 6399, 6400, 7000]:
        sizes = SIZES[0]
        magnitude = magnitudes(sound(), sizes)
        found = griffin_lim(magnitude, **frames_of(sizes), length=length, iterations=4, engine=engine)
        assert found.samples.shape == (1, length or 6400)
        assert np.isfinite(found.samples).all()


@pytest.mark.parametrize("start", ["random", "pghi"])
def test_a_seed_gives_the_same_sound_and_another_one_another(start):
    sizes = SIZES[1]
    magnitude = magnitudes(sound(3000, 2) + noise(2, 3000, level=1e-4), sizes)
    magnitude[:, ::2] *= 1e-12  # phases of the quietest bins are random with pghi
    first, again, other = (
        griffin_lim(magnitude, **frames_of(sizes), start=start, seed=seed, iterations=3).samples for seed in (5, 5, 6)
    )
    assert np.array_equal(first, again)
    if start == "random":
        assert snr_db(other, first) < 20


def test_a_batch_is_its_parts():
    sizes = SIZES[0]
    magnitude = magnitudes(sound(3000, 3), sizes)
    together = griffin_lim(magnitude, **frames_of(sizes), iterations=6).samples
    for channel in range(3):
        alone = griffin_lim(magnitude[channel : channel + 1], **frames_of(sizes), iterations=6).samples
        assert np.array_equal(alone[0], together[channel])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_factor_of_the_magnitudes_is_one_of_the_sound(engine):
    sizes = SIZES[0]
    magnitude = magnitudes(sound(3000), sizes)
    one, two = (
        griffin_lim(magnitude * gain, **frames_of(sizes), iterations=4, engine=engine).samples for gain in (1, 2**-7)
    )
    assert snr_db(two * 128, one) > 80


@pytest.mark.parametrize("engine", ENGINES)
def test_without_padding_it_converges_too(engine):
    sizes = SIZES[0]
    frames = frames_of(sizes) | {"pad": 0}
    magnitude = np.abs(stft(sound(), **frames, double=True))
    found = griffin_lim(magnitude, **frames, iterations=64, engine=engine)
    assert found.samples.shape[1] == 256 + 64 * (magnitude.shape[2] - 1)
    assert found.spectral_convergence_db < -20


def test_silence_stays_silence():
    for start in ("plgi", "pghi", "random", "zero"):
        found = griffin_lim(np.zeros((1, 129, 20)), **frames_of(SIZES[0]), start=start, iterations=3)
        assert not found.samples.any()


@pytest.mark.parametrize(
    "settings",
    [{"iterations": -1}, {"momentum": -0.1}, {"momentum": float("nan")}, {"start": "ones"}, {"engine": "torch"}],
)
def test_what_librosa_and_torchaudio_refuse_is_refused(settings):
    with pytest.raises(ValueError):
        griffin_lim(np.ones((1, 129, 8)), **frames_of(SIZES[0]), **settings)


# ------------------------------------------------------------ from mel spectrograms


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("htk", [False, True])
@pytest.mark.parametrize(("rate", "n_fft", "n_mels"), [(16000, 512, 40), (22050, 1024, 80)])
def test_magnitudes_of_a_mel_have_that_mel_as_librosas_have(rate, n_fft, n_mels, htk, power):
    basis = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=n_mels, htk=htk, dtype=float)
    magnitude = np.abs(stft(noise(1, 8000), window=np.hanning(n_fft), hop_length=n_fft // 4, double=True))
    mel = basis @ magnitude**power
    theirs = librosa.feature.inverse.mel_to_stft(mel, sr=rate, n_fft=n_fft, power=power, htk=htk)
    found = mel_to_magnitude(mel, mel_basis=basis, power=power, double=True)
    assert found.shape == theirs.shape
    assert (found >= 0).all()
    assert np.linalg.norm(basis @ found**power - mel) < 0.01 * np.linalg.norm(mel)
    # of all magnitudes with this mel, those found are no farther from the true ones than librosa's
    assert np.linalg.norm(found - magnitude) < 1.05 * np.linalg.norm(theirs - magnitude)


def test_more_updates_come_nearer_to_the_mel():
    for iterations in [0, 10, 100]:
        basis = librosa.filters.mel(sr=16000, n_fft=512, n_mels=60, dtype=float)
        mel = basis @ np.abs(noise(1, 257, 30)) ** 3
        found = mel_to_magnitude(mel, mel_basis=basis, power=1, iterations=iterations, double=True)
        distance = np.linalg.norm(basis @ found - mel) / np.linalg.norm(mel)
        assert distance < {0: 0.5, 10: 0.05, 100: 0.005}[iterations]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("power", [1, 2])
def test_a_sound_from_a_mel_has_that_mel_at_least_as_well_as_librosas(power, engine):
    rate, n_fft, hop = 16000, 512, 128
    samples = sound(8000)
    frames = frames_of((n_fft, hop, n_fft))
    basis = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=64, dtype=float)
    mel = basis @ magnitudes(samples, (n_fft, hop, n_fft)) ** power

    def distance(given):
        found = basis @ magnitudes(given, (n_fft, hop, n_fft)) ** power
        return np.linalg.norm(found - mel) / np.linalg.norm(mel)

    theirs = librosa.feature.inverse.mel_to_audio(
        mel, sr=rate, n_fft=n_fft, hop_length=hop, power=power, n_iter=32, length=8000
    )
    found = mel_griffin_lim(mel, mel_basis=basis, power=power, length=8000, engine=engine, **frames)
    assert distance(found.samples) < distance(theirs)
    assert 20 * np.log10(distance(found.samples)) == pytest.approx(found.spectral_convergence_db, abs=0.5)
