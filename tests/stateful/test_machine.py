"""Runs, kills, changes, damage and merges in random order leave on the disk what a model says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SEED = 20
"""Seed of the sequences: what fails here has to do with the change at hand. By hand, ``machine.py`` draws others."""

PROGRAM = Path(__file__).with_name("machine.py")


def sequences(*arguments):
    """Run random sequences of steps; return the exit status and what was printed."""
    command = [sys.executable, PROGRAM, *map(str, arguments)]
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=500)
    return done.returncode, done.stdout + done.stderr


def test_a_few_sequences():
    status, printed = sequences("--examples", 15, "--steps", 20, "--seed", SEED)
    assert status == 0, printed


def test_many_sequences(repetitions):
    examples = repetitions(1500)
    status, printed = sequences("--examples", examples, "--steps", 30, "--seed", SEED)
    assert status == 0, printed


BREAKERS = (
    "replaces_anything", "ignores_missing_outputs", "ignores_changes", "writes_in_place", "names_before_records",
    "sweeps_nothing", "settles_by_size", "leaves_temporaries", "swallows_errors", "forgets_files", "trusts_the_clock",
)  # fmt: skip
QUICK = ("replaces_anything",)


@pytest.mark.parametrize(
    "breaker", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in BREAKERS]
)
def test_a_run_that_was_broken_on_purpose_is_found_out(breaker):
    status, printed = sequences("--examples", 200, "--steps", 25, "--seed", 7, "--breaker", breaker)
    assert status == 1
    assert "AssertionError: " in printed
