"""The command as a lab runs it, over arrays enough that there is time to do something to it."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import time
from pathlib import Path

import numpy as np
from invariants import Outputs, records

PIPELINE = """\
tonearm: 1
input:
  use: npy-reader
  files: "in/*.npy"
  with: {kind: waveform, sample_rate: 16000}
steps: []
outputs:
  - use: wav-writer
    file: "{stem}.wav"
"""

TONEARM = str(Path(sysconfig.get_path("scripts")) / "tonearm")


def material(folder: Path, count: int, samples: int = 8000) -> None:
    """Write a pipeline, and arrays no two of which are alike."""
    (folder / "in").mkdir()
    (folder / "p.yaml").write_text(PIPELINE)
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, samples).astype(np.float32)
    for number in range(count):
        np.save(folder / "in" / f"{number:04}.npy", np.roll(noise, number))


def slow(folder: Path, seconds: float) -> dict[str, str]:
    """Put a step into the pipeline that takes its time; return the environment in which its plugin is installed."""
    from core_toys import third_party

    code = f"""
import time
from tonearm.api import NoOptions, Transform, Waveform, hookimpl
class Slow(Transform[Waveform, Waveform, NoOptions]):
    def apply(self, signal, context):
        time.sleep({seconds})
        return signal
@hookimpl
def tonearm_transforms():
    return {{"slow": Slow}}
"""
    text = (folder / "p.yaml").read_text()
    (folder / "p.yaml").write_text(text.replace("steps: []", "steps: [{use: slow}]"))
    return {**os.environ, **third_party(folder / "site", "slow", code)}


def start(folder: Path, *arguments: object, out: str = "out", **more) -> subprocess.Popen[str]:
    """Start a run."""
    command = [TONEARM, "run", "p.yaml", "--out", out, *map(str, arguments)]
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **more}
    return subprocess.Popen(command, cwd=folder, **more)


def run(folder: Path, *arguments: object, **more) -> tuple[int, str]:
    """Run to the end; return the exit status and what was said."""
    process = start(folder, *arguments, **more)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


def reference(folder: Path) -> Outputs:
    """Return what a run makes that nobody disturbs."""
    status, said = run(folder, "--jobs", "0", "--quiet", out="reference")
    assert status == 0, said
    return {path.name: path.read_bytes() for path in (folder / "reference").glob("*.wav")}


def wait_for(condition, seconds: float = 30) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def count(root: Path, kind: str) -> int:
    """Return how many records of a kind a journal has."""
    return sum(record["record"] == kind for record in records(root))
