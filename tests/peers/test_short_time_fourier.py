"""The STFT and its inverse, asked what librosa's and scipy's tests ask: values, round trips, lengths, NOLA."""

import librosa
import numpy as np
import pytest
import scipy.signal
from peer_material import ENGINES, noise, snr_db, sweep

from tonearm.signals.windows import WINDOWS, is_invertible, window_values
from tonearm_plugins.dsp.errors import NotInvertibleError, ShapeError
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.istft import istft
from tonearm_plugins.dsp.stft import stft

# n_fft, hop_length, win_length: even and odd, hops that divide nothing, short windows.
SIZES = ((96, 24, 96), (125, 40, 125), (500, 130, 420), (1000, 333, 777), (1536, 512, 1536))


def centred(n_fft, hop, win_length, window="hann"):
    values = np.array(window_values(window, win_length, n_fft))
    return {"window": values, "hop_length": hop, "pad": n_fft // 2}


@pytest.mark.parametrize("sizes", SIZES)
def test_values_are_librosas(sizes):
    for pad_mode in ["constant", "reflect", "edge", "symmetric"]:
        n_fft, hop, win_length = sizes
        samples = noise(2, 4001, seed=n_fft) + sweep(4001)
        expected = librosa.stft(samples, n_fft=n_fft, hop_length=hop, win_length=win_length, pad_mode=pad_mode)
        found = stft(samples, **centred(*sizes), pad_mode=pad_mode, double=True)
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 1e-11


@pytest.mark.parametrize("window", ["hann", "hamming", "blackman", "blackmanharris", "nuttall", "boxcar"])
def test_a_window_of_librosas_name_is_its_window(window):
    samples = noise(1, 3000, seed=3)
    expected = librosa.stft(samples, n_fft=256, hop_length=50, win_length=211, window=window, center=False)
    found = stft(samples, window=np.array(window_values(window, 211, 256)), hop_length=50, double=True)
    assert np.abs(found - expected).max() < 1e-11


@pytest.mark.parametrize("window", WINDOWS)
def test_every_window_comes_back_to_the_first_and_the_last_sample(window):
    for n_fft, hop, win_length in [(128, 16, 128), (250, 75, 240), (321, 107, 321)]:
        samples = noise(1, 5003, seed=hop)
        frames = centred(n_fft, hop, win_length, window)
        found = istft(stft(samples, **frames, double=True), **frames, length=samples.shape[1])
        assert found.dtype == np.float64
        assert np.abs(found - samples).max() < 1e-12


@pytest.mark.parametrize("engine", ["auto", "scipy"])
@pytest.mark.parametrize("sizes", SIZES)
def test_without_padding_the_inside_comes_back(sizes, engine):
    n_fft, hop, _ = sizes
    frames = centred(*sizes) | {"pad": 0}
    samples = noise(1, 6000, seed=n_fft)
    spectrum = stft(samples, **frames)
    found = istft(spectrum, **frames, engine=engine)
    assert found.shape[1] == n_fft + hop * (spectrum.shape[2] - 1)
    inside = slice(n_fft, found.shape[1] - n_fft)
    assert snr_db(found[:, inside], samples[:, inside]) > 120


@pytest.mark.parametrize("sizes", [(400, 100, 400), (400, 150, 300)])
def test_a_length_cuts_or_pads_as_librosa_does(sizes):
    for length in [1, 37, 1199, 1200, 1201, 1250, 1500, 3000]:
        n_fft, hop, win_length = sizes
        samples = noise(1, 1200, seed=5)
        spectrum = stft(samples, **centred(*sizes), double=True)
        found = istft(spectrum, **centred(*sizes), length=length)
        expected = librosa.istft(spectrum, n_fft=n_fft, hop_length=hop, win_length=win_length, length=length)
        assert found.shape == expected.shape == (1, length)
        known = min(
            length, hop * (spectrum.shape[2] - 1)
        )  # after that the last frame fades out, down to librosa's limit
        assert np.abs(found - expected)[:, :known].max() < 1e-12
        assert (
            np.abs(found[:, min(length, 1200) :]).max(initial=0) < 1e-12
        )  # the sound has ended, whatever was asked for


def test_the_natural_length_is_librosas():
    for length in (512, 700, 1023, 1024, 1025):
        spectrum = stft(noise(1, length), **centred(512, 128, 512))
        expected = librosa.istft(spectrum, n_fft=512, hop_length=128)
        assert istft(spectrum, **centred(512, 128, 512)).shape == expected.shape


@pytest.mark.parametrize("name", ["hann", "hamming", "boxcar", "blackman", "sqrt_hann", "povey", "hann_symmetric"])
def test_what_can_be_inverted_is_what_scipy_says(name):
    for length in [16, 25, 64]:
        values = np.array(window_values(name, length, length))
        for hop in range(1, length + 1):
            invertible = scipy.signal.check_NOLA(values, length, length - hop)
            assert is_invertible(name, length, length, hop) == invertible, hop
            grid = FrameGrid.checked(values, hop_length=hop, pad=0, frames=9)
            if invertible:
                grid.require_invertible()
            else:
                with pytest.raises(NotInvertibleError, match="NOLA"):
                    grid.require_invertible()


def test_windows_with_holes_can_be_inverted_where_scipy_says_so():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        for length in (12, 30):
            values = rng.random(length) * (rng.random(length) > 0.6)
            for hop in range(1, length):
                if not values.any():
                    continue
                grid = FrameGrid.checked(values, hop_length=hop, pad=0, frames=9)
                try:
                    grid.require_invertible()
                except NotInvertibleError:
                    assert not scipy.signal.check_NOLA(values, length, length - hop)
                else:
                    assert scipy.signal.check_NOLA(values, length, length - hop)


@pytest.mark.parametrize(
    ("name", "length", "hop"),
    [("sqrt_hann", 60, 30), ("sqrt_hann", 60, 20), ("hann", 60, 20), ("hann", 90, 15), ("boxcar", 50, 25)],
)
def test_windows_that_scipy_calls_constant_have_a_constant_weight(name, length, hop):
    values = np.array(window_values(name, length, length))
    assert scipy.signal.check_COLA(values**2, length, length - hop)
    steady = FrameGrid.checked(values, hop_length=hop, pad=0, frames=9).steady
    assert np.ptp(steady) < 1e-14
    assert steady[0] * hop == pytest.approx(np.sum(values**2), rel=1e-14)


def test_every_type_of_samples_counts_as_its_numbers():
    for kind in ["i1", "i2", "u1", "i4", "f2", ">f4", "f8"]:
        samples = np.round(noise(2, 900, level=30)).clip(0, 100).astype(kind)
        found = stft(samples, **centred(128, 32, 128), double=True)
        expected = librosa.stft(samples.astype(float), n_fft=128, hop_length=32)
        assert np.abs(found - expected).max() < 1e-10


@pytest.mark.parametrize("engine", ENGINES)
def test_the_transform_is_linear_and_channels_are_alone(engine):
    frames = centred(512, 160, 400)
    first, second = (noise(3, 257, 21, seed=seed) + 1j * noise(3, 257, 21, seed=seed + 9) for seed in (1, 2))
    one, two, both = (
        istft(given.astype("c8"), **frames, engine=engine) for given in (first, second, 2 * first - 0.5 * second)
    )
    assert snr_db(both, 2 * one - 0.5 * two.astype("f8")) > 120
    for channel in range(3):
        alone = istft(first[channel : channel + 1].astype("c8"), **frames, engine=engine)
        assert np.array_equal(alone[0], one[channel])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("n_fft", "hop"), [(256, 64), (512, 100)])
def test_imaginary_parts_at_zero_and_at_half_the_rate_count_as_nothing(n_fft, hop, engine):
    spectrum = stft(noise(1, 4000), **centred(n_fft, hop, n_fft))
    changed = spectrum.copy()
    changed[:, [0, -1]] += 1j * noise(1, 2, spectrum.shape[2], seed=4, level=50)
    found, expected = (istft(given, **centred(n_fft, hop, n_fft), engine=engine) for given in (changed, spectrum))
    assert np.abs(found - expected).max() < 1e-5


def test_imaginary_parts_at_zero_of_an_odd_length_count_as_nothing():
    spectrum = stft(noise(1, 4000), **centred(301, 75, 301), double=True)
    changed = spectrum.copy()
    changed[:, 0] += 7j
    assert np.array_equal(*(istft(given, **centred(301, 75, 301)) for given in (changed, spectrum)))


@pytest.mark.parametrize(("n_fft", "hop", "row"), [(64, 16, 7), (240, 60, 30), (250, 125, 0), (512, 128, 256)])
def test_one_row_of_turning_phases_is_a_sine(n_fft, hop, row):
    frames = {"window": np.ones(n_fft), "hop_length": hop}
    count = 12
    spectrum = np.zeros((1, n_fft // 2 + 1, count), complex)
    half = 1.0 if row in (0, n_fft // 2) else 0.5
    spectrum[0, row] = half * n_fft * np.exp(2j * np.pi * row * hop * np.arange(count) / n_fft)
    found = istft(spectrum, **frames)
    expected = np.cos(2 * np.pi * row * np.arange(found.shape[1]) / n_fft)
    assert np.abs(found - expected).max() < 1e-12


def test_a_click_is_in_the_frames_that_cover_it_alone_with_its_delay_as_phase():
    n_fft, hop, at = 100, 30, 451
    samples = np.zeros((1, 1000))
    samples[0, at] = 1
    window = np.array(window_values("hamming", n_fft, n_fft))
    found = stft(samples, window=window, hop_length=hop, double=True)[0]
    for frame in range(found.shape[1]):
        place = at - frame * hop
        expected = window[place] if 0 <= place < n_fft else 0
        turn = np.exp(-2j * np.pi * np.arange(51) * place / n_fft)
        assert np.abs(found[:, frame] - expected * turn).max() < 1e-13


@pytest.mark.parametrize("engine", [None, *ENGINES])
def test_no_other_signal_is_nearer_to_a_spectrum_that_no_signal_has(engine):
    """The residual of least squares is orthogonal to the spectra of all signals (Griffin and Lim, 1984)."""
    n_fft, hop = 256, 64
    frames = centred(n_fft, hop, n_fft)
    given = noise(1, 129, 40, seed=1) + 1j * noise(1, 129, 40, seed=2)
    spectrum = given if engine is None else given.astype("c8")
    found = istft(spectrum, **frames, engine=engine or "auto")
    weights = np.full((129, 1), 2.0)  # both sides of a real signal's spectrum
    weights[[0, -1]] = 1

    def inner(a, b):
        return float(np.sum(weights * (a[0] * b[0].conj()).real))

    residual = spectrum - stft(found, **frames, double=True)
    for seed in range(5):
        direction = stft(noise(1, found.shape[1], seed=seed), **frames, double=True)
        size = np.sqrt(inner(residual, residual) * inner(direction, direction))
        assert abs(inner(residual, direction)) < size * (1e-14 if engine is None else 1e-7)


def test_frames_side_by_side_keep_the_energy():
    samples = noise(1, 12 * 120)
    spectrum = stft(samples, window=np.ones(120), hop_length=120, double=True)[0]
    both_sides = np.sum(np.abs(spectrum) ** 2) + np.sum(np.abs(spectrum[1:-1]) ** 2)
    assert both_sides / 120 == pytest.approx(np.sum(samples**2), rel=1e-13)


def test_a_sound_shorter_than_a_frame_is_padded_as_librosa_pads_it():
    for length in [1, 2, 10, 63]:
        samples = noise(1, length)
        with pytest.warns(UserWarning, match="too large"):
            expected = librosa.stft(samples, n_fft=64, hop_length=16)
        found = stft(samples, **centred(64, 16, 64), double=True)
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 1e-13
        assert np.abs(istft(found, **centred(64, 16, 64), length=length) - samples).max() < 1e-12


@pytest.mark.parametrize("pad_mode", ["edge", "reflect", "symmetric", "wrap"])
def test_no_samples_cannot_be_extended(pad_mode):
    with pytest.raises(ShapeError, match="0 samples"):
        stft(np.zeros((1, 0)), **centred(64, 16, 64), pad_mode=pad_mode)
    assert not stft(np.zeros((1, 0)), **centred(64, 16, 64)).any()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"hop_length": 0}, ShapeError),
        ({"hop_length": -4}, ShapeError),
        ({"window": np.zeros(64)}, NotInvertibleError),
        ({"hop_length": 65}, NotInvertibleError),
        ({"window": np.hanning(66)}, ShapeError),
        ({"window": np.full(64, np.nan)}, ShapeError),
        ({"window": np.ones((64, 1))}, ShapeError),
        ({"length": -1}, ShapeError),
        ({"pad": -1}, ShapeError),
    ],
)
def test_what_librosa_and_torch_refuse_is_refused(change, error):
    spectrum = stft(noise(1, 500), window=np.hanning(64), hop_length=16)
    with pytest.raises(error):
        istft(spectrum, **({"window": np.hanning(64), "hop_length": 16} | change))


@pytest.mark.parametrize("spectrum", [np.zeros((33, 9), complex), np.zeros((1, 33, 9)), np.zeros((1, 33, 9, 2))])
def test_spectra_that_are_not_complex_or_have_no_channels_are_refused(spectrum):
    with pytest.raises(ShapeError, match="a spectrogram is complex"):
        istft(spectrum, window=np.hanning(64), hop_length=16)


@pytest.mark.parametrize("samples", [np.zeros(500), np.zeros((1, 500), complex), np.zeros((1, 2, 500))])
def test_samples_that_are_no_channels_of_real_numbers_are_refused(samples):
    with pytest.raises(ShapeError, match="samples are real"):
        stft(samples, window=np.hanning(64), hop_length=16)
