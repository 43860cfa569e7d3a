"""A folder to run in, and a third-party package to install, for the tests of several commands."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from core_toys import third_party
from hanging_plugins import PLUGINS, SCRIPT

PIPELINE = """\
tonearm: 1
input:
  use: npy-reader
  files: "*.npy"
  with: {kind: waveform, sample_rate: 8000}
limits: {clipped: 1}
outputs:
  - use: wav-writer
    file: "{stem}.wav"
"""

ACME = """
from tonearm.api import *
from dataclasses import dataclass

class Reader(ArrayDecoder[ArrayOptions]):
    "Read ACME's own."
    def arrays(self, source, context):
        yield "", None

@dataclass(frozen=True)
class Odd:
    shape: "NoSuchName" = 0

class Odd(Transform[Waveform, Waveform, Odd]):
    "Has options that nobody can describe."
    def apply(self, signal, context): ...

@hookimpl
def tonearm_decoders():
    return {"acme-reader": Reader, "npy-reader": Reader, "Bad Name": Reader, "lost": "no_such_module:X"}

@hookimpl
def tonearm_transforms():
    return {"odd": Odd}
"""


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    return third_party(tmp_path_factory.mktemp("site"), "acme", ACME)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a pipeline and three arrays: one is converted, one holds NaN, one is clipped."""
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(PIPELINE)
    np.save("a.npy", np.full(8000, 0.5, np.float32))
    np.save("b.npy", np.array([0.5, np.nan], np.float32))
    np.save("c.npy", np.array([0.5, 1.5, -2.0], np.float32))
    return tmp_path


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return third_party(tmp_path_factory.mktemp("site"), "toys", PLUGINS)


@pytest.fixture
def start(site, tmp_path):
    """Start the command with plugins that do as they are told."""
    np.save(tmp_path / "a.npy", np.full(8000, 0.5, np.float32))
    started = []

    def start(toy, *arguments, script=SCRIPT, **more):
        process = subprocess.Popen(
            [sys.executable, "-c", script, *arguments], cwd=tmp_path, env={**os.environ, **site, "TOY": toy},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
