"""Runs of the command as a user starts them, and pipelines with a step that gives tests time to disturb them."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from core_toys import third_party
from invariants import Outputs

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

PATIENCE = 120
"""Seconds after which a run is taken to hang."""


def write_inputs(folder: Path, count: int, samples: int = 8000) -> None:
    """Write a pipeline and arrays, each of which differs from the others."""
    (folder / "in").mkdir()
    (folder / "p.yaml").write_text(PIPELINE)
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, samples).astype(np.float32)
    for number in range(count):
        np.save(folder / "in" / f"{number:04}.npy", np.roll(noise, number))


def add_step(folder: Path, body: str) -> dict[str, str]:
    """Put a step into the pipeline; return the environment in which its plugin is installed.

    Parameters
    ----------
    folder
        Folder of the pipeline.
    body
        Python statements that the step executes for each ``signal``. They may use `os`, `signals` (the module), `time`,
        ``folder``, a counter ``Step.calls`` and ``hold()``, which waits until `release` is called.
    """
    code = f"""
import os, time
import signal as signals
from pathlib import Path
from tonearm.api import NoOptions, Transform, Waveform, hookimpl
folder = Path({str(folder)!r})
def hold():
    (folder / f"held.{{os.getpid()}}").touch()
    while not (folder / "released").exists():
        time.sleep(0.005)
class Step(Transform[Waveform, Waveform, NoOptions]):
    calls = 0
    def apply(self, signal, context):
        Step.calls += 1
{textwrap.indent(textwrap.dedent(body), " " * 8)}
        return signal
@hookimpl
def tonearm_transforms():
    return {{"step": Step}}
"""
    text = (folder / "p.yaml").read_text()
    (folder / "p.yaml").write_text(text.replace("steps: []", "steps: [{use: step}]"))
    return {**os.environ, **third_party(folder / "site", "step", code)}


def is_held(folder: Path) -> bool:
    """Whether a step holds a signal."""
    return any(folder.glob("held.*"))


def release(folder: Path) -> None:
    """Let all steps go on that hold a signal, and hold no more."""
    (folder / "released").touch()


def hold_again(folder: Path) -> None:
    """Forget that steps held signals and were released."""
    for path in (*folder.glob("held.*"), folder / "released"):
        path.unlink(missing_ok=True)


def start(
    folder: Path, *arguments: object, pipeline: str = "p.yaml", out: str = "out", changes: str = "", **more
) -> subprocess.Popen[str]:
    """Start a run; ``changes`` is Python code that changes tonearm in the run's process."""
    program = [TONEARM]
    if changes:
        program = [sys.executable, "-c", f"import sys\nfrom tonearm.cli.main import main\n{changes}\nsys.exit(main())"]
    command = [*program, "run", pipeline, "--out", out, *map(str, arguments)]
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **more}
    return subprocess.Popen(command, cwd=folder, **more)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a run to end; return the exit status and the text on standard error."""
    try:
        _, messages = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, messages


def run(folder: Path, *arguments: object, **more) -> tuple[int, str]:
    """Run to the end; return the exit status and the text on standard error."""
    return finish(start(folder, *arguments, **more))


def undisturbed_outputs(folder: Path, **more) -> Outputs:
    """Return the outputs of a run that nobody disturbs."""
    status, messages = run(folder, "--jobs", "0", "--quiet", out="undisturbed", **more)
    assert status == 0, messages
    return {path.name: path.read_bytes() for path in (folder / "undisturbed").glob("*.wav")}


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until a condition holds; fail when that takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
