"""Workers start by either way, and keep nothing that is the run's."""

import subprocess
import sys

import pytest
from run_toys import pipeline, script

from tonearm.run.prepare import Settings
from tonearm.run.store.local_store import LocalStore
from tonearm.run.workers import forked_process, processes, spawned_process
from tonearm.run.workers.work import PipelineWork

START = """
import os
from tonearm.run.store.local_store import LocalStore
from tonearm.run.workers.processes import start_worker
from tonearm.run.workers.work import PipelineWork

read, write_end = os.pipe()
store = LocalStore("out")
store.lock(None, create=True)
process = start_worker(PipelineWork(pipeline(), store, Settings()), [write_end], fork={fork})
store.unlock()
os.close(write_end)
assert os.read(read, 1) == b""  # it has closed its copies
LocalStore("out").lock(None, create=True)
assert os.getpgid(process.process_id) == process.process_id != os.getpgid(0)
(message,) = process.receive()
assert len(message.owner) == 8
process.finish_sending()
assert process.receive() is None
print(type(process).__name__, *process.reap(60.0))
"""

THREADS = """
import threading
from tonearm.run.workers.processes import is_fork_safe

before = is_fork_safe()
stop = threading.Event()
thread = threading.Thread(target=stop.wait)
thread.start()
print(before, is_fork_safe())
stop.set()
thread.join()
"""


@pytest.mark.parametrize(("fork", "name"), [(True, "ForkedProcess"), (False, "SpawnedProcess")])
def test_a_worker_keeps_nothing_of_the_run_and_ends_with_its_connection(folder, fork, name):
    done = script(START.format(fork=fork))
    assert done.stdout == f"{name} 0 False\n", done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_a_process_with_threads_is_not_forked():
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True)
    assert done.stdout == "True False\n", done.stderr


@pytest.mark.parametrize(("safe", "name"), [(True, "forked"), (False, "spawned")])
def test_a_worker_is_forked_if_that_is_safe(monkeypatch, safe, name):
    monkeypatch.setattr(processes, "is_fork_safe", lambda: safe)
    for module, kind in ((forked_process, "forked"), (spawned_process, "spawned")):
        monkeypatch.setattr(module, f"start_{kind}", lambda *arguments, kind=kind: (kind, arguments[-2].close()))
    assert processes.start_worker(PipelineWork(pipeline(), LocalStore("out"), Settings()), [])[0] == name
