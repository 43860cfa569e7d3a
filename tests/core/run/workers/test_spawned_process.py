import os
import signal
import socket
import subprocess
import sys

import pytest
from run_toys import OddReader, pipeline, toys

from tonearm.errors import UsageError
from tonearm.run.prepare import Settings
from tonearm.run.store.local_store import LocalStore
from tonearm.run.workers import spawned_process
from tonearm.run.workers.spawned_process import SpawnedProcess, start_spawned
from tonearm.run.workers.work import PipelineWork


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_plugins_that_cannot_be_imported_are_refused_and_nothing_starts(ends, monkeypatch):
    class Local(OddReader):
        pass

    monkeypatch.setattr(spawned_process.subprocess, "Popen", lambda *_, **__: pytest.fail("it was started"))
    found = pipeline(use="odd-reader", registry=toys(decoders={"odd-reader": Local}))
    with pytest.raises(UsageError) as caught:
        start_spawned(PipelineWork(found, LocalStore("out"), Settings()), *ends)
    assert caught.value.code == "not-importable"
    assert ends[0].fileno() == -1  # closed


def test_no_signal_is_sent_to_one_that_has_ended(ends, monkeypatch):
    program = subprocess.Popen([sys.executable, "-c", "raise SystemExit(5)"])
    process = SpawnedProcess(ends[0], program)
    assert process.wait() == 5
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("its id may be another's by now"))
    process.signal(signal.SIGTERM)
