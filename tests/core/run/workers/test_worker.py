import os
import signal
import socket
import subprocess
import sys

import pytest
from run_toys import Do, leftovers, pipeline, task, write

from tonearm.errors import OutputError
from tonearm.run.prepare import Settings
from tonearm.run.store.local_store import LocalStore
from tonearm.run.workers import work as work_room
from tonearm.run.workers.messages import Inbox, send
from tonearm.run.workers.work import PipelineWork
from tonearm.run.workers.worker import _Worker


def make_work(gate):
    return PipelineWork(pipeline(steps=["do"]), LocalStore("out"), Settings(fsync=False), gate)


@pytest.fixture
def serve(folder):
    """Have a worker serve chunks in this process; return its messages."""
    ours, theirs = socket.socketpair()

    def served(*chunks):
        for chunk in chunks:
            send(ours, chunk)
        ours.shutdown(socket.SHUT_WR)
        worker = _Worker(theirs, make_work)
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
    assert len(first.owner) == 8
    assert {one.owner for one in results} == {first.owner}
    found = [one for message in results for one in message.sources]
    assert [(one.task.number, len(one.items), len(one.failures)) for one in found] == [(0, 1, 0), (1, 0, 1)]
    assert [message.last for message in results] == [False] * (len(results) - 1) + [True]


def test_sigterm_stops_its_work_and_what_is_finished_is_sent(serve, monkeypatch):
    write(a="k 0.5", b="k 0.5", c="k 0.5")
    acts = iter([lambda: None, lambda: os.kill(os.getpid(), signal.SIGTERM)])
    monkeypatch.setattr(Do, "act", staticmethod(lambda _: next(acts)()))
    found = serve([task(f"{name}.txt", number) for number, name in enumerate("abc")])
    assert [one.task.number for message in found[1:] for one in message.sources] == [0]
    assert not found[-1].last
    assert len(leftovers()) == 1


def test_long_work_gives_signs_of_life(serve, monkeypatch):
    monkeypatch.setattr(work_room, "LIFE_SECONDS", 0.0)
    write(a="k 0.5\nl 0.5\nm 0.5")
    _, _, *signs, sources, last = serve([task("a.txt", 0)])
    assert len(signs) == 3
    assert not any(sign.last or sign.sources for sign in signs)
    assert [len(one.items) for one in sources.sources] == [3]
    assert last.last


def test_a_worker_that_cannot_write_temporaries_tells_the_run_with_its_first_chunk(serve, folder):
    write(a="k 0.5")
    (folder / "out" / ".tonearm").mkdir(parents=True)
    (folder / "out" / ".tonearm" / "owners").symlink_to(folder)
    hello, *_, last = serve([task("a.txt", 0)])
    assert hello.owner == "00000000"
    assert isinstance(last.error, OutputError)
    assert "owners is a link" in last.error.message


def test_an_error_of_the_output_side_is_sent(serve, monkeypatch):
    write(a="k 0.5")

    def act(_):
        raise OutputError("full", hint="buy a disk")

    monkeypatch.setattr(work_room.Preparer, "prepare", lambda self, task: act(task))
    error = serve([task("a.txt")])[-1].error
    assert isinstance(error, OutputError)
    assert (error.message, error.hint) == ("full", "buy a disk")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can")
def test_a_worker_whose_parent_has_ended_already_ends():
    code = "from tonearm.run.workers.worker import die_with_parent; die_with_parent({}); print('alive')"
    for parent, alive in ((os.getpid(), True), (os.getpid() + 1, False)):
        done = subprocess.run([sys.executable, "-c", code.format(parent)], capture_output=True, text=True)
        assert (done.stdout == "alive\n", done.returncode) == (alive, 0 if alive else 1)
