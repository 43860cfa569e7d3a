"""deemphasis and mu-law-decode, which undo what models were trained with."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import pytest
import scipy.signal
from finishing import applied, problems, speech

import tonearm
from tonearm.api import ItemError
from tonearm_plugins.transforms.deemphasis import Deemphasis
from tonearm_plugins.transforms.mu_law_decode import MuLawDecode


def noise(channels: int, length: int, kind: str = "f8") -> Any:
    return np.random.default_rng(length).standard_normal((channels, length)).astype(kind)


class TestDeemphasis:
    @pytest.mark.parametrize("coefficient", [0.0, 0.5, 0.85, 0.97, 0.9999])
    @pytest.mark.parametrize("length", [1, 2, 1000, 100_001])
    def test_it_is_the_filter(self, length: int, coefficient: float) -> None:
        samples = noise(2, length)
        wanted = scipy.signal.lfilter([1], [1, -coefficient], samples)
        found, _ = applied(Deemphasis, samples, coefficient=coefficient)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12 * np.abs(wanted).max())

    @pytest.mark.parametrize("kind", ["f4", "f8"])
    def test_it_is_the_inverse_of_pre_emphasis(self, kind: str) -> None:
        for samples in (speech().astype(kind), noise(3, 70_000, kind)):
            emphasised = samples.copy()
            emphasised[:, 1:] -= np.asarray(0.97, kind) * samples[:, :-1]
            found, _ = applied(Deemphasis, emphasised)
            assert np.abs(found - samples).max() < (1e-13 if kind == "f8" else 5e-6) * np.abs(samples).max()

    def test_it_is_librosas(self) -> None:
        samples = speech().astype("f8")
        wanted = librosa.effects.deemphasis(samples, coef=0.97, zi=np.zeros((1, 1)))
        np.testing.assert_allclose(applied(Deemphasis, samples)[0], wanted, atol=1e-10)

    def test_what_is_not_finite_stays(self) -> None:
        samples = noise(1, 1000)
        clean = samples.copy()
        samples[0, 500], clean[0, 500] = np.nan, 0
        found, wanted = applied(Deemphasis, samples)[0], applied(Deemphasis, clean)[0]
        assert np.isnan(found[0, 500])
        np.testing.assert_array_equal(np.delete(found, 500), np.delete(wanted, 500))

    def test_a_filter_that_does_not_end_is_refused(self) -> None:
        assert "deemphasis: 'coefficient' is 1" in problems({"use": "deemphasis", "with": {"coefficient": 1}})


def torchaudios(indices: Any, classes: int) -> Any:
    """torchaudio.functional.mu_law_decoding as of 2.11, written out."""
    mu = classes - 1.0
    companded = indices / mu * 2 - 1.0
    return np.sign(companded) * (np.exp(np.abs(companded) * np.log1p(mu)) - 1.0) / mu


class TestMuLaw:
    @pytest.mark.parametrize("classes", [2, 256, 1024, 65536])
    def test_classes(self, classes: int) -> None:
        indices = np.arange(classes, dtype="f8")[None]
        found = applied_to_classes(indices, quantization_channels=classes)
        np.testing.assert_allclose(found, torchaudios(indices, classes), atol=1e-7)
        assert found[0, 0] == -1
        assert found[0, -1] == 1

    @pytest.mark.parametrize("kind", ["f4", "f8"])
    def test_companded_values(self, kind: str) -> None:
        samples = np.linspace(-1, 1, 999).astype(kind)[None]
        found, _ = applied(MuLawDecode, samples, values="companded")
        np.testing.assert_allclose(found, librosa.mu_expand(samples, mu=255, quantize=False), atol=1e-6)
        np.testing.assert_allclose(found, torchaudios((samples + 1) / 2 * 255, 256), atol=1e-6)

    def test_what_was_companded_comes_back_within_its_class(self) -> None:
        samples = speech().astype("f8")
        companded = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log1p(255)
        indices = np.floor((companded + 1) / 2 * 255 + 0.5)
        found = applied_to_classes(indices)
        half = 1.02 * np.log1p(255) / 255 * (np.abs(samples) + 1 / 255)  # of a class, as wide as its slope
        assert (np.abs(found - samples) <= half).all()

    @pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "i8", "f4", "f8"])
    def test_arrays_of_classes_of_every_type(self, dtype: str) -> None:
        classes = np.random.default_rng(1).integers(0, 256, 400)
        steps = [{"use": "mu-law-decode", "with": {"values": "indices"}}]
        (signal,) = loaded(steps, full_scale=1).convert(classes.astype(dtype))
        np.testing.assert_allclose(signal.samples[0], torchaudios(classes, 256), atol=1e-7)
        assert signal.samples.dtype == "f4"

    def test_what_is_no_class_is_said_with_what_to_do(self) -> None:
        hint = "full_scale: 1 in the decoder leaves whole numbers as they are; quantization_channels says how many"
        for array, options, message in (
            (np.array([3, 100], "i2"), {}, "from 0 to 255, but there is 9.15527e-05"),
            (np.array([3, 256], "i2"), {"full_scale": 1}, "from 0 to 255, but there is 256"),
            (np.array([-1, 3], "i2"), {"full_scale": 1}, "from 0 to 255, but there is -1"),
        ):
            with pytest.raises(ItemError, match=f"class indices are whole numbers {message}") as caught:
                list(loaded([{"use": "mu-law-decode", "with": {"values": "indices"}}], **options).convert(array))
            assert (caught.value.code, caught.value.hint) == ("not-mu-law", hint)
        with pytest.raises(ItemError, match=r"companded values are from -1 to 1, but there is 1\.5") as caught:
            applied(MuLawDecode, np.array([[0.5, 1.5]]), values="companded")
        assert caught.value.hint == "values: indices; quantization_channels says how many"

    def test_what_is_not_finite_stays(self) -> None:
        np.testing.assert_array_equal(
            np.isnan(applied_to_classes(np.array([[0, np.nan, 255]], "f4"))), [[False, True, False]]
        )
        found, _ = applied(MuLawDecode, np.array([[0, np.nan, 1]], "f4"), values="companded")
        np.testing.assert_array_equal(found, [[0, np.nan, 1]])

    def test_it_says_what_must_be_given(self) -> None:
        assert "missing-option: mu-law-decode: 'values' is missing" in problems({"use": "mu-law-decode"})


def applied_to_classes(indices: Any, **options: Any) -> Any:
    """Return the samples; they are float32, whatever the classes were."""
    from finishing import made

    from tonearm.api import Context, Waveform

    plugin = made(MuLawDecode, values="indices", **options)
    found = plugin.apply(Waveform(samples=indices, sample_rate=16000), Context()).samples
    assert found.dtype == "f4"
    return found


def loaded(steps: Any, **options: Any) -> Any:
    reader = {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 16000, **options}}
    outputs = [{"use": "wav-writer", "file": "{stem}.wav"}]
    return tonearm.load_pipeline({"tonearm": 1, "input": reader, "steps": steps, "outputs": outputs})
