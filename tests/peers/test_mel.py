"""Mel scales, filter banks and mel spectrograms, asked what the tests of librosa, torchaudio and Kaldi ask."""

import librosa
import numpy as np
import pytest
import scipy.signal
from peer_material import noise, sine, sweep

from tonearm.api import Context, MelDialect, Waveform
from tonearm.recipes.mel.filter_bank import hz_to_mel, mel_edges, mel_filter_bank, mel_to_hz
from tonearm_plugins.transforms.wave_to_mel import WaveToMel, WaveToMelOptions


def mel_of(samples, **figures):
    """Return the mel spectrogram of samples, (mels, frames), by a dialect of these figures."""
    dialect = MelDialect(**figures)
    plugin = WaveToMel(WaveToMelOptions(dialect=dialect))
    signal = Waveform(samples=np.atleast_2d(samples), sample_rate=dialect.sample_rate)
    return plugin.apply(signal, Context()).values[0]


# ------------------------------------------------------------ scales

HERTZ = (0.0, 25.5, 199.0, 700.0, 999.9, 1000.0, 1000.1, 1234.5, 6400.0, 9999.0, 44000.0)


def test_mels_are_librosas():
    for hz in HERTZ:
        for scale, htk in (("slaney", False), ("htk", True)):
            assert hz_to_mel(hz, scale) == pytest.approx(librosa.hz_to_mel(hz, htk=htk), rel=1e-13, abs=1e-13)
            mel = hz / 7
            assert mel_to_hz(mel, scale) == pytest.approx(librosa.mel_to_hz(mel, htk=htk), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("scale", ["slaney", "htk", "kaldi"])
def test_scales_go_there_and_back_and_never_down(scale):
    hz = np.concatenate([np.linspace(0, 2000, 401), np.geomspace(2000, 100_000, 200)])
    mels = [hz_to_mel(one, scale) for one in hz]
    assert [mel_to_hz(mel, scale) for mel in mels] == pytest.approx(hz, rel=1e-12, abs=1e-10)
    assert (np.diff(mels)[hz[1:] != 2000.0] > 0).all()


def test_1000_hz_is_1000_mels_in_the_scales_of_speech():
    assert hz_to_mel(1000, "htk") == pytest.approx(1000, abs=0.02)
    assert hz_to_mel(1000, "kaldi") == pytest.approx(1000, abs=0.02)
    assert hz_to_mel(1000, "slaney") == 15


@pytest.mark.parametrize(
    ("n_mels", "fmin", "fmax"), [(3, 0.0, 8000.0), (40, 133.3333, 6855.4976), (128, 20.0, 11025.0)]
)
def test_frequencies_of_bands_are_librosas(n_mels, fmin, fmax):
    for scale, htk in (("slaney", False), ("htk", True)):
        found = [mel_to_hz(mel, scale) for mel in mel_edges(n_mels, fmin, fmax, scale)]
        assert found == pytest.approx(librosa.mel_frequencies(n_mels + 2, fmin=fmin, fmax=fmax, htk=htk), rel=1e-12)


# ------------------------------------------------------------ filter banks

BANKS = (
    (8000, 256, 20, 0.0, 4000.0),
    (16000, 400, 40, 60.0, 7600.0),
    (22050, 2048, 128, 0.0, 11025.0),
    (44100, 1025, 64, 27.5, 16000.0),
    (48000, 4096, 200, 500.0, 24000.0),
)


@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize("bank", BANKS)
def test_filters_are_librosas(bank, scale):
    for norm in ["slaney", "none"]:
        rate, n_fft, n_mels, fmin, fmax = bank
        found = filters(bank, scale, norm)
        expected = librosa.filters.mel(
            sr=rate,
            n_fft=n_fft,
            n_mels=n_mels,
            fmin=fmin,
            fmax=fmax,
            htk=scale == "htk",
            norm=None if norm == "none" else norm,
            dtype=float,
        )
        assert found.shape == (n_mels, n_fft // 2 + 1)
        assert np.abs(found - expected).max() < 1e-12 * expected.max()


def filters(bank, scale, norm, triangles="hz"):
    rate, n_fft, n_mels, fmin, fmax = bank
    return mel_filter_bank(
        sample_rate=rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, scale=scale, norm=norm, triangles=triangles
    )


def torchaudio_filters(bank, scale, norm):
    """Return torchaudio's melscale_fbanks by its definition: slopes over all bins, whose Nyquist is a whole number."""
    rate, n_fft, n_mels, fmin, fmax = bank
    bins = np.linspace(0, rate // 2, n_fft // 2 + 1)
    if scale == "htk":
        mel, hz = (lambda f: 2595 * np.log10(1 + f / 700)), (lambda m: 700 * (10 ** (m / 2595) - 1))
    else:
        mel, hz = librosa.hz_to_mel, librosa.mel_to_hz
    points = hz(np.linspace(mel(fmin), mel(fmax), n_mels + 2))
    slopes = points[None, :] - bins[:, None]
    down, up = -slopes[:, :-2] / np.diff(points)[:-1], slopes[:, 2:] / np.diff(points)[1:]
    bank = np.maximum(0, np.minimum(down, up))
    if norm == "slaney":
        bank *= 2 / (points[2:] - points[:-2])
    return bank.T


@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize("bank", [bank for bank in BANKS if bank[1] % 2 == 0])
def test_filters_are_torchaudios(bank, scale):
    for norm in ["slaney", "none"]:
        expected = torchaudio_filters(bank, scale, norm)
        assert np.abs(filters(bank, scale, norm) - expected).max() < 1e-12


@pytest.mark.parametrize("bank", BANKS)
def test_filters_of_one_area_add_up_alike_and_those_of_one_peak_to_one(bank):
    rate, n_fft, n_mels, *_ = bank
    area = filters(bank, "slaney", "slaney").sum(axis=1) * rate / n_fft
    wide = filters(bank, "slaney", "none").sum(axis=1) > 6  # bins: few of them do not add up to an area
    assert np.abs(area[wide] - 1).max() < 0.1
    bins = np.arange(n_fft // 2 + 1) * rate / n_fft
    edges = [mel_to_hz(mel, "slaney") for mel in mel_edges(n_mels, *bank[3:], "slaney")]
    inside = (bins >= edges[1]) & (bins <= edges[-2])
    assert filters(bank, "slaney", "none").sum(axis=0)[inside] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("bank", BANKS)
def test_the_nearest_bin_to_a_peak_weighs_the_most(bank):
    rate, n_fft, n_mels, fmin, fmax = bank
    for scale in ("slaney", "htk"):
        peaks = [mel_to_hz(mel, scale) for mel in mel_edges(n_mels, fmin, fmax, scale)][1:-1]
        highest = filters(bank, scale, "none").argmax(axis=1) * rate / n_fft
        assert np.abs(highest - peaks).max() <= rate / n_fft


# ------------------------------------------------------------ mel spectrograms

ANALYSES = {
    "defaults": {"sample_rate": 22050, "n_fft": 2048, "hop_length": 512, "n_mels": 128},
    "magnitudes": {"sample_rate": 16000, "n_fft": 512, "hop_length": 160, "n_mels": 40, "exponent": 1},
    "htk": {"sample_rate": 16000, "n_fft": 400, "hop_length": 100, "n_mels": 32, "mel_scale": "htk"},
    "peaks": {"sample_rate": 24000, "n_fft": 1000, "hop_length": 300, "n_mels": 50, "mel_norm": "none"},
    "band": {"sample_rate": 44100, "n_fft": 2048, "hop_length": 700, "n_mels": 64, "fmin": 90.0, "fmax": 12000.0},
    "short window": {"sample_rate": 16000, "n_fft": 1024, "hop_length": 200, "win_length": 640, "n_mels": 64},
    "hamming": {"sample_rate": 16000, "n_fft": 512, "hop_length": 128, "n_mels": 40, "window": "hamming"},
    "reflected": {"sample_rate": 16000, "n_fft": 512, "hop_length": 128, "n_mels": 40, "pad_mode": "reflect"},
    "not centred": {"sample_rate": 16000, "n_fft": 512, "hop_length": 128, "n_mels": 40, "padding": "none"},
}


@pytest.mark.parametrize("name", ANALYSES)
def test_mel_spectrograms_are_librosas(name):
    figures = {"exponent": 2, "log": "none"} | ANALYSES[name]
    rate = figures["sample_rate"]
    samples = noise(12000, seed=len(name)) + sweep(12000, rate)
    expected = librosa.feature.melspectrogram(
        y=samples,
        sr=rate,
        n_fft=figures["n_fft"],
        hop_length=figures["hop_length"],
        n_mels=figures["n_mels"],
        win_length=figures.get("win_length"),
        window=figures.get("window", "hann"),
        power=figures["exponent"],
        center=figures.get("padding") != "none",
        pad_mode=figures.get("pad_mode", "constant"),
        htk=figures.get("mel_scale") == "htk",
        norm=None if figures.get("mel_norm") == "none" else "slaney",
        fmin=figures.get("fmin", 0.0),
        fmax=figures.get("fmax"),
        dtype=float,
    )
    found = mel_of(samples, **figures)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-12 * expected.max()


@pytest.mark.parametrize("hz", [150.0, 440.0, 1000.0, 3210.0, 7000.0])
def test_a_tone_is_in_the_band_around_it(hz):
    figures = ANALYSES["band"] | {"log": "none", "exponent": 2, "mel_norm": "none"}
    found = mel_of(sine(hz, 20000, 44100), **figures)
    edges = [mel_to_hz(mel, "slaney") for mel in mel_edges(64, 90.0, 12000.0, "slaney")]
    band = int(found[:, found.shape[1] // 2].argmax())
    assert edges[band] - 22 <= hz <= edges[band + 2] + 22


# ------------------------------------------------------------ Kaldi's filter banks


def kaldi_fbank(
    samples,
    rate,
    *,
    bins=23,
    low=20.0,
    high=0.0,
    frame_ms=25.0,
    shift_ms=10.0,
    window="povey",
    preemphasis=0.97,
    remove_dc=True,
    use_power=True,
    use_log=True,
    snip_edges=True,
):
    """Return compute-fbank-feats by its definition, without dither and energy: (frames, bins).

    Frames are sampled from the signal, or from its mirror image where they reach beyond it; their mean is removed, each
    sample loses a part of the one before, and the first one a part of itself; the window is symmetric; bins of the FFT
    lie under triangles over mels.
    """
    length, shift = int(rate * frame_ms / 1000), int(rate * shift_ms / 1000)
    n_fft = 2 ** int(np.ceil(np.log2(length)))
    if snip_edges:
        starts = np.arange(1 + (len(samples) - length) // shift) * shift
    else:
        starts = np.arange((len(samples) + shift // 2) // shift) * shift + shift // 2 - length // 2
    turn = 2 * np.pi * np.arange(length) / (length - 1)
    values = {
        "hanning": 0.5 - 0.5 * np.cos(turn),
        "hamming": 0.54 - 0.46 * np.cos(turn),
        "blackman": 0.42 - 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn),
        "rectangular": np.ones(length),
        "povey": (0.5 - 0.5 * np.cos(turn)) ** 0.85,
    }[window]
    high = high if high > 0 else rate / 2 + high
    mel = lambda hz: 1127 * np.log(1 + np.asarray(hz) / 700)  # noqa: E731
    edges = np.linspace(mel(low), mel(high), bins + 2)
    points = mel(np.arange(n_fft // 2) * rate / n_fft)  # Kaldi leaves the Nyquist bin out
    weights = np.array([np.interp(points, edges[b : b + 3], [0, 1, 0]) for b in range(bins)])
    rows = []
    for start in starts:
        at = np.arange(start, start + length)
        at = np.where(at < 0, -1 - at, at)
        at = np.where(at >= len(samples), 2 * len(samples) - 1 - at, at)
        frame = samples[at].astype(float)
        if remove_dc:
            frame = frame - frame.mean()
        frame = frame - preemphasis * np.concatenate([frame[:1], frame[:-1]])
        spectrum = np.abs(np.fft.rfft(frame * values, n_fft))[:-1]
        rows.append(weights @ (spectrum**2 if use_power else spectrum))
    return np.log(np.maximum(rows, np.finfo(np.float32).eps)) if use_log else np.array(rows)


KALDI = {
    "n_fft": 512, "hop_length": 160, "win_length": 400, "sample_rate": 16000, "window": "povey_symmetric",
    "padding": "snip", "preemphasis": 0.97, "preemphasis_scope": "frame", "remove_dc": True, "exponent": 2,
    "fmin": 20.0, "mel_scale": "kaldi", "mel_norm": "none", "triangles": "mel", "input_scale": 32768.0,
    "floor": float(np.finfo(np.float32).eps), "n_mels": 23,
}  # fmt: skip

# What is asked of Kaldi, and how a dialect says it.
KALDI_CASES = {
    "defaults": ({}, {}),
    "80 bands": ({"bins": 80}, {"n_mels": 80}),
    "a band": ({"low": 100.0, "high": 6800.0}, {"fmin": 100.0, "fmax": 6800.0}),
    "from the top": ({"high": -400.0}, {"fmax": 7600.0}),
    "hanning": ({"window": "hanning"}, {"window": "hann_symmetric"}),
    "hamming": ({"window": "hamming"}, {"window": "hamming_symmetric"}),
    "blackman": ({"window": "blackman"}, {"window": "blackman_symmetric"}),
    "rectangular": ({"window": "rectangular"}, {"window": "boxcar"}),
    "no pre-emphasis": ({"preemphasis": 0.0}, {"preemphasis": 0.0}),
    "mean kept": ({"remove_dc": False}, {"remove_dc": False}),
    "magnitudes": ({"use_power": False}, {"exponent": 1}),
    "linear": ({"use_log": False}, {"log": "none"}),
    "20 ms": ({"frame_ms": 20.0, "shift_ms": 8.0}, {"win_length": 320, "hop_length": 128}),
    "32 ms": ({"frame_ms": 32.0}, {"win_length": 512}),
}


@pytest.mark.parametrize("name", KALDI_CASES)
def test_filter_bank_features_are_kaldis(name):
    asked, said = KALDI_CASES[name]
    samples = noise(7000, seed=len(name)) + sweep(7000) + 0.01
    expected = kaldi_fbank(samples * 32768, 16000, **asked).T
    found = mel_of(samples, **(KALDI | said))
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-10 * max(1, np.abs(expected).max())


def test_silence_is_kaldis_floor():
    assert np.allclose(mel_of(np.zeros(4000), **KALDI), np.log(np.finfo(np.float32).eps))


def test_pre_emphasis_of_a_whole_signal_is_scipys_filter():
    samples = noise(8000)
    figures = {"sample_rate": 16000, "n_fft": 512, "hop_length": 128, "n_mels": 40, "log": "none"}
    found = mel_of(samples, **figures, preemphasis=0.9)
    expected = mel_of(scipy.signal.lfilter([1, -0.9], [1], samples), **figures)
    assert np.abs(found - expected).max() < 1e-12 * expected.max()
