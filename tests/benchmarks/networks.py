"""Networks: what a check of a large model costs, and what tonearm adds to each call of onnxruntime."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import harness
import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

import trial_graphs as graphs

FILES = 500
TOKENS = {
    "layout": {
        "axes": ["book", "frame"],
        "size": graphs.SIZE,
        "sample_rate": graphs.RATE,
        "samples_per_frame": graphs.HOP,
    }
}


def tables() -> Iterator[harness.Table]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = {"60 MB": graphs.large_codec(folder / "large.onnx"), "tiny": graphs.plain_codec(folder / "tiny.onnx")}
        yield _checks(folder, models)
        yield _calls(models["tiny"])
        yield _run(folder, models["tiny"])


def _pipeline(model: Path) -> dict[str, object]:
    return {
        "tonearm": 1,
        "input": {"use": "npy-reader", "files": "*.npy", "with": TOKENS},
        "steps": [{"use": "onnx-codec", "with": {"model": str(model), "device": "cpu"}}],
        "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
    }


def _checks(folder: Path, models: Mapping[str, Path]) -> harness.Table:
    """Compare a check with an interpreter that does nothing, in time and in memory."""
    program = shutil.which("tonearm", path=Path(sys.executable).parent)
    assert program
    commands = {"bare Python": [sys.executable, "-c", "pass"]}
    for name, model in models.items():
        file = folder / f"{model.stem}.yaml"
        file.write_text(yaml.safe_dump(_pipeline(model)), encoding="utf-8")
        commands[f"`tonearm check`, model of {name}"] = [program, "check", str(file)]
    load = f"import onnxruntime; onnxruntime.InferenceSession({str(models['60 MB'])!r})"
    commands["onnxruntime loads the 60 MB"] = [sys.executable, "-c", load]
    contenders = {
        name: functools.partial(subprocess.run, command, check=True, capture_output=True)
        for name, command in commands.items()
    }
    measured = harness.compare(contenders, rounds=9, memory=False, clock=harness.cpu_of_children)
    rows = tuple(
        (name, harness.milliseconds(measured[name].median), f"{_peak(command):.0f}")
        for name, command in commands.items()
    )
    return harness.Table("a pipeline with a network is checked", ("", "CPU ms", "peak MB"), rows)


def _peak(command: list[str]) -> float:
    """Return the peak of resident memory of a program, in megabytes."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, capture_output=True)"
    code += "; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    done = subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True, text=True)
    return int(done.stdout) / 1024


def _calls(model: Path) -> harness.Table:
    """Compare the conversion of tokens in memory with the same calls of onnxruntime, by CPU time."""
    import onnxruntime

    import tonearm

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    codes = graphs.codes_of(50)
    pipeline = tonearm.load_pipeline({name: part for name, part in _pipeline(model).items() if name != "outputs"})

    def alone() -> object:
        return [session.run(None, {"audio_codes": codes[None]}) for _ in range(20)]

    def converted() -> object:
        return [list(pipeline.convert(codes)) for _ in range(20)]

    measured = harness.compare(
        {"onnxruntime": alone, "tonearm": converted}, rounds=15, memory=False, clock=time.process_time
    )
    each = {name: one.median / 20 for name, one in measured.items()}
    rows = tuple(
        (name, harness.milliseconds(seconds), harness.milliseconds(seconds - each["onnxruntime"]))
        for name, seconds in each.items()
    )
    note = "One second of tokens in memory; the model takes next to no time, so that the difference is the framework's."
    return harness.Table("one call", ("", "CPU ms a call", "more than onnxruntime"), rows, note)


def _run(folder: Path, model: Path) -> harness.Table:
    """Measure a run over many small files of tokens."""
    import tonearm

    sources = folder / "sources"
    sources.mkdir()
    for number in range(FILES):
        np.save(sources / f"{number}.npy", graphs.codes_of(50, number))
    pipeline = tonearm.load_pipeline(_pipeline(model))
    rows = []
    for jobs in (1, 2):
        begin = harness.cpu()
        report = pipeline.run(sorted(sources.glob("*.npy")), out=folder / f"out{jobs}", jobs=jobs)
        assert report.converted == FILES
        seconds = harness.cpu() - begin
        rows.append((f"{jobs}", f"{seconds:.2f}", harness.milliseconds(seconds / FILES)))
    return harness.Table(f"a run over {FILES} files", ("jobs", "CPU s", "CPU ms a file"), tuple(rows))
