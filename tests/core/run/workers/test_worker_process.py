import signal
import socket
import subprocess
import sys
import time

import pytest

from tonearm.run.workers.messages import send
from tonearm.run.workers.worker_process import WorkerProcess


class Program(WorkerProcess):
    """Any program in the place of a worker."""

    def __init__(self, connection, code, worker_end):
        super().__init__(connection)
        command = [sys.executable, "-c", code]
        self.process = subprocess.Popen(
            command, process_group=0, pass_fds=[worker_end.fileno()], stdout=subprocess.PIPE, text=True
        )

    @property
    def process_id(self):
        return self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        return self.process.wait()


@pytest.fixture
def start():
    """Start programs, each with a connection."""
    started = []

    def program(code):
        ours, theirs = socket.socketpair()
        with theirs:
            one = Program(ours, code.format(descriptor=theirs.fileno()), theirs)
        started.append(one)
        return one

    yield program
    for one in started:
        one.process.kill()
        one.process.communicate()
        one.connection.close()


def test_one_that_has_ended_is_reaped_with_its_status(start):
    program = start("raise SystemExit(3)")
    assert program.receive() is None
    assert program.reap(60.0) == (3, False)


def test_one_that_goes_on_is_killed_with_what_it_started(start):
    code = "import signal, subprocess; print(subprocess.Popen(['sleep', '600']).pid, flush=True); signal.pause()"
    program = start(code)
    child = int(program.process.stdout.readline())
    assert program.reap(0.01) == (-signal.SIGKILL, True)
    for _ in range(600):
        if not alive(child):
            break
        time.sleep(0.1)
    else:
        pytest.fail("what it started goes on")


def alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_messages_and_the_end_of_the_connection(start):
    ours, theirs = socket.socketpair()
    program = start("import signal; signal.pause()")
    program.connection.close()
    program.connection = ours
    with theirs:
        send(theirs, ["a", "message"])
        assert program.receive() == [["a", "message"]]
        assert program.send("a chunk")
        program.finish_sending()
        assert not program.send("too late")
        while theirs.recv(1 << 16):
            pass  # what was sent, and then the end
    assert program.receive() is None


def test_the_end_is_seen_although_a_child_holds_the_connection_open(start):
    code = "import subprocess; subprocess.Popen(['sleep', '600'], pass_fds=[{descriptor}]); raise SystemExit(7)"
    program = start(code)
    program.wait()
    program.close_if_ended()
    assert program.receive() is None
    assert program.reap(60.0)[1] is False
