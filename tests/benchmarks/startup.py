"""Start-up: what a command costs before it does anything, as a multiple of an interpreter that does nothing.

All processes find their bytecode compiled, as pip leaves it, also where the environment forbids to write it.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import evaluator
import harness
import material
import numpy as np

CONFIGS = Path(__file__).parents[2] / "configs"


def tables() -> Iterator[harness.Table]:
    program = shutil.which("tonearm", path=Path(sys.executable).parent)
    assert program
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "a.npy"
        np.save(source, np.zeros(1000, np.float32))
        magnitudes = Path(folder) / "magnitudes.npy"
        np.save(magnitudes, np.abs(evaluator.spectra(material.speech(5), 1024, 256)).T.astype(np.float32))
        grid = ["--kind", "magnitude", "--sample-rate", "22050", "--n-fft", "1024", "--hop-length", "256"]
        recover = [program, "convert", str(magnitudes), f"{folder}/b.wav", *grid, "--force"]
        environ = harness.with_bytecode(folder)
        convert = [program, "convert", str(source), f"{folder}/a.wav", "--sample-rate", "22050", "--force"]
        commands = {
            "bare Python": [sys.executable, "-c", "pass"],
            "`import tonearm`": [sys.executable, "-c", "import tonearm"],
            "`tonearm --help`": [program, "--help"],
            "`tonearm check` of the quickstart": [program, "check", str(CONFIGS / "quickstart.yaml")],
            "`tonearm plugins`": [program, "plugins"],
            "`tonearm convert` of one small .npy": convert,
            "`tonearm convert` of 5 s of magnitudes, by griffin-lim": recover,
            "`tonearm doctor`": [program, "doctor"],
            "`import numpy`": [sys.executable, "-c", "import numpy"],
            "`import librosa` and its first use": [sys.executable, "-c", "import librosa; librosa.stft"],
        }
        contenders = {
            name: functools.partial(
                subprocess.run, command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ
            )
            for name, command in commands.items()
        }
        measured = harness.compare(contenders, rounds=15, memory=False, clock=harness.cpu_of_children)
    bare = measured["bare Python"]
    rows = tuple(
        (name, harness.milliseconds(m.median), f"{harness.times_faster(bare, m):.3g}") for name, m in measured.items()
    )
    yield harness.Table("whole processes", ("", "CPU ms", "× bare Python"), rows)
