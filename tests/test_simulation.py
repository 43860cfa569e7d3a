"""The simulation of the benchmarks: what it measures is a driver that does all of its work."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SIMULATION = Path(__file__).parent / "benchmarks" / "simulation.py"
COUNT = 3_000


@pytest.mark.slow
def test_the_simulated_driver_does_every_source_once_and_then_has_nothing_to_do(tmp_path):
    sources = tmp_path / "sources" / "speaker"
    sources.mkdir(parents=True)
    np.save(tmp_path / "original.npy", np.zeros(100, np.float32))
    for number in range(COUNT):
        os.link(tmp_path / "original.npy", sources / f"{number:04}.npy")
    times = dict.fromkeys(("stat", "missing", "rename", "flush", "client", "latency"), 0.0)
    told = {"sources": str(sources.parent), "out": str(tmp_path / "out"), **times, "rename": 0.0005}
    command = [sys.executable, str(SIMULATION), "--drive", json.dumps(told)]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    lines = (tmp_path / "out" / ".tonearm" / "journal.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    for kind in ("begin", "out", "end"):
        names = [record["source"] for record in records if record["record"] == kind]
        assert sorted(names) == sorted(str(path) for path in sources.iterdir())
    assert (records[0]["sources"], records[-1]["converted"], records[-1]["failed"]) == (COUNT, COUNT, 0)
    assert found.keys() == {"plan", "run", "cpu", "peak", "journal", "again"}
