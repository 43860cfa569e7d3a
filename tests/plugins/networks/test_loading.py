"""When a network's weights are loaded: never by a check, and once by each worker of a run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import yaml

import tonearm
import trial_graphs as graphs
from tonearm.run.workers import chunks

CONTENT = {
    "tonearm": 1,
    "input": {
        "use": "npy-reader",
        "with": {
            "layout": {
                "axes": ["book", "frame"],
                "size": graphs.SIZE,
                "sample_rate": graphs.RATE,
                "samples_per_frame": graphs.HOP,
            }
        },
    },
    "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
}

CHECK = """
import sys

import tonearm

pipeline = tonearm.load_pipeline(sys.argv[1])
with open("/proc/self/status") as status:
    peak = next(line for line in status if line.startswith("VmHWM")).split()[1]
print(peak, *({"onnx", "onnxruntime", "numpy"} & set(sys.modules)))
"""


def content(model: Path) -> dict[str, object]:
    """Return a pipeline with a codec."""
    return CONTENT | {"steps": [{"use": "onnx-codec", "with": {"model": str(model), "device": "cpu"}}]}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_a_check_reads_no_weights(tmp_path: Path) -> None:
    """Peaks of memory tell: pages of a mapped file count as well."""
    peaks = {}
    for megabytes in (1, 60):
        model = graphs.large_codec(tmp_path / f"{megabytes}.onnx", megabytes)
        file = tmp_path / f"{megabytes}.yaml"
        file.write_text(yaml.safe_dump(content(model)), encoding="utf-8")
        done = subprocess.run([sys.executable, "-c", CHECK, file], capture_output=True, text=True, check=True)
        peak, *imported = done.stdout.split()
        assert imported == []
        peaks[megabytes] = int(peak) / 1024
    assert peaks[60] - peaks[1] < 5


COUNTING = """
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.util import find_spec


def count(module):
    original = module.InferenceSession

    def opened(*arguments, **more):
        with open(os.environ["LOADS"], "a") as file:
            file.write(f"{os.getpid()}\\n")
        return original(*arguments, **more)

    module.InferenceSession = opened


class Finder(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "onnxruntime":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            count(module)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Finder())
"""


@pytest.fixture
def loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a line for each session that this process and its workers open: the process."""
    log, startup = tmp_path / "loads", tmp_path / "startup"
    log.touch()
    startup.mkdir()
    (startup / "sitecustomize.py").write_text(COUNTING, encoding="utf-8")  # for workers that are spawned
    monkeypatch.setenv("LOADS", str(log))
    monkeypatch.syspath_prepend(startup)
    names: dict[str, Any] = {}
    exec(COUNTING.partition("class Finder")[0], names)
    monkeypatch.setattr(onnxruntime, "InferenceSession", onnxruntime.InferenceSession)  # is put back afterwards
    names["count"](onnxruntime)
    return log


@pytest.mark.parametrize(("jobs", "files"), [(0, 40), (1, 40), (2, 40), pytest.param(2, 500, marks=pytest.mark.slow)])
def test_each_worker_loads_a_model_once(jobs: int, files: int, loads: Path, tmp_path: Path) -> None:
    sources = tmp_path / "tokens"
    sources.mkdir()
    for number in range(files):
        np.save(sources / f"{number}.npy", graphs.codes_of(3, number))
    pipeline = tonearm.load_pipeline(content(graphs.plain_codec(tmp_path / "m.onnx")))
    assert loads.read_text() == ""
    report = pipeline.run(sorted(sources.glob("*.npy")), out=tmp_path / "out", jobs=jobs)
    assert report.converted == files
    counts = Counter(loads.read_text().split())
    driver = counts.pop(str(os.getpid()), 0)
    assert driver == (jobs == 0)
    assert set(counts.values()) <= {1}
    assert min(jobs, 1) <= len(counts) <= jobs


@pytest.mark.slow
def test_a_worker_of_dask_loads_a_model_once_and_not_for_each_chunk(
    loads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "MAX_CHUNK_SIZE", 1)
    sources = tmp_path / "tokens"
    sources.mkdir()
    for number in range(30):
        np.save(sources / f"{number}.npy", graphs.codes_of(3, number))
    pipeline = tonearm.load_pipeline(content(graphs.plain_codec(tmp_path / "m.onnx")))
    report = pipeline.run(sorted(sources.glob("*.npy")), out=tmp_path / "out", jobs=2, executor="dask")
    assert report.converted == 30
    counts = Counter(loads.read_text().split())
    assert set(counts.values()) == {1}
    assert len(counts) == 2
    assert str(os.getpid()) not in counts
