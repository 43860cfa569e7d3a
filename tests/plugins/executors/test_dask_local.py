"""A cluster on this machine, by the command line: it ends with its run, however that ends."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from dask_toys import PATIENCE, PIPELINE

from tonearm_plugins.executors.dask_local import LocalWorkers

pytestmark = pytest.mark.slow

COUNT = 1500


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporaries"))  # by which the processes of this run are known
    Path("temporaries").mkdir()
    for number in range(COUNT):
        np.save(f"{number:04}.npy", np.full(4000, 0.1 + number / COUNT / 2, np.float32))
    Path("pipeline.yaml").write_text(PIPELINE)
    yield tmp_path
    for process in processes(tmp_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def run(*more):
    line = [sys.executable, "-m", "tonearm", "run", "pipeline.yaml", "--out", "out", *more]
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)


def processes(folder):
    """Return the ids of the processes of runs in a folder."""
    mark = f"TMPDIR={folder}/temporaries".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in path.read_bytes().split(b"\0") and int(path.parts[2]) != os.getpid():
                found.append(int(path.parts[2]))
    return found


def semaphores(folder):
    """Return the files of the semaphores that the processes of runs in a folder have."""
    found = set()
    for process in processes(folder):
        with contextlib.suppress(OSError):
            found.update(re.findall(r"/dev/shm/sem\.mp-\w+", Path(f"/proc/{process}/maps").read_text()))
    return found


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def names(folder, pattern="*"):
    return sorted(path.name for path in Path(folder).glob(pattern))


def published():
    return names("out", "*.wav")


def test_a_run_without_an_address(folder):
    process = run("--executor", "dask", "-j", "2")
    errors = process.communicate()[1]
    assert process.returncode == 0, errors
    assert "Dask on this machine; threads of workers: 2" in errors
    assert "Traceback" not in errors
    assert "distributed" not in errors
    assert len(published()) == COUNT
    until(lambda: not processes(folder))


def test_its_dashboard_is_seen_from_this_machine_alone():
    workers = LocalWorkers(1)
    try:
        sockets = workers.scheduler.scheduler.http_server._sockets.values()
        assert {one.getsockname()[0] for one in sockets} == {"127.0.0.1"}
    finally:
        workers.close(1.0)


def test_ctrl_c_reaches_all_processes_of_a_terminal_and_what_is_finished_is_published(folder):
    process = run("--executor", "dask", "-j", "2")
    until(lambda: len(published()) > 3)
    found = semaphores(folder)
    assert found
    os.killpg(process.pid, signal.SIGINT)
    errors = process.communicate()[1]
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    done = published()
    assert f"{len(done)} converted, 0 failed, {COUNT - len(done)} left" in errors, errors
    assert names("out") == [".tonearm", *done]
    assert names("out/.tonearm") == ["journal.jsonl", "lock"]
    until(lambda: not processes(folder))
    assert not [name for name in found if Path(name).exists()]


def test_when_the_run_is_killed_its_workers_end(folder):
    process = run("--executor", "dask", "-j", "2")
    until(lambda: len(published()) > 3)
    found = semaphores(folder)
    assert found
    process.kill()
    errors = process.communicate()[1]
    done = len(published())
    until(lambda: not processes(folder))
    assert not [name for name in found if Path(name).exists()]
    assert "leaked" not in errors
    process = run("--executor", "in-process")
    assert f"{COUNT - done} converted, 0 failed, {done} done before" in process.communicate()[1]
    assert len(published()) == COUNT
    assert names("out") == [".tonearm", *published()]
