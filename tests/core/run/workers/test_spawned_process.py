import io
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


class TestAWorkerByWindowsRules:
    @pytest.fixture
    def started(self, monkeypatch):
        found = {}

        class Program:
            pid = 4711
            stdin = io.BytesIO()

            def __init__(self, words, env, **options):
                found.update(words=words, env=env, options=options)

        class Connection:
            def share(self, process):
                found["shared"] = process
                return b""

        def start(environ):
            spawned_process._start([sys.executable, "-P", "-c", "x", "1"], environ, Connection())
            return found

        monkeypatch.setattr(spawned_process, "HAS_POSIX", False)
        monkeypatch.setattr(spawned_process.subprocess, "Popen", Program)
        return start

    def test_in_a_virtual_environment_is_no_child_of_a_launcher(self, started, monkeypatch):
        """The launcher's process would get the socket, and not the worker, which the launcher starts."""
        monkeypatch.setattr(sys, "executable", "/venv/python.exe")
        monkeypatch.setattr(sys, "_base_executable", "/base/python.exe", raising=False)
        environ = {"A": "b"}
        found = started(environ)
        assert found["words"] == ["/base/python.exe", "-P", "-c", "x", "1", "-1"]
        assert found["env"] == {"A": "b", "__PYVENV_LAUNCHER__": "/venv/python.exe"}
        assert environ == {"A": "b"}
        assert found["shared"] == 4711

    @pytest.mark.parametrize("base", ["", "/base/python.exe"])
    def test_outside_of_one(self, started, monkeypatch, base):
        monkeypatch.setattr(sys, "executable", "/base/python.exe")
        monkeypatch.setattr(sys, "_base_executable", base, raising=False)
        found = started({})
        assert (found["words"][0], found["env"]) == ("/base/python.exe", {})


def test_a_system_without_waitid_tells_the_end_by_another_call(ends, monkeypatch):
    """As macOS before Python 3.13."""
    monkeypatch.delattr(os, "waitid")
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as program:
        process = SpawnedProcess(ends[0], program)
        process.close_if_ended()
        ends[1].sendall(b"x")
        assert ends[0].recv(1) == b"x"
        program.stdin.close()
        assert process.reap(60) == (0, False)
