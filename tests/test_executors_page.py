"""What docs/executors.md says is true: its table has every method, and its queue survives the death of a worker."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import tonearm
from code_blocks import ROOT, blocks, registry_with
from tonearm.api import Executor
from tonearm.run.workers import choice

PAGE = "docs/executors.md"


def test_the_table_has_every_method_of_executors() -> None:
    section = (ROOT / PAGE).read_text(encoding="utf-8").partition("## The methods")[2].partition("\n## ")[0]
    own = {name for name, value in vars(Executor).items() if callable(value) and not name.startswith("_")}
    assert set(re.findall(r"^\| `(\w+)\(", section, re.MULTILINE)) == own


@pytest.mark.slow
def test_the_queue_converts_though_a_worker_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = blocks(PAGE, "python")
    monkeypatch.setattr(choice, "installed_plugins", lambda: registry_with(code))
    module, queue, out = tmp_path / "tonearm_spool.py", tmp_path / "queue", tmp_path / "out"
    queue.mkdir()
    module.write_text(code, encoding="utf-8")
    names = [tmp_path / f"{number:03}.npy" for number in range(60)]
    for name in names:
        np.save(name, np.random.default_rng(int(name.stem)).uniform(-0.5, 0.5, 160_000).astype("f4"))
    resample = {"use": "resample", "with": {"sample_rate": 44100}}
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 16000}},
            "steps": [resample] * 3,
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        }
    )
    pipeline.run(names, out=tmp_path / "expected", executor="in-process")
    workers = [subprocess.Popen([sys.executable, module, queue]) for _ in range(2)]

    def kill_at_work() -> None:
        taken = queue / "taken"
        while not (taken.is_dir() and len(list(taken.iterdir())) == 2) and workers[0].poll() is None:
            time.sleep(0.001)
        workers[0].kill()  # both are at work

    try:
        killer = threading.Thread(target=kill_at_work)
        killer.start()
        report = pipeline.run(
            names,
            out=out,
            executor=("spool", {"folder": str(queue), "lease": 5}),
            jobs=4,
        )
        assert (report.converted, report.failed) == (60, 0)
        assert workers[0].wait(60) == -signal.SIGKILL
        assert not [path for path in queue.rglob("*") if path.is_file()]
        assert not list(out.glob(".tonearm/owners/*"))
    finally:
        (queue / "stop").touch()
        for worker in workers:
            worker.wait(60)
        killer.join()
    expected = {path.name: path.read_bytes() for path in (tmp_path / "expected").glob("*.wav")}
    assert expected == {path.name: path.read_bytes() for path in out.glob("*.wav")}
    assert len(expected) == 60
