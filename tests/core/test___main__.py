"""The command line by ``python -m tonearm``."""

import subprocess
import sys

import numpy as np
import pytest

from tonearm.version import __version__


def module(*words, cwd):
    return subprocess.run(
        [sys.executable, "-m", "tonearm", *words], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("words", "status", "out"),
    [
        (["--version"], 0, f"tonearm {__version__}\n"),
        (["check", "nofile.yaml"], 2, ""),
        (["convert", "a.npy", "a.wav", "--sample-rate", "8000"], 0, ""),
        (["inspect", "nofile"], 3, ""),
    ],
)
def test_commands_end_as_those_of_the_script(words, status, out, tmp_path):
    np.save(tmp_path / "a.npy", np.full(100, 0.5, np.float32))
    done = module(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (status, out), done.stderr
    assert (tmp_path / "a.wav").exists() == (words[0] == "convert")


def test_help_names_the_program(tmp_path):
    assert module("run", "--help", cwd=tmp_path).stdout.startswith("usage: tonearm run ")
