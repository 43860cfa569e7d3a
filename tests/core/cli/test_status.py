"""``tonearm status``, as a user sees it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from core_toys import tonearm

from tonearm.cli import main as cli


@pytest.fixture
def ran(folder):
    """A folder in which a run converted two of three arrays."""
    assert tonearm("run", "p.yaml", "--out", "out", "--jobs", "0").returncode == 3
    return folder


def test_the_page_for_people(ran):
    done = tonearm("status", "out")
    assert (done.returncode, done.stderr) == (3, "")
    lines = done.stdout.splitlines()
    assert re.fullmatch(rf"last run: \d{{4}}-\d\d-\d\d \d\d:\d\d, finished, \d+\.\d s, {ran}/p\.yaml", lines[0])
    assert re.fullmatch(r"    2 converted, 1 failed: [\d.]+ sources a second, \d+ × real time", lines[1])
    assert lines[2:8] == [
        "out: 2 items, 2 files, 16.1 kB, 1.0 s of sound, from 3 sources",
        "failed: 1 item of 1 source",
        f"    1 × not-finite, first {ran}/b.npy: 1 of 2 values of the waveform array are NaN or infinite",
        "        hint: nan: zero, to replace them with 0; check the model's output",
        "warnings: 1 item",
        "    1 × … samples were beyond full scale and clipped, first c.wav",
    ]
    assert [line.split() for line in lines[8:10]] == [
        ["measured", "mean", "lowest", "highest"], ["clipped", "2", "2", "c.wav", "2", "c.wav"],
    ]  # fmt: skip
    assert lines[-1].split() == ["peak_db", "0", "-6.02", "a.wav", "6.02", "c.wav"]


def test_as_json(ran):
    Path("b.npy").unlink()
    done = tonearm("status", "out", "--json")
    found = json.loads(done.stdout)
    assert (found["items"], found["failed"], found["codes"]) == (2, 1, {"not-finite": 1})
    assert found["failures"][0]["code"] == "not-finite"
    assert found["noted"] == [{"warning": "… samples were beyond full scale and clipped", "count": 1, "first": "c.wav"}]
    assert found["measured"]["peak_db"]["high"] == {"value": 6.02, "output": "c.wav"}
    assert found["last"][0]["state"] == "finished"


def test_exit_status_0_once_everything_is_converted(ran, capsys):
    Path("b.npy").unlink()
    np.save("b.npy", np.zeros(10, np.float32))
    assert tonearm("run", "p.yaml", "--out", "out", "--jobs", "0").returncode == 0
    assert cli.main(["status", "out"]) == 0
    said = capsys.readouterr().out
    assert "1 converted, 0 failed, 2 done before" in said
    assert "failed: " not in said.replace("0 failed: ", "")


def test_a_folder_without_runs(tmp_path):
    done = tonearm("status", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"no-run: no run has written to {tmp_path}\n    hint: name the folder of --out\n"
