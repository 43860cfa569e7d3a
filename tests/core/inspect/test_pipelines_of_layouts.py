"""The pipeline that inspect prints for a spectrogram in another layout gives the sound, once it is filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from real_arrays import STFT, WAVE

import tonearm
from tonearm.inspect import inspect_file
from tonearm.plugins.registry import default

BOTH = np.stack([STFT.real, STFT.imag])
POLAR = np.stack([np.abs(STFT), np.angle(STFT)])
SIDES = np.concatenate([STFT, STFT[-2:0:-1].conj()])

ARRAYS: dict[str, Any] = {
    "two sides": SIDES,
    "two sides, frames first": SIDES.T,
    "centred": np.fft.fftshift(SIDES, axes=0),
    "centred, Nyquist last": np.roll(SIDES, 511, axis=0),
    "halves": BOTH.reshape(1026, -1),
    "halves, frames first": BOTH.reshape(1026, -1).T,
    "pairs": np.moveaxis(BOTH, 0, 1).reshape(1026, -1),
    "view_as_real": np.moveaxis(BOTH, 0, -1),
    "magnitude and phase": POLAR,
    "magnitude and phase last": np.moveaxis(POLAR, 0, -1),
    "magnitude and phase in the bins": POLAR.reshape(1026, -1),
    "magnitude and phase side by side": np.moveaxis(POLAR, 0, 1).reshape(1026, -1).T,
    "decibels and phase": np.stack([20 * np.log10(POLAR[0] + 1e-9), POLAR[1]]),
    "ln and phase": np.stack([np.log(POLAR[0] + 1e-6), POLAR[1]]),
    "without the Nyquist bin": STFT[:-1],
    "without the DC bin": STFT[1:],
}


@pytest.mark.parametrize("name", ARRAYS)
def test_the_pipeline_of_inspect_gives_the_sound(name: str, tmp_path: Path) -> None:
    array = ARRAYS[name]
    np.save(tmp_path / "a.npy", array.astype("c8" if array.dtype.kind == "c" else "f4"))
    (found,) = inspect_file(str(tmp_path / "a.npy"), default())
    pipeline = found.pipeline(default())
    options = pipeline["input"]["with"]
    assert [option for option, value in options.items() if value == "?"] == ["sample_rate", "hop_length"]
    options |= {"sample_rate": 22050, "hop_length": 256}
    assert pipeline["steps"] == [{"use": "istft"}]
    (wave,) = tonearm.load_pipeline(pipeline).convert(tmp_path / "a.npy")
    samples = wave.samples[0]
    error = samples - WAVE[: samples.size]
    # Bins that are missing are lost; the others are exact.
    least = 30 if name.startswith("without") else 80
    assert 10 * np.log10((WAVE[: samples.size] ** 2).sum() / (error**2).sum()) > least


@pytest.mark.parametrize(("sides", "shift"), [("two", 0), ("centered", 512), ("centered-nyquist-last", 511)])
def test_both_sides_beside_their_n_fft_are_said(sides: str, shift: int, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.roll(SIDES, shift, axis=0))
    given: dict[str, Any] = {"kind": "complex", "n_fft": 1024, "hop_length": 256, "sample_rate": 22050}

    def convert(**more: Any) -> Any:
        document = {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": given | more},
            "steps": [{"use": "istft"}],
            "outputs": [{"use": "wav-writer", "file": "a.wav"}],
        }
        return next(iter(tonearm.load_pipeline(document).convert(tmp_path / "a.npy")))

    with pytest.raises(tonearm.ItemError, match=r"has 1024|no axis") as caught:
        convert()
    (remedy,) = caught.value.remedies
    assert (remedy.option, remedy.value) == ("sides", sides)  # type: ignore[union-attr]
    np.testing.assert_allclose(convert(sides=sides).samples[0][:50000], WAVE[:50000], atol=1e-5)
