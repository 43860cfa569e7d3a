"""The option ``precision: double`` of every decoder that has it: declared at check, and kept by what it reads."""

from __future__ import annotations

import io
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image

import tonearm
import tonearm_plugins
from tonearm.plugins.ports import ports_of

DECODERS = {name: str(place) for name, place in tonearm_plugins.tonearm_decoders().items()}
WAVEFORM = {"kind": "waveform", "sample_rate": 8000}
OPTIONS: dict[str, dict[str, Any]] = {"image-reader": {}, "pcm-reader": {"encoding": "pcm_s16le", "sample_rate": 8000}}
SINGLE = {"use": "mu-law-decode", "with": {"values": "indices"}}
SINGLE_OF_MEL = {"use": "mel-to-wave", "with": {"engine": "native"}}
"""Steps that are refused in double precision."""


def class_of(name: str) -> Any:
    module, _, called = DECODERS[name].partition(":")
    return getattr(import_module(module), called)


TORCH = (pytest.mark.torch, pytest.mark.skipif(find_spec("torch") is None, reason="pip install torch"))
WITH_PRECISION = [
    pytest.param(name, marks=TORCH) if name == "torch-reader" else name
    for name in DECODERS
    if hasattr(ports_of(class_of(name)).options, "precision") and name != "tokens-reader"  # which reads whole numbers
]


@pytest.mark.parametrize("name", WITH_PRECISION)
def test_it_is_declared_so_that_steps_are_refused(name: str) -> None:
    step = SINGLE_OF_MEL if name == "image-reader" else SINGLE
    pipeline = {
        "tonearm": 1,
        "input": {"use": name, "with": {**OPTIONS.get(name, WAVEFORM), "precision": "double"}},
        "steps": [step],
        "outputs": [{"use": "npy-writer", "file": "{stem}-{key}-{index}.npy"}],
    }
    with pytest.raises(tonearm.PipelineError, match="loses-precision"):
        tonearm.load_pipeline(pipeline)
    pipeline["input"]["with"]["precision"] = "single"  # type: ignore[index]
    assert tonearm.load_pipeline(pipeline)


def converted(decoder: str, path: Path, **options: Any) -> Any:
    """Return the only signal of a file in double precision."""
    pipeline = {
        "tonearm": 1,
        "input": {"use": decoder, "with": {**options, "precision": "double"}},
        "outputs": [{"use": "npy-writer", "file": "x-{index}.npy"}],
    }
    (signal,) = tonearm.load_pipeline(pipeline).convert(path)
    return signal


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_f32be", "pcm_f64le", "mulaw"])
def test_raw_samples(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "x.raw").write_bytes(np.zeros(8, "i4").tobytes())
    signal = converted("pcm-reader", tmp_path / "x.raw", encoding=encoding, sample_rate=8000)
    assert signal.samples.dtype == np.float64


def test_a_sound_of_16_bits_in_a_table(tmp_path: Path) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.array([0.25, -0.5]), 8000, format="WAV", subtype="PCM_16")
    audio = pa.array(
        [{"bytes": file.getvalue(), "path": None}], pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    )
    pq.write_table(pa.table({"audio": audio}), tmp_path / "x.parquet")
    signal = converted("parquet-reader", tmp_path / "x.parquet", **WAVEFORM)
    assert signal.samples.dtype == np.float64
    assert signal.samples.tolist() == [[0.25, -0.5]]


def test_the_levels_of_an_image(tmp_path: Path) -> None:
    levels = np.arange(17 * 4, dtype="u1").reshape(17, 4)
    Image.fromarray(levels).save(tmp_path / "x.png")
    grid = {"kind": "magnitude", "sample_rate": 8000, "n_fft": 32, "hop_length": 8}
    signal = converted("image-reader", tmp_path / "x.png", black=0, white=0.1, low="top", **grid)
    assert np.array_equal(signal.values[0], levels * (0.1 / 255))
