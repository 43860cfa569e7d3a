"""Headers of networks: what reading one costs, beside other ways to learn what a model takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import harness
import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

MODEL = Path(__file__).parents[1] / "data/models/dac_tiny.onnx"
MEGABYTES = 60
WEIGHTS = 300


def tables() -> Iterator[harness.Table]:
    from tonearm_plugins.networks import onnx_header

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it would warn of each weight that no node takes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.onnx"
        count = _write(path)
        size = path.stat().st_size

        def walk() -> object:
            onnx_header._read.cache_clear()
            return onnx_header.read_header(path)

        contenders = {
            "`read_header`": walk,
            "`onnx.load`": lambda: onnx.load(str(path)),
            "onnxruntime": lambda: onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]),
        }
        measured = harness.compare(contenders, rounds=15, memory=False, clock=time.process_time)
    rows = tuple((name, harness.milliseconds(one.median)) for name, one in measured.items())
    title = f"the header of a model of {size / 1e6:.0f} MB with {count} nodes and {WEIGHTS} more weights"
    yield harness.Table(
        title, ("", "CPU ms"), rows, "Imports are not counted: `read_header` needs none of the two packages."
    )


def _write(path: Path) -> int:
    """Write a codec with the nodes of DAC and many megabytes of weights; return the number of nodes."""
    model = onnx.load(str(MODEL))
    values = np.zeros(MEGABYTES * 250_000 // WEIGHTS, np.float32)
    model.graph.initializer.extend(numpy_helper.from_array(values, f"more.{number}") for number in range(WEIGHTS))
    onnx.save(model, str(path))
    return len(model.graph.node)
