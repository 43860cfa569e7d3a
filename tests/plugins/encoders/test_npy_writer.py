"""Arrays as .npy files: the file beside one has the options that read it back as it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from array_files import SIGNALS, read, written

import tonearm


@pytest.mark.parametrize("port", SIGNALS)
def test_npy_is_read_back_by_what_lies_beside_it(tmp_path: Path, port: str) -> None:
    path = written(tmp_path, "npy", port, provenance=True)
    np.testing.assert_array_equal(np.load(path), SIGNALS[port][0])
    said = json.loads(path.with_suffix(".npy.json").read_text(encoding="utf-8"))
    assert said["shape"] == [list(SIGNALS[port][0].shape)]
    back, first = read(path, "npy-reader", said["signal"]), read(tmp_path / "in.npy", "npy-reader", SIGNALS[port][1])
    assert type(back) is type(first)
    np.testing.assert_array_equal(back.arrays()[0], first.arrays()[0])
    for name in ("sample_rate", "grid", "dialect"):
        assert getattr(back, name, None) == getattr(first, name, None)
    if port != "waveform":
        assert back.length == first.length


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int16", "int32"])
def test_types(tmp_path: Path, dtype: str) -> None:
    got = np.load(written(tmp_path, "npy", "waveform", dtype=dtype))
    assert got.dtype == dtype
    scale = 2.0 ** (8 * got.dtype.itemsize - 1) if got.dtype.kind == "i" else 1
    np.testing.assert_allclose(got / scale, SIGNALS["waveform"][0], atol=3e-4)


def test_a_single_channel_is_no_axis_if_squeezed(tmp_path: Path) -> None:
    assert np.load(written(tmp_path, "npy", "mel", squeeze=True)).shape == (80, 9)
    assert np.load(written(tmp_path, "npy", "magnitude", squeeze=True)).shape == (2, 33, 7)


def test_complex_values_can_have_twice_the_precision(tmp_path: Path) -> None:
    assert np.load(written(tmp_path, "npy", "complex", dtype="complex128")).dtype == np.complex128


def test_big_endian_input_becomes_native(tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.arange(4, dtype=">f4") / 8)
    pipeline = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": {"sample_rate": 8000}},
        "outputs": [{"use": "npy-writer", "file": "out.npy", "with": {"squeeze": True}}],
    }
    report = tonearm.load_pipeline(pipeline).run([tmp_path / "in.npy"], out=tmp_path / "out")
    got = np.load(report.outputs[0])
    assert got.dtype == np.dtype("=f4")
    np.testing.assert_array_equal(got, np.arange(4) / 8)
