"""Arrays as safetensors: the metadata of a file has the options that read it back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from array_files import SIGNALS, read, written
from safetensors import safe_open
from safetensors.numpy import load_file

import tonearm


@pytest.mark.parametrize("port", SIGNALS)
def test_safetensors_says_it_all_itself(tmp_path: Path, port: str) -> None:
    path = written(tmp_path, "safetensors", port, tags={"title": "Grüße", "kind": "not this"}, provenance=True)
    kind = SIGNALS[port][1]["kind"]
    np.testing.assert_array_equal(load_file(path)[kind], SIGNALS[port][0])
    with safe_open(path, "np") as file:
        said = file.metadata()
    assert said["title"] == "Grüße"
    assert said["kind"] == kind
    assert said["tonearm_source"] == "in.npy"
    names = [name for name in said if name not in ("title", "kind") and not name.startswith("tonearm_")]
    options = {"kind": kind, **{name: plain(said[name]) for name in names}}
    back, first = read(path, "safetensors-reader", options), read(tmp_path / "in.npy", "npy-reader", SIGNALS[port][1])
    np.testing.assert_array_equal(back.arrays()[0], first.arrays()[0])


def plain(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def tensor(path: Path) -> Any:
    return next(iter(load_file(path).values()))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int16", "int32"])
def test_types(tmp_path: Path, dtype: str) -> None:
    got = tensor(written(tmp_path, "safetensors", "waveform", dtype=dtype))
    assert got.dtype == dtype
    scale = 2.0 ** (8 * got.dtype.itemsize - 1) if got.dtype.kind == "i" else 1
    np.testing.assert_allclose(got / scale, SIGNALS["waveform"][0], atol=3e-4)


def test_a_single_channel_is_no_axis_if_squeezed(tmp_path: Path) -> None:
    assert tensor(written(tmp_path, "safetensors", "mel", squeeze=True)).shape == (80, 9)
    assert tensor(written(tmp_path, "safetensors", "magnitude", squeeze=True)).shape == (2, 33, 7)


def test_complex128_is_refused(tmp_path: Path) -> None:
    with pytest.raises(tonearm.PipelineError, match="safetensors has no complex128"):
        written(tmp_path, "safetensors", "complex", dtype="complex128")


def test_complex_values_in_double_precision_are_refused_before_a_run() -> None:
    pipeline = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": {**SIGNALS["complex"][1], "precision": "double"}},
        "outputs": [{"use": "safetensors-writer", "file": "x.safetensors"}],
    }
    with pytest.raises(tonearm.PipelineError, match="safetensors has no complex128"):
        tonearm.load_pipeline(pipeline)
    pipeline["outputs"][0]["with"] = {"dtype": "complex64"}  # type: ignore[index]
    assert tonearm.load_pipeline(pipeline)


def test_a_tensor_by_another_name(tmp_path: Path) -> None:
    assert list(load_file(written(tmp_path, "safetensors", "mel", key="logmel"))) == ["logmel"]
