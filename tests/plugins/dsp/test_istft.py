import numpy as np
import pytest
from dsp_material import BOTH, ENGINES, ODD_SETTINGS, noise_spectrum, pad_of, speech
from dsp_reference import clip, hann, synthesise

from tonearm_plugins.dsp.errors import NotInvertibleError, ShapeError
from tonearm_plugins.dsp.istft import IstftStream, istft
from tonearm_plugins.dsp.stft import stft


def of_the_peak(found, expected):
    return np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-9)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("setting", "engine"), BOTH)
@pytest.mark.parametrize("padding", ["center", "half-overlap", "none"])
def test_every_sample_is_as_in_float64(setting, padding, engine):
    n_fft, hop, win_length = setting
    window, pad = hann(n_fft, win_length), pad_of(padding, n_fft, hop)
    for frames in (1, 2, 7, 16, 17, 50):
        spectrum = noise_spectrum(n_fft // 2 + 1, frames, seed=frames)
        natural = max(0, n_fft + hop * (frames - 1) - 2 * pad)
        for length in (None, max(natural - 3, 0), natural + hop // 2 + 1, natural + 3 * n_fft, min(natural, hop + 5)):
            found = istft(spectrum, window=window, hop_length=hop, pad=pad, length=length, engine=engine)
            length = natural if length is None else length
            whole = synthesise(spectrum[0].T.astype(complex), window, hop, pad, length, 1e-8)
            assert found.shape == (1, length)
            assert found.dtype == np.float32
            if (
                length and np.abs(clip(whole, pad, length)).max() < 1e3
            ):  # the edges of uncentred noise amplify without bound
                assert of_the_peak(found[0], clip(whole, pad, length)) < 2e-6


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("length", [None, 0, 700, 90_000])
def test_the_peak_is_that_of_the_samples(engine, threads, length):
    spectrum = np.concatenate([noise_spectrum(257, 400), 3 * noise_spectrum(257, 400, seed=1)])
    frames = {"window": hann(512), "hop_length": 128, "pad": 256, "length": length}
    peaks = []
    found = istft(spectrum, **frames, engine=engine, threads=threads, on_peak=peaks.append)
    assert peaks == [np.abs(found).max(initial=0)]
    spectrum[0, 5, 1] = np.nan
    with np.errstate(all="ignore"):
        istft(spectrum, **frames, engine=engine, threads=threads, on_peak=peaks.append)
    assert np.isnan(peaks[1]) or not length


@pytest.mark.parametrize(("n_fft", "hop", "win_length"), ODD_SETTINGS)
def test_sizes_that_only_scipy_knows(n_fft, hop, win_length):
    window = hann(n_fft, win_length)
    signal = np.random.default_rng(1).standard_normal((2, 40 * hop)).astype(np.float32)
    spectrum = stft(signal, window=window, hop_length=hop, pad=n_fft // 2)
    found = istft(spectrum, window=window, hop_length=hop, pad=n_fft // 2, length=signal.shape[1])
    assert np.abs(found - signal).max() < 2e-6


@pytest.mark.parametrize("engine", ENGINES)
def test_speech_comes_back_within_three_ten_millionths_of_its_peak(engine):
    signal = speech()
    window = hann(1024)
    spectrum = stft(signal[None], window=window, hop_length=256, pad=512)
    found = istft(spectrum, window=window, hop_length=256, pad=512, length=signal.size, engine=engine)
    padded = np.pad(signal.astype(float), 512)
    exact = np.array([np.fft.rfft(padded[t * 256 : t * 256 + 1024] * window) for t in range(spectrum.shape[2])])
    whole = synthesise(exact, window, 256, 512, signal.size, 1e-8)
    assert of_the_peak(found[0], whole[512 : 512 + signal.size]) < 3e-7
    assert of_the_peak(found[0], signal) < 3e-7


@pytest.mark.parametrize("engine", ENGINES)
def test_the_order_of_memory_and_the_type_change_nothing(engine, tmp_path):
    spectrum = noise_spectrum(513, 37, channels=2)
    call = {"window": hann(1024), "hop_length": 256, "pad": 512, "engine": engine}
    expected = istft(spectrum, **call)
    np.save(tmp_path / "c.npy", spectrum)
    np.save(tmp_path / "f.npy", np.asfortranarray(spectrum))
    variants = {
        "fortran": np.asfortranarray(spectrum),
        "frames first": np.ascontiguousarray(spectrum.transpose(0, 2, 1)).transpose(0, 2, 1),
        "big endian": spectrum.astype(">c8"),
        "mapped": np.load(tmp_path / "c.npy", mmap_mode="r"),
        "mapped fortran": np.load(tmp_path / "f.npy", mmap_mode="r"),
        "every other bin": np.repeat(spectrum, 2, axis=1)[:, ::2],
        "every other frame": np.repeat(spectrum, 2, axis=2)[:, :, ::2],
        "backwards in memory": spectrum[:, :, ::-1].copy()[:, :, ::-1],
    }
    for name, variant in variants.items():
        found = istft(variant, **call)
        assert found.dtype == np.float32, name
        assert np.abs(found - expected).max() < 1e-6, name


def test_complex128_gives_float64(librosa):
    spectrum = noise_spectrum(513, 20).astype(complex)
    found = istft(spectrum, window=hann(1024), hop_length=256, pad=512)
    expected = librosa.istft(spectrum[0], n_fft=1024, hop_length=256)
    assert found.dtype == np.float64
    assert np.abs(found[0] - expected).max() < 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("engine", [*ENGINES, "librosa"])
def test_agrees_with_librosa(engine, librosa):
    spectrum = noise_spectrum(513, 40)
    expected = librosa.istft(spectrum[0], n_fft=1024, hop_length=256, length=9000)
    found = istft(spectrum, window=hann(1024), hop_length=256, pad=512, length=9000, engine=engine)
    assert of_the_peak(found[0], expected) < 1e-6


@pytest.mark.parametrize("engine", ENGINES)
def test_nan_stays_under_its_frame(engine):
    spectrum = np.ones((1, 513, 200), np.complex64)
    spectrum[:, :, 100] = np.nan
    bad = np.flatnonzero(np.isnan(istft(spectrum, window=hann(1024), hop_length=256, engine=engine)[0]))
    assert bad.min() >= 100 * 256
    assert bad.max() < 100 * 256 + 1024
    assert bad.size > 1000


def test_impossible_inversions_are_refused():
    spectrum = noise_spectrum(513, 5)
    for bad in (1024 + 1, 1024 * 2):
        with pytest.raises(NotInvertibleError, match="gaps"):
            istft(spectrum, window=np.ones(1024), hop_length=bad)
    with pytest.raises(NotInvertibleError, match="NOLA"):
        istft(spectrum, window=hann(1024, 200), hop_length=256)
    with pytest.raises(NotInvertibleError, match="NOLA"):
        istft(spectrum, window=np.zeros(1024), hop_length=256)
    with pytest.raises(ShapeError, match="bins"):
        istft(spectrum[:, 1:], window=hann(1024), hop_length=256)
    with pytest.raises(ShapeError, match="complex"):
        istft(spectrum.real, window=hann(1024), hop_length=256)
    with pytest.raises(ShapeError, match="channels"):
        istft(spectrum[0], window=hann(1024), hop_length=256)
    with pytest.raises(ShapeError, match="0 frames"):
        istft(spectrum[:, :, :0], window=hann(1024), hop_length=256)


def test_no_channels_and_no_samples_are_no_error():
    assert istft(noise_spectrum(513, 5)[:0], window=hann(1024), hop_length=256).shape == (0, 2048)
    assert istft(noise_spectrum(513, 5), window=hann(1024), hop_length=256, length=0).shape == (1, 0)
    assert istft(noise_spectrum(513, 1), window=hann(1024), hop_length=256, pad=512).shape == (1, 0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", [1, 3, 9])
def test_frames_that_come_in_blocks_have_the_bits_of_all(size, engine):
    frames = {"window": hann(256), "hop_length": 64, "pad": 128, "engine": engine}
    spectrum = noise_spectrum(129, 38)
    stream = IstftStream(**frames)
    parts = [stream.push(spectrum[..., at : at + size]) for at in range(0, 38, size)]
    np.testing.assert_array_equal(np.concatenate([*parts, stream.finish()], axis=1), istft(spectrum, **frames))
