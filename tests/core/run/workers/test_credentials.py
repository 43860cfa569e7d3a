"""Credentials of an executor: they reach neither journal, nor messages, nor processes elsewhere."""

import itertools
import pickle
from dataclasses import dataclass
from pathlib import Path

import pytest
from core_toys import hooks, package_of
from run_toys import Seen, pipeline, write

from tonearm.api import Died, Executor
from tonearm.errors import PipelineError, TonearmError, UsageError
from tonearm.plugins.registry import Registry
from tonearm.run.options import RunOptions
from tonearm.run.run import Run
from tonearm.run.workers import choice

ADDRESS = "amqps://me:hunter2@far.example:5671/queue"


@dataclass(frozen=True)
class CloudOptions:
    address: str = ""
    token: str = ""
    size: int = 1


class Cloud(Executor[CloudOptions]):
    """Tell everything about the options in all that people see."""

    packed = b""
    fails = False

    def open(self, work, slots):
        self.chunks, self.numbers, self.work = {}, itertools.count(), work

    def notes(self):
        return [f"connected to {self.options.address}"] if next(self.numbers) == 0 else []

    def submit(self, chunk):
        handle = next(self.numbers)
        self.chunks[handle] = chunk
        return handle

    def cancel(self, handle):
        self.chunks.pop(handle, None)

    def close(self):
        """Do nothing."""

    def wait(self, seconds):
        type(self).packed = pickle.dumps(self.work)
        for handle in list(self.chunks):
            chunk = self.chunks.pop(handle)
            if any(task.name == "b.txt" for task in chunk):
                reason = f"{self.options.address} closed the connection"
                yield handle, Died(reason, hint=f"look at {self.options.address}")
            else:
                yield handle, self.work(chunk)
        if self.fails:
            raise ConnectionError(f"cannot reach {self.options.address}")


@pytest.fixture(autouse=True)
def cloud(folder, monkeypatch):
    """Four sources, and an executor that is installed."""
    write(a="k 0.5", b="k 0.5", c="k 0.5", d="k 0.5")
    registry = Registry([package_of("cloud-company", hooks(executors={"cloud": Cloud}))])
    monkeypatch.setattr(choice, "installed_plugins", lambda: registry)
    monkeypatch.setenv("CLOUD_TOKEN", "hunter2")


def run(*options):
    """Run over all sources, and return the error, the notes and the report."""
    found, notes = pipeline("{stem}-{key}.raw"), []
    options = RunOptions(out="out", fsync=False, executor="cloud", executor_options=options)
    one = Run(found, options)
    try:
        one.execute(one.plan(found.find_sources()), Seen(), on_note=notes.append)
    except TonearmError as error:
        return error, notes, one.report
    return None, notes, one.report


@pytest.mark.parametrize("fails", [False, True])
def test_no_password_leaves_the_executor(monkeypatch, fails):
    monkeypatch.setattr(Cloud, "fails", fails)
    error, notes, report = run(f"address={ADDRESS}", "token=hunter2")
    assert notes == ["connected to amqps://…@far.example:5671/queue"]
    if fails:
        assert str(error) == (
            "the executor cloud failed: ConnectionError: cannot reach amqps://…@far.example:5671/queue\n"
            "    hint: use the executor local, or tell its authors"
        )
    else:
        (failure,) = report.failures
        assert failure.message == "amqps://…@far.example:5671/queue closed the connection, twice"
        assert failure.hint == "look at amqps://…@far.example:5671/queue"
    written = [path.read_bytes() for path in Path("out").rglob("*") if path.is_file()]
    assert any(b"far.example" in content for content in written) != fails  # the failure is in the journal
    for content in (*written, Cloud.packed, repr((error, report)).encode()):
        assert b"hunter2" not in content


@pytest.mark.parametrize("option", [f"size={ADDRESS}", f"{ADDRESS}", f"adress={ADDRESS}"])
def test_mistakes_do_not_quote_them(option):
    with pytest.raises((PipelineError, UsageError)) as caught:
        run(option)
    assert "hunter2" not in str(caught.value)
