"""Mu-law and pre-emphasis, asked what the tests of librosa and torchaudio ask: round trips, ends, what is refused."""

import librosa
import numpy as np
import pytest
import scipy.signal
from peer_material import noise

from tonearm.api import Context, ItemError, SetOption, Waveform
from tonearm_plugins.dsp.mu_law import mu_law_decode, mu_law_expand
from tonearm_plugins.dsp.preemphasis import deemphasis
from tonearm_plugins.transforms.mu_law_decode import MuLawDecode, MuLawDecodeOptions

MUS = (3, 15, 127, 255, 1023, 65535)


def torchaudio_encoded(samples, classes):
    """Return torchaudio's mu_law_encoding by its definition."""
    mu = classes - 1
    companded = np.sign(samples) * np.log1p(mu * np.abs(samples)) / np.log1p(mu)
    return ((companded + 1) / 2 * mu + 0.5).astype(np.int64)


@pytest.mark.parametrize("mu", MUS)
def test_expansion_is_librosas(mu):
    companded = np.linspace(-1, 1, 1001)[None]
    expected = librosa.mu_expand(companded, mu=mu, quantize=False)
    assert np.abs(mu_law_expand(companded, mu + 1) - expected).max() < 1e-15


@pytest.mark.parametrize("mu", MUS)
def test_librosas_compression_is_undone(mu):
    for kind in ["f4", "f8"]:
        samples = np.linspace(-1, 1, 2003, dtype=kind)[None]
        companded = librosa.mu_compress(samples, mu=mu, quantize=False).astype(kind)
        found = mu_law_expand(companded, mu + 1)
        assert found.dtype == kind
        assert np.abs(found - samples).max() < (1e-14 if kind == "f8" else 2e-6)


@pytest.mark.parametrize("classes", [4, 16, 128, 256, 1024, 65536])
def test_torchaudios_classes_come_back_within_half_a_class(classes):
    samples = np.linspace(-1, 1, 4001)[None]
    encoded = torchaudio_encoded(samples, classes)
    assert (encoded.min(), encoded.max()) == (0, classes - 1)
    found = mu_law_decode(encoded.astype("f8"), classes)
    companded = [np.sign(x) * np.log1p((classes - 1) * np.abs(x)) / np.log1p(classes - 1) for x in (found, samples)]
    assert np.abs(companded[0] - companded[1]).max() < 1.01 / (classes - 1)
    assert np.array_equal(torchaudio_encoded(found.astype("f8"), classes), encoded)


@pytest.mark.parametrize("classes", [2, 16, 256])
def test_classes_are_odd_about_the_middle_and_reach_full_scale(classes):
    found = mu_law_decode(np.arange(classes, dtype="f8")[None], classes)[0]
    assert np.array_equal(found, -found[::-1])
    assert (found[0], found[-1]) == (-1, 1)
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("value", [-1.01, 1.5, 40.0, np.inf])
def test_companded_values_beyond_one_are_refused_as_librosa_refuses_them(value):
    with pytest.raises(librosa.ParameterError):
        librosa.mu_expand(np.array([0.1, value]), mu=255, quantize=False)
    with pytest.raises(ValueError, match="from -1 to 1"):
        mu_law_expand(np.array([[0.1, value]]), 256)


def test_librosas_signed_classes_are_companded_values_at_a_full_scale():
    """librosa.mu_compress counts classes from -128 to 127, and torchaudio from 0 to 255."""
    samples = noise(1, 3000)
    signed = librosa.mu_compress(samples, mu=255)
    assert signed.min() < 0
    plugin = MuLawDecode(MuLawDecodeOptions(values="companded"))
    found = plugin.apply(Waveform(samples=signed / 128, sample_rate=16000), Context()).samples
    assert np.abs(found - librosa.mu_expand(signed, mu=255)).max() < 1e-15


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ("indices", SetOption("values", "companded", "if they are signed classes")),
        ("companded", SetOption("full_scale", 128, "if they are signed classes", stage="input")),
    ],
)
def test_signed_classes_are_refused_with_the_options_that_read_them(values, remedy):
    signed = librosa.mu_compress(noise(1, 300), mu=255).astype("f4")
    plugin = MuLawDecode(MuLawDecodeOptions(values=values))
    with pytest.raises(ItemError) as caught:
        plugin.apply(Waveform(samples=signed, sample_rate=16000), Context())
    assert caught.value.remedies == (remedy,)


# ------------------------------------------------------------ pre-emphasis

COEFFICIENTS = (0.0, 0.1, 0.5, 0.85, 0.97, 0.999)


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_pre_emphasis_by_a_filter_is_undone(coefficient):
    samples = noise(3, 70_001)
    emphasised = scipy.signal.lfilter([1, -coefficient], [1], samples)
    assert np.abs(deemphasis(emphasised, coefficient) - samples).max() < 1e-11


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_de_emphasis_is_the_filter_of_torchaudio_and_librosa(coefficient):
    samples = noise(2, 40_000, seed=4)
    expected = scipy.signal.lfilter([1], [1, -coefficient], samples)
    assert np.abs(deemphasis(samples, coefficient) - expected).max() < 1e-11
    if coefficient:
        theirs = librosa.effects.deemphasis(samples, coef=coefficient, zi=np.zeros((2, 1)))
        assert np.abs(deemphasis(samples, coefficient) - theirs).max() < 1e-11


@pytest.mark.parametrize("coefficient", [0.5, 0.97])
def test_librosas_guess_of_the_sample_before_the_first_leaves_a_decay(coefficient):
    """librosa.effects.preemphasis begins as if a straight line came before, which a file does not say."""
    samples = noise(1, 3000)
    emphasised = librosa.effects.preemphasis(samples, coef=coefficient)
    difference = (deemphasis(emphasised, coefficient) - samples)[0]
    assert np.abs(difference - difference[0] * coefficient ** np.arange(3000)).max() < 1e-12
    assert difference[0] == pytest.approx(2 * samples[0, 0] - samples[0, 1])


def test_single_precision_does_not_add_up_rounding():
    samples = (np.cumsum(noise(1, 200_000), axis=1) % 0.5).astype("f4")
    emphasised = scipy.signal.lfilter([1, -0.97], [1], samples.astype("f8"))
    found = deemphasis(emphasised.astype("f4"), 0.97)
    assert found.dtype == np.float32
    assert np.abs(found - samples).max() < 1e-6
