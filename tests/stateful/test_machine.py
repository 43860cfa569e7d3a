"""Runs, kills, changes, damage and merges in random order leave on the disk what a model says."""

import os
import subprocess
import sys
from pathlib import Path


PROGRAM = Path(__file__).with_name("machine.py")


def sequences(*arguments):
    """Run random sequences of steps; return the exit status and what was printed."""
    command = [sys.executable, PROGRAM, *map(str, arguments)]
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=500)
    return done.returncode, done.stdout + done.stderr


def test_a_few_sequences():
    status, printed = sequences("--examples", 15, "--steps", 20, "--seed", os.environ["TONEARM_SEED"])
    assert status == 0, printed


def test_many_sequences(repetitions):
    examples = repetitions(1500)
    status, printed = sequences("--examples", examples, "--steps", 30, "--seed", os.environ["TONEARM_SEED"])
    assert status == 0, printed
