"""Signals of each kind as arrays, written by one plugin and read by another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

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
