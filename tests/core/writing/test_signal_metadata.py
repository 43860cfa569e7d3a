"""Descriptions of signals: the options with which a reader of arrays gives the same signal back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pytest

from tonearm.api import (
    ComplexSpectrogram,
    MelDialect,
    MelSpectrogram,
    Signal,
    StftGrid,
    Waveform,
    as_written,
    described,
)
from tonearm.plugins.registry import default

GRID = StftGrid(sample_rate=8000, n_fft=64, hop_length=16, win_length=48)


def mel(name: str, frames: int) -> MelSpectrogram:
    values = np.random.default_rng(1).random((1, 80, frames)).astype("f4")
    return MelSpectrogram(values=values, dialect=default().catalogue(MelDialect).find(name), length=1000)


def test_a_waveform() -> None:
    signal = Waveform(samples=np.zeros((2, 3), "f4"), sample_rate=8000)
    assert described(signal) == {"kind": "waveform", "axes": ["channel", "time"], "sample_rate": 8000}


@pytest.mark.parametrize("length", [None, 500])
def test_a_spectrogram_has_its_grid(length: int | None) -> None:
    signal = ComplexSpectrogram(values=np.zeros((1, 33, 4), "c8"), grid=GRID, length=length)
    found = described(signal)
    assert found.pop("kind") == "complex"
    assert found.pop("axes") == ["channel", "bin", "frame"]
    assert found.pop("length", None) == length
    assert msgspec.convert(found, StftGrid) == GRID


def test_a_spectrogram_has_its_convention() -> None:
    grid = StftGrid(sample_rate=8000, n_fft=8, hop_length=2, win_length=3, window=(1.0, 2.0, 1.0), sides="two")
    found = described(ComplexSpectrogram(values=np.zeros((1, 8, 4), "c8"), grid=grid))
    assert (found["sides"], list(found["window"]), "tail" in found) == ("two", [1.0, 2.0, 1.0], False)
    assert msgspec.convert({name: found[name] for name in found if name not in ("kind", "axes")}, StftGrid) == grid


@pytest.mark.parametrize(
    ("name", "axes", "shape"),
    [("hifigan", ["channel", "mel", "frame"], (1, 80, 7)), ("speecht5", ["channel", "frame", "mel"], (1, 7, 80))],
)
def test_a_mel_spectrogram_has_the_order_of_its_family(name: str, axes: list[str], shape: tuple[int, ...]) -> None:
    signal = mel(name, 7)
    assert described(signal)["axes"] == axes
    (array,) = as_written(signal)
    assert array.shape == shape
    assert array.flags.c_contiguous
    np.testing.assert_array_equal(array if name == "hifigan" else array.swapaxes(1, 2), signal.values)


@dataclass(frozen=True)
class Tuning:
    fmin: float
    name: str
    table: Any = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Own(Signal):
    port = "own"
    values: Any
    sample_rate: Any
    tuning: Any = None
    centred: bool = True
    length: int | None = None

    def arrays(self) -> Any:
        return (self.values,)


def test_a_signal_of_a_third_party_has_its_plain_fields() -> None:
    signal = Own(values=np.zeros(3), sample_rate=np.int32(8000), tuning=Tuning(32.7, "A", np.zeros(2)))
    found = described(signal)
    assert found == {"kind": "own", "sample_rate": 8000, "fmin": 32.7, "name": "A", "centred": True}
    assert json.loads(json.dumps(found)) == found
    assert [array is signal.values for array in as_written(signal)] == [True]


def test_a_signal_of_a_third_party_with_a_grid_has_its_fields() -> None:
    found = described(Own(values=np.float32(3), sample_rate=16000, tuning=GRID, length=7))
    assert (found["sample_rate"], found["length"], found["n_fft"], found["window"]) == (16000, 7, 64, GRID.window)


def test_a_signal_of_a_third_party_may_describe_itself() -> None:
    class Told(Own):
        def described(self) -> dict[str, Any]:
            return {**super().described(), "axes": ["frame"]}

    found = described(Told(values=np.zeros(3), sample_rate=8000))
    assert found == {"kind": "own", "sample_rate": 8000, "centred": True, "axes": ["frame"]}


def test_a_signal_that_is_no_dataclass_has_its_name_alone() -> None:
    class Bare(Signal):
        port = "bare"

    assert described(Bare()) == {"kind": "bare"}
