import os
import signal
import socket

import pytest
from run_toys import Do, leftovers, pipeline, preparer, task, write

from tonearm.errors import OutputError
from tonearm.run.workers.messages import Inbox, send
from tonearm.run.workers.worker import _Worker


@pytest.fixture
def serve(folder):
    """Have a worker serve chunks in this process; return its messages."""
    ours, theirs = socket.socketpair()

    def served(*chunks, make_preparer=None):
        for chunk in chunks:
            send(ours, chunk)
        ours.shutdown(socket.SHUT_WR)
        worker = _Worker(theirs, make_preparer or (lambda gate: preparer(pipeline(steps=["do"]))))
        before = signal.signal(signal.SIGTERM, worker.on_term)
        try:
            worker.serve()
        finally:
            signal.signal(signal.SIGTERM, before)
        theirs.shutdown(socket.SHUT_WR)
        inbox, found = Inbox(), []
        while data := ours.recv(1 << 16):
            found += inbox.feed(data)
        return found

    with ours, theirs:
        yield served


def test_it_says_that_it_is_there_and_what_it_finished(serve):
    write(a="k 0.5", b="k x")
    first, *results = serve([task("a.txt", 0), task("b.txt", 1)])
    assert (first.batch, first.idle) == ([], True)
    found = [one for message in results for one in message.batch]
    assert [(one.task.number, len(one.items), len(one.failures)) for one in found] == [(0, 1, 0), (1, 0, 1)]
    assert [message.idle for message in results] == [False] * (len(results) - 1) + [True]


def test_sigterm_stops_its_work_and_what_is_finished_is_sent(serve, monkeypatch):
    write(a="k 0.5", b="k 0.5", c="k 0.5")
    acts = iter([lambda: None, lambda: os.kill(os.getpid(), signal.SIGTERM)])
    monkeypatch.setattr(Do, "act", staticmethod(lambda _: next(acts)()))

    def make_preparer(gate):
        made = preparer(pipeline(steps=["do"]))
        made._gate = gate
        return made

    found = serve([task(f"{name}.txt", number) for number, name in enumerate("abc")], make_preparer=make_preparer)
    assert [one.task.number for message in found for one in message.batch] == [0]
    assert not found[-1].idle
    assert len(leftovers()) == 1


class Broken:
    """A preparer that raises."""

    def __init__(self, error):
        self.settings = preparer(None).settings
        self.error = error

    def prepare(self, task):
        raise self.error


def test_an_error_of_the_output_side_is_sent(serve):
    found = serve([task("a.txt")], make_preparer=lambda _: Broken(OutputError("full", hint="buy a disk")))
    assert found[-1].output_error == ("full", "buy a disk")


def test_a_bug_is_sent_with_its_traceback(serve):
    found = serve([task("a.txt")], make_preparer=lambda _: Broken(ZeroDivisionError("of ours")))
    assert "ZeroDivisionError: of ours" in found[-1].bug
    assert found[-1].idle
