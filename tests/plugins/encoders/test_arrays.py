"""Arrays of any signal: what is beside or in the file reads them back as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

import tonearm

RNG = np.random.default_rng(5)
STFT = RNG.standard_normal((2, 33, 7)) + 1j * RNG.standard_normal((2, 33, 7))
GRID = {"sample_rate": 8000, "n_fft": 64, "hop_length": 16, "padding": "half-overlap", "length": 100}
SIGNALS: dict[str, tuple[Any, dict[str, Any]]] = {
    "waveform": (
        RNG.standard_normal((2, 500)).astype("f4") * 0.2,
        {"kind": "waveform", "axes": ["channel", "time"], "sample_rate": 11025},
    ),
    "complex": (STFT.astype("c8"), {"kind": "complex", "axes": ["channel", "bin", "frame"], **GRID}),
    "magnitude": (abs(STFT).astype("f4"), {"kind": "magnitude", "axes": ["channel", "bin", "frame"], **GRID}),
    "mel": (
        RNG.uniform(-11, 1, (1, 80, 9)).astype("f4"),
        {"kind": "mel", "axes": ["channel", "mel", "frame"], "dialect": "hifigan", "length": 2000},
    ),
    "frames first": (  # as the family writes it
        RNG.uniform(-9, 1, (1, 9, 80)).astype("f4"),
        {"kind": "mel", "axes": ["channel", "frame", "mel"], "dialect": "speecht5", "length": 2000},
    ),
}


def written(folder: Path, name: str, port: str, **options: Any) -> Path:
    array, reader = SIGNALS[port]
    np.save(folder / "in.npy", array)
    pipeline = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": reader},
        "outputs": [{"use": f"{name}-writer", "file": f"out.{name}", "with": options}],
    }
    report = tonearm.load_pipeline(pipeline).run([folder / "in.npy"], out=folder / "out", force=True)
    assert report.ok, report.errors
    return report.outputs[0]


def read(path: Path, use: str, options: dict[str, Any]) -> Any:
    output = {"use": "npy-writer", "file": "x.npy"}
    pipeline = {"tonearm": 1, "input": {"use": use, "with": options}, "outputs": [output]}
    (signal,) = tonearm.load_pipeline(pipeline).convert(path)
    return signal


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


@pytest.mark.parametrize("port", SIGNALS)
def test_safetensors_says_it_all_itself(tmp_path: Path, port: str) -> None:
    path = written(tmp_path, "safetensors", port, tags={"title": "Grüße", "kind": "not this"}, provenance=True)
    kind = SIGNALS[port][1]["kind"]
    np.testing.assert_array_equal(load_file(path)[kind], SIGNALS[port][0])
    with safe_open(path, "np") as file:
        said = file.metadata()
    assert said["title"] == "Grüße"
    assert said["kind"] == kind
    assert said["tonearm_source"] == str(tmp_path / "in.npy")
    names = [name for name in said if name not in ("title", "kind") and not name.startswith("tonearm_")]
    options = {"kind": kind, **{name: plain(said[name]) for name in names}}
    back, first = read(path, "safetensors-reader", options), read(tmp_path / "in.npy", "npy-reader", SIGNALS[port][1])
    np.testing.assert_array_equal(back.arrays()[0], first.arrays()[0])


def plain(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


@pytest.mark.parametrize("name", ["npy", "safetensors"])
def test_types_and_shapes(tmp_path: Path, name: str) -> None:
    def array(port: str, **options: Any) -> Any:
        path = written(tmp_path, name, port, **options)
        return np.load(path) if name == "npy" else next(iter(load_file(path).values()))

    for dtype in ("float16", "float32", "float64", "int16", "int32"):
        got = array("waveform", dtype=dtype)
        assert got.dtype == dtype
        scale = 2.0 ** (8 * got.dtype.itemsize - 1) if got.dtype.kind == "i" else 1
        np.testing.assert_allclose(got / scale, SIGNALS["waveform"][0], atol=3e-4)
    assert array("mel", squeeze=True).shape == (80, 9)
    assert array("magnitude", squeeze=True).shape == (2, 33, 7)
    if name == "npy":
        assert array("complex", dtype="complex128").dtype == np.complex128
    else:
        with pytest.raises(tonearm.PipelineError, match="safetensors has no complex128"):
            array("complex", dtype="complex128")


def test_a_tensor_by_another_name(tmp_path: Path) -> None:
    assert list(load_file(written(tmp_path, "safetensors", "mel", key="logmel"))) == ["logmel"]


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


def test_a_signal_of_two_arrays_is_refused() -> None:
    from tonearm.api import Context, ItemError, Signal
    from tonearm_plugins.encoders.array_options import the_array
    from tonearm_plugins.encoders.npy_writer import NpyOptions

    class Pair(Signal):
        port = "pair"

        def arrays(self) -> Any:
            return np.zeros(1), np.zeros(1)

    with pytest.raises(ItemError, match="a pair has 2 arrays, and the file has room for one"):
        the_array(Pair(), NpyOptions(), Context())


def test_values_that_a_type_cannot_hold() -> None:
    from tonearm.api import Context, ItemError, Waveform
    from tonearm_plugins.encoders.array_options import the_array
    from tonearm_plugins.encoders.npy_writer import NpyOptions

    loud = Waveform(samples=np.full((1, 3), 1e5, "f4"), sample_rate=8000)
    with pytest.raises(ItemError, match="float16 cannot hold a value of 100000") as caught:
        the_array(loud, NpyOptions(dtype="float16"), Context())
    assert caught.value.hint == "dtype: float32"
