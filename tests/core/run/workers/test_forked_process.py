import os
import signal
import socket
import subprocess
import sys

import pytest

from tonearm.run.workers.forked_process import ForkedProcess


@pytest.fixture
def fork():
    """Start programs in the place of forked workers."""
    started = []

    def process(code):
        ours, theirs = socket.socketpair()
        theirs.close()
        started.append((subprocess.Popen([sys.executable, "-c", code], process_group=0), ours))
        return ForkedProcess(ours, started[-1][0].pid)

    yield process
    for program, ours in started:
        program.kill()
        program.wait()
        ours.close()


def test_its_status_is_kept(fork):
    process = fork("raise SystemExit(5)")
    assert [process.wait(), process.wait()] == [5, 5]


def test_a_signal_ends_it_and_none_is_sent_afterwards(fork, monkeypatch):
    process = fork("import signal; signal.pause()")
    process.signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("its id may be another's by now"))
    process.signal(signal.SIGTERM)


def test_one_that_somebody_else_has_waited_for(fork):
    process = fork("raise SystemExit(5)")
    os.waitpid(process.process_id, 0)
    assert process.wait() == 0
