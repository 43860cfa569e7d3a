"""torch.stft, torch.istft and the windows of torch, asked what torch's tests of spectral operations ask."""

import numpy as np
import pytest
from peer_material import noise, sine, snr_db, sweep

from tonearm.api import ComplexSpectrogram, Context, Waveform
from tonearm.signals.conventions import grid_from_options
from tonearm.signals.windows import window_values
from tonearm_plugins.dsp.errors import NotInvertibleError
from tonearm_plugins.dsp.istft import istft
from tonearm_plugins.dsp.stft import stft
from tonearm_plugins.transforms.istft import Istft, IstftOptions
from tonearm_plugins.transforms.wave_to_spectrogram import WaveToSpectrogram, WaveToSpectrogramOptions

torch = pytest.importorskip("torch")

RATE = 12000

# n_fft, hop_length, win_length
SIZES = ((60, 15, 60), (256, 64, 200), (255, 85, 255), (400, 130, 311))

TORCH_WINDOWS = {
    "hann": lambda n: torch.hann_window(n, dtype=torch.float64),
    "hann_symmetric": lambda n: torch.hann_window(n, periodic=False, dtype=torch.float64),
    "hamming": lambda n: torch.hamming_window(n, dtype=torch.float64),
    "hamming_symmetric": lambda n: torch.hamming_window(n, periodic=False, dtype=torch.float64),
    "blackman": lambda n: torch.blackman_window(n, dtype=torch.float64),
    "blackman_symmetric": lambda n: torch.blackman_window(n, periodic=False, dtype=torch.float64),
    "nuttall": lambda n: torch.signal.windows.nuttall(n, sym=False, dtype=torch.float64),
    "nuttall_symmetric": lambda n: torch.signal.windows.nuttall(n, dtype=torch.float64),
    "boxcar": lambda n: torch.ones(n, dtype=torch.float64),
}


def torch_stft(samples, sizes, **options):
    n_fft, hop, win_length = sizes
    common = {"window": torch.hann_window(win_length, dtype=torch.float64), "return_complex": True}
    given = torch.from_numpy(np.ascontiguousarray(samples))
    return torch.stft(given, n_fft, hop, win_length, **(common | options)).numpy()


def torch_istft(values, sizes, **options):
    n_fft, hop, win_length = sizes
    common = {"window": torch.hann_window(win_length, dtype=torch.float64)}
    given = torch.from_numpy(np.ascontiguousarray(values))
    return torch.istft(given, n_fft, hop, win_length, **(common | options)).numpy()


def fields(sizes, *, center=True, normalized=False, onesided=True, pad_mode="reflect"):
    n_fft, hop, win_length = sizes
    return {
        "n_fft": n_fft,
        "hop_length": hop,
        "win_length": win_length,
        "padding": "center" if center else "none",
        "pad_mode": pad_mode,
        "scaling": "orthonormal" if normalized else "none",
        "sides": "one" if onesided else "two",
    }


def inverted(values, length=None, **options):
    grid = grid_from_options({"sample_rate": RATE, **options}, convention="torch")
    signal = ComplexSpectrogram(values=np.asarray(values), grid=grid, length=length)
    return Istft(IstftOptions()).apply(signal, Context()).samples


@pytest.mark.parametrize("name", TORCH_WINDOWS)
def test_windows_are_torchs(name):
    for length in [2, 15, 64]:
        assert window_values(name, length, length) == pytest.approx(TORCH_WINDOWS[name](length).numpy(), abs=1e-15)


@pytest.mark.parametrize("onesided", [True, False])
@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
def test_values_in_every_convention(sizes, normalized, onesided):
    for pad_mode in ["reflect", "constant"]:
        samples = noise(2, 3001, seed=sizes[0]) + sweep(3001)
        options = {"normalized": normalized, "onesided": onesided, "pad_mode": pad_mode}
        expected = torch_stft(samples, sizes, **options)
        plugin = WaveToSpectrogram(WaveToSpectrogramOptions(convention="torch", **fields(sizes, **options)))
        found = plugin.apply(Waveform(samples=samples, sample_rate=RATE), Context()).values
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 1e-12
        assert np.abs(inverted(expected, 3001, **fields(sizes, **options)) - samples).max() < 1e-12


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
def test_spectra_that_no_signal_has_are_inverted_as_torch_does(sizes, normalized):
    for length in [None, 1500, 1999, 2011]:
        n_fft, hop, _ = sizes
        shape = (2, n_fft // 2 + 1, 2000 // hop + 1)
        values = noise(*shape, seed=1) + 1j * noise(*shape, seed=2)
        expected = torch_istft(values, sizes, normalized=normalized, length=length)
        found = inverted(values, length, **fields(sizes, normalized=normalized))
        assert found.shape == expected.shape
        known = min(found.shape[1], hop * (shape[2] - 1))
        assert snr_db(found[:, :known], expected[:, :known]) > 200


@pytest.mark.parametrize("sizes", SIZES)
def test_a_window_that_is_never_zero_needs_no_padding(sizes):
    _, hop, win_length = sizes
    window = torch.hamming_window(win_length, dtype=torch.float64)
    sizes = (win_length, hop, win_length)  # torch refuses zeros around it without padding
    samples = noise(1, win_length + 20 * hop)
    values = torch_stft(samples, sizes, window=window, center=False)
    expected = torch_istft(values, sizes, window=window, center=False)
    found = inverted(values, **fields(sizes, center=False), window="hamming")
    assert np.abs(found - expected).max() < 1e-13
    assert np.abs(found - samples).max() < 1e-13


@pytest.mark.parametrize("level", [0.0, 1.0])
@pytest.mark.parametrize("sizes", SIZES)
def test_silence_and_a_constant_come_back(sizes, level):
    samples = np.full((1, 2400), level)
    values = torch_stft(samples, sizes)
    assert np.abs(inverted(values, 2400, **fields(sizes)) - level).max() < 1e-13


@pytest.mark.parametrize(("row", "amplitude", "n_fft"), [(1, 5.0, 40), (9, 0.25, 90), (25, 123.0, 128)])
def test_a_row_that_turns_by_its_frequency_is_a_sine(row, amplitude, n_fft):
    samples = amplitude * np.sin(2 * np.pi * row / n_fft * np.arange(3 * n_fft))[None]
    sizes = (n_fft, n_fft, n_fft)
    window = torch.ones(n_fft, dtype=torch.float64)
    values = np.zeros((1, n_fft // 2 + 1, 3), complex)
    values[:, row] = -0.5j * amplitude * n_fft
    assert np.abs(torch_istft(values, sizes, window=window, center=False) - samples).max() < 1e-10
    found = inverted(values, **fields(sizes, center=False), window="boxcar")
    assert np.abs(found - samples).max() < 1e-12 * amplitude


def test_the_inverse_is_linear_and_a_batch_is_its_parts():
    sizes = (256, 64, 200)
    first, second = (torch_stft(noise(2, 1500, seed=seed), sizes) for seed in (1, 2))
    mixed = inverted(0.75 * first - 3 * second, **fields(sizes))
    assert np.abs(mixed - 0.75 * inverted(first, **fields(sizes)) + 3 * inverted(second, **fields(sizes))).max() < 1e-13
    assert np.array_equal(inverted(first[1:], **fields(sizes))[0], inverted(first, **fields(sizes))[1])


@pytest.mark.parametrize(
    ("window", "hop"), [(np.zeros(40), 10), (np.hanning(40), 50), (np.r_[np.zeros(25), np.ones(15)], 20)]
)
def test_what_torch_refuses_to_invert_is_refused(window, hop):
    values = np.ones((1, 21, 8), complex)
    with pytest.raises(RuntimeError):
        torch.istft(torch.from_numpy(values), 40, hop, 40, torch.from_numpy(window), center=True)
    with pytest.raises(NotInvertibleError):
        istft(values, window=window, hop_length=hop, pad=20)


@pytest.mark.parametrize("length", [31, 60, 61, 90])
def test_a_short_sound_is_reflected_as_torch_does(length):
    sizes = (60, 20, 60)
    expected = torch_stft(noise(1, length), sizes)
    found = stft(
        noise(1, length),
        window=np.array(window_values("hann", 60, 60)),
        hop_length=20,
        pad=30,
        pad_mode="reflect",
        double=True,
    )
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-13


def test_single_precision_is_as_near_to_double_as_torchs():
    samples = sine(440, 20000, RATE) + noise(20000, seed=9)
    sizes = (1024, 256, 1024)
    exact = torch_stft(samples[None], sizes)
    theirs = torch_stft(samples[None].astype("f4"), sizes, window=torch.hann_window(1024))
    ours = stft(
        samples[None].astype("f4"),
        window=np.array(window_values("hann", 1024, 1024)),
        hop_length=256,
        pad=512,
        pad_mode="reflect",
    )
    assert snr_db(ours, exact) > snr_db(theirs, exact) - 3
    back = inverted(ours, 20000, **fields(sizes))
    assert (
        snr_db(back, samples[None])
        > snr_db(torch_istft(theirs, sizes, window=torch.hann_window(1024), length=20000), samples[None]) - 3
    )
