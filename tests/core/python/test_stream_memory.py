"""The memory of long streams: it does not grow with their length."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import os, sys
import numpy as np
import tonearm

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

target, seconds = sys.argv[1], int(sys.argv[2])
second = 0.3 * np.random.default_rng(0).standard_normal(24000).astype("f4") / 3
with tonearm.stream(target, sample_rate=24000) as out:
    for _ in range(30):
        out.write(second)
    before = largest = resident()
    for _ in range(seconds - 30):
        out.write(second)
        largest = max(largest, resident())
largest = max(largest, resident())
print(largest - before, out.measured["duration"])
"""


@pytest.mark.parametrize(
    "suffix", ["wav", "flac", *(pytest.param(name, marks=pytest.mark.slow) for name in ("mp3", "opus", "ogg"))]
)
def test_ten_minutes_take_as_much_as_half_a_minute(suffix, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path / f"a.{suffix}"), "600"], capture_output=True, text=True, check=True
    )
    growth, duration = done.stdout.split()
    assert float(duration) == 600
    assert int(growth) < 20e6
    (tmp_path / f"a.{suffix}").unlink()
