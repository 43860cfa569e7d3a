"""mu-law-decode: against torchaudio's formula and librosa."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import pytest
from transform_helpers import apply, make, problems, speech

import tonearm
from tonearm.api import Context, ItemError, Waveform
from tonearm_plugins.transforms.mu_law_decode import MuLawDecode


def torchaudios(indices: Any, classes: int) -> Any:
    """Return the result of torchaudio 2.11's mu_law_decoding, written out."""
    mu = classes - 1.0
    companded = indices / mu * 2 - 1.0
    return np.sign(companded) * (np.exp(np.abs(companded) * np.log1p(mu)) - 1.0) / mu


@pytest.mark.parametrize("classes", [2, 256, 1024, 65536])
def test_classes(classes: int) -> None:
    indices = np.arange(classes, dtype="f8")[None]
    found = applied_to_classes(indices, quantization_channels=classes)
    np.testing.assert_allclose(found, torchaudios(indices, classes), atol=1e-7)
    assert found[0, 0] == -1
    assert found[0, -1] == 1


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_companded_values(kind: str) -> None:
    samples = np.linspace(-1, 1, 999).astype(kind)[None]
    found, _ = apply(MuLawDecode, samples, values="companded")
    np.testing.assert_allclose(found, librosa.mu_expand(samples, mu=255, quantize=False), atol=1e-6)
    np.testing.assert_allclose(found, torchaudios((samples + 1) / 2 * 255, 256), atol=1e-6)


def test_what_was_companded_comes_back_within_its_class() -> None:
    samples = speech().astype("f8")
    companded = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log1p(255)
    indices = np.floor((companded + 1) / 2 * 255 + 0.5)
    found = applied_to_classes(indices)
    half = 1.02 * np.log1p(255) / 255 * (np.abs(samples) + 1 / 255)  # of a class, as wide as its slope
    assert (np.abs(found - samples) <= half).all()


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "i8", "f4", "f8"])
def test_arrays_of_classes_of_every_type(dtype: str) -> None:
    classes = np.random.default_rng(1).integers(0, 256, 400)
    steps = [{"use": "mu-law-decode", "with": {"values": "indices"}}]
    (signal,) = loaded(steps, full_scale=1).convert(classes.astype(dtype))
    np.testing.assert_allclose(signal.samples[0], torchaudios(classes, 256), atol=1e-7)
    assert signal.samples.dtype == "f4"


def test_values_that_are_not_classes_are_refused_with_a_remedy() -> None:
    keep = '"full_scale": 1 in the options of input, to keep whole numbers as they are'
    classes = '"quantization_channels": … (number of classes)'
    for array, options, message in (
        (np.array([3, 100], "i2"), {}, "from 0 to 255, but one is 9.15527e-05"),
        (np.array([3, 256], "i2"), {"full_scale": 1}, "from 0 to 255, but one is 256"),
        (np.array([-1, 3], "i2"), {"full_scale": 1}, "from 0 to 255, but one is -1"),
    ):
        with pytest.raises(ItemError, match=f"class indices must be whole numbers {message}") as caught:
            list(loaded([{"use": "mu-law-decode", "with": {"values": "indices"}}], **options).convert(array))
        hint = classes if options else f"{keep}; {classes}"
        assert (caught.value.code, caught.value.hint) == ("not-mu-law", hint)
    with pytest.raises(ItemError, match=r"companded values must be from -1 to 1, but one is 1\.5") as caught:
        apply(MuLawDecode, np.array([[0.5, 1.5]]), values="companded")
    assert caught.value.hint == ""
    with pytest.raises(ItemError, match="companded values must be from -1 to 1, but one is 3") as caught:
        apply(MuLawDecode, np.array([[3.0, 200.0]]), values="companded")
    assert caught.value.hint == "values: indices, if they are class indices"


def test_nan_and_infinity_stay() -> None:
    np.testing.assert_array_equal(
        np.isnan(applied_to_classes(np.array([[0, np.nan, 255]], "f4"))), [[False, True, False]]
    )
    found, _ = apply(MuLawDecode, np.array([[0, np.nan, 1]], "f4"), values="companded")
    np.testing.assert_array_equal(found, [[0, np.nan, 1]])


def test_it_says_what_must_be_given() -> None:
    assert "missing-option: mu-law-decode: 'values' is missing" in problems({"use": "mu-law-decode"})


def applied_to_classes(indices: Any, **options: Any) -> Any:
    """Decode classes, and check that the result is float32 whatever their type is."""
    plugin = make(MuLawDecode, values="indices", **options)
    found = plugin.apply(Waveform(samples=indices, sample_rate=16000), Context()).samples
    assert found.dtype == "f4"
    return found


def loaded(steps: Any, **options: Any) -> Any:
    reader = {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 16000, **options}}
    outputs = [{"use": "wav-writer", "file": "{stem}.wav"}]
    return tonearm.load_pipeline({"tonearm": 1, "input": reader, "steps": steps, "outputs": outputs})
