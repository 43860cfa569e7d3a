"""Types of arrays: what they cannot hold is refused, before any data is read or for the item."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tonearm
from tonearm.api import Context, ItemError, Signal, Waveform
from tonearm_plugins.encoders.array_options import array_of
from tonearm_plugins.encoders.npy_writer import NpyOptions


def test_a_signal_of_two_arrays_is_refused() -> None:
    class Pair(Signal):
        port = "pair"

        def arrays(self) -> Any:
            return np.zeros(1), np.zeros(1)

    with pytest.raises(ItemError, match="a pair has 2 arrays, but the file holds one"):
        array_of(Pair(), NpyOptions(), Context())


def test_values_that_a_type_cannot_hold() -> None:
    loud = Waveform(samples=np.full((1, 3), 1e5, "f4"), sample_rate=8000)
    with pytest.raises(ItemError, match="float16 cannot hold a value of 100000") as caught:
        array_of(loud, NpyOptions(dtype="float16"), Context())
    assert caught.value.hint == "dtype: float32"


@pytest.mark.parametrize("name", ["npy", "safetensors"])
@pytest.mark.parametrize(
    ("kind", "dtype", "message"),
    [
        ("complex", "float32", "cannot hold complex values"),
        ("magnitude", "int16", "int16 is for waveforms, which have a full scale"),
    ],
)
def test_a_type_that_does_not_fit_the_signal(name: str, kind: str, dtype: str, message: str) -> None:
    reader = {"kind": kind, "sample_rate": 8000, "n_fft": 64, "hop_length": 16}
    output = {"use": f"{name}-writer", "file": "x", "with": {"dtype": dtype}}
    with pytest.raises(tonearm.PipelineError, match=message):
        tonearm.load_pipeline({"tonearm": 1, "input": {"use": "npy-reader", "with": reader}, "outputs": [output]})
