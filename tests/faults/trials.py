"""Runs with one fault each: ``python trials.py SCENARIO FAULT [BREAKER]`` prints what breaks the rules, as JSON.

A run in a child process is disturbed at the n-th call that it makes of the operating system, for every n that there is:
it dies there, or the call fails. Then the rules are looked at, the run is repeated undisturbed, and they are looked at
again. This process has one thread and nothing heavy in it, so that a child costs milliseconds.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "core" / "run"), str(Path(__file__).parents[1] / "core")]

import run_toys as toys  # noqa: E402
from broken import BREAKERS  # noqa: E402
from rules import Outputs, Seen, complete, known, not_redone, seen, temporaries, visible, whole  # noqa: E402

from tonearm.errors import OutputError, TonearmError  # noqa: E402
from tonearm.run.options import RunOptions  # noqa: E402
from tonearm.run.run import Run  # noqa: E402
from tonearm.run.store import publisher  # noqa: E402
from tonearm.run.workers import flush_timer  # noqa: E402

CALLS = (
    "open", "write", "read", "preadv", "pread", "lseek", "close", "dup", "replace", "unlink", "mkdir", "fsync",
    "fdatasync", "stat", "lstat", "fstat", "scandir",
)  # fmt: skip
"""What a run asks of the operating system by Python's own functions."""

CHANGES = ("open", "write", "replace", "unlink", "mkdir", "fsync", "fdatasync")
"""Those after which the disk may be another one."""

OUT = "out"
FAILED, STOPPED, BUG, USAGE = 3, 4, 1, 2
OTHERWISE = 5
"""Not the one item failed that has to: none, or more."""


# What is run ---------------------------------------------------------------------------------------------------------


def inputs(level: str) -> None:
    """Write the sources: one item, two items, one that fails beside one that does not."""
    toys.write(a=f"k 0.{level}", b=f"k 0.{level}\nl 0.{level}1", c=f"k no\nl 0.{level}2")


def pipeline():
    return toys.pipeline("x/{stem}-{index}.raw", encoder="two-files", registry=toys.toys())


def convert() -> int:
    """Run once; return the exit status that a command would have."""
    found = pipeline()
    run = Run(found, RunOptions(out=OUT, fsync=True))
    try:
        run.execute(run.plan(found.find_sources()), lambda _: None)
    except OutputError:
        return STOPPED
    except TonearmError:
        return USAGE
    return FAILED if run.report.codes == {"no-level": 1} else OTHERWISE


# Faults --------------------------------------------------------------------------------------------------------------


@dataclass
class Fault:
    """What happens at the n-th call: ``die``, ``tear`` (die when half is written), ``power``, or an error's name.

    When the power fails, names that were not flushed are lost, whatever came after them. With ``lasting`` all that
    follow fail as well, as on a disk that is full.
    """

    kind: str
    when: int = -1
    lasting: bool = False
    count: int = 0
    changes: list[int] = field(default_factory=list)
    """Which of the calls may change the disk."""

    def install(self) -> None:
        """Stand between the run and the operating system, from here on."""
        if self.kind == "power":
            note_names()
        for name in CALLS:
            setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, real: Callable) -> Callable:
        def call(*arguments, **more):
            number, self.count = self.count, self.count + 1
            if name in CHANGES and not (name == "open" and not arguments[1] & (os.O_CREAT | os.O_TRUNC)):
                self.changes.append(number)
            if number == self.when or (self.lasting and 0 <= self.when <= number and name in CHANGES):
                self._strike(name, real, arguments)
            return real(*arguments, **more)

        return call

    def _strike(self, name: str, real: Callable, arguments: tuple) -> None:
        if self.kind == "tear" and name == "write":
            real(arguments[0], arguments[1][: len(arguments[1]) // 2])
        if self.kind in ("die", "tear", "power"):
            os.kill(os.getpid(), 9)
        if name == "unlink" and self.lasting:
            return  # a disk that is full still forgets files
        number = getattr(errno, self.kind)
        raise OSError(number, os.strerror(number))


def note_names() -> None:
    """Keep a list of names that are not on the disk, from here on, in the file ``names``."""
    pending: set[str] = set()
    replace, fsync = os.replace, os.fsync

    def write() -> None:
        Path("names").write_text("".join(f"{name}\n" for name in sorted(pending)))

    def noting_replace(source: str, target: str) -> None:
        replace(source, target)
        pending.add(os.path.relpath(target, OUT))
        write()

    def noting_fsync(descriptor: int) -> None:
        fsync(descriptor)
        path = _path(descriptor)
        pending.difference_update(
            [one for one in pending if os.path.abspath(f"{OUT}/{one}").rpartition("/")[0] == path]
        )
        write()

    write()
    os.replace, os.fsync = noting_replace, noting_fsync


def child(work: Callable[[], int]) -> int:
    """Do something in a process of its own; return its exit status, or that of a kill."""
    number = os.fork()
    if not number:
        status = BUG
        try:
            status = work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


# Scenarios -----------------------------------------------------------------------------------------------------------


@dataclass
class Scenario:
    """A folder in which a run is disturbed.

    Attributes
    ----------
    before
        Outputs that are there when it begins.
    after
        Those that there are when a run has come to its end.
    breaker
        Makes the publisher break a rule.
    """

    before: Outputs
    after: Outputs
    prepare: Callable[[], None]
    breaker: Callable[[], None]

    def disturbed(self, fault: Fault) -> list[str]:
        """Return what breaks the rules when a run is disturbed so."""
        root = Path(OUT)
        self.prepare()

        def work() -> int:
            self.breaker()
            fault.install()
            return convert()

        status = child(work)
        if fault.kind == "power":
            self._lose_names(root)
        lines = self._after_fault(root, fault, status)
        before = self._finished(root)

        def again() -> int:
            self.breaker()
            return convert()

        for attempt in ("second", "third"):
            status = child(again)
            lines += [f"the {attempt} run exits with {status}"] if status != FAILED else []
            lines += [f"{line}, after the {attempt} run" for line in complete(root, self.after)]
            lines += [f"{line}, after the {attempt} run" for line in temporaries(root)]
            lines += [f"{line} by the {attempt} run" for line in not_redone(before, seen(root))]
            before = seen(root)
        return lines

    def _lose_names(self, root: Path) -> None:
        """Put back what was there before each rename that was not flushed."""
        for line in Path("names").read_text().splitlines():
            if line in self.before:
                (root / line).write_bytes(self.before[line])
            else:
                (root / line).unlink()

    def _finished(self, root: Path) -> Seen:
        """Return the files of items that are there; one whose second file alone has its name is not."""
        there = {name for name, content in visible(root).items() if content == self.after.get(name)}
        return {name: state for name, state in seen(root).items() if {name, name.replace(".json", ".raw")} <= there}

    def _after_fault(self, root: Path, fault: Fault, status: int) -> list[str]:
        lines = whole(root, self.before, self.after) + known(root)
        for name in visible(root):
            beside = name.replace(".raw", ".json")
            if visible(root)[name] == self.after.get(name) and not (root / beside).exists():
                lines.append(f"without what lies beside it: {name}")
        if fault.kind in ("die", "tear", "power"):
            return lines
        if fault.when >= 0:
            lines += temporaries(root)
            if status == BUG or (status == USAGE and seen(root).keys() != self.before.keys()):
                lines.append(f"exits with {status}")
            if status == FAILED and complete(root, self.after):
                lines.append("says that all is well, and it is not")
        return lines


def fresh(breaker: Callable[[], None]) -> Scenario:
    """A first run."""

    def prepare() -> None:
        shutil.rmtree(OUT, ignore_errors=True)

    inputs("5")
    after = _reference()
    return Scenario({}, after, prepare, breaker)


def changed(breaker: Callable[[], None]) -> Scenario:
    """All sources have changed since the last run; the new outputs are as large as the old ones."""
    inputs("5")
    before = _reference()
    prepare = _keep()
    inputs("7")
    return Scenario(before, _reference(), prepare, breaker)


def stopped(breaker: Callable[[], None]) -> Scenario:
    """A run was killed before, in the middle of a line of its journal, and left a temporary."""
    base = fresh(lambda: None)
    root = Path(OUT)
    for when in range(1000):
        base.prepare()
        child(lambda when=when: _disturbed(Fault("tear", when)))
        journal = root / ".tonearm" / "journal.jsonl"
        if any(name.endswith(".raw") for name in visible(root)) and journal.read_bytes()[-1:] != b"\n":
            break
    (root / "x" / ".tonearm-0000000000000001.part").write_text("half")
    return Scenario(visible(root), base.after, _keep(), breaker)


def _keep() -> Callable[[], None]:
    """Return what puts the output folder back as it is now."""
    shutil.rmtree("old", ignore_errors=True)
    shutil.copytree(OUT, "old", copy_function=shutil.copy2)

    def prepare() -> None:
        shutil.rmtree(OUT, ignore_errors=True)
        shutil.copytree("old", OUT, copy_function=shutil.copy2)

    return prepare


def _reference() -> Outputs:
    shutil.rmtree(OUT, ignore_errors=True)
    assert child(convert) == FAILED
    return visible(Path(OUT))


def _disturbed(fault: Fault) -> int:
    fault.install()
    return convert()


# Power loss ----------------------------------------------------------------------------------------------------------


def order(breaker: Callable[[], None]) -> list[str]:
    """Return where a run renames what is not on the disk yet, or ends before all is there; from its calls, in order."""
    fresh(lambda: None).prepare()
    reading, writing = os.pipe()

    def work() -> int:
        breaker()
        watch = Watch()
        watch.install()
        status = convert()
        for line in watch.lines():
            os.write(writing, f"{line}\n".encode())
        return status

    child(work)
    os.close(writing)
    with os.fdopen(reading) as file:
        return file.read().splitlines()


class Watch:
    """Notes what was flushed when."""

    def __init__(self) -> None:
        self._flushed: dict[str, int] = {}
        self._journal: list[str] = []
        self._safe: set[str] = set()
        self._named: set[str] = set()
        self._lines: list[str] = []

    def install(self) -> None:
        for name in ("open", "mkdir", "write", "fsync", "fdatasync", "replace"):
            setattr(os, name, self._wrapped(getattr(self, f"_{name}"), getattr(os, name)))

    def _wrapped(self, note: Callable, real: Callable) -> Callable:
        def call(*arguments):
            note(*arguments)
            return real(*arguments)

        return call

    def _open(self, path: str, flags: int, *_: object) -> None:
        if flags & os.O_CREAT and path.endswith(".jsonl") and not os.path.exists(path):
            self._named.add(os.path.abspath(path))

    def _mkdir(self, path: str, *_: object) -> None:
        self._named.add(os.path.abspath(path))

    def _write(self, descriptor: int, data: bytes) -> None:
        if _path(descriptor).endswith(".jsonl"):
            record = json.loads(data)
            self._journal.append(record.get("output", record["record"]))

    def _fsync(self, descriptor: int) -> None:
        path = _path(descriptor)
        self._flushed[path] = os.stat(path).st_size
        self._named = {name for name in self._named if os.path.dirname(name) != path}
        if path.endswith(".jsonl"):
            self._safe.update(self._journal)
            self._journal = []

    _fdatasync = _fsync

    def _replace(self, source: str, target: str) -> None:
        path = os.path.abspath(source)
        name = os.path.relpath(target, OUT)
        if self._flushed.get(path) != os.stat(path).st_size:
            self._lines.append(f"renamed before its content is on the disk: {name}")
        if any(one.endswith(".jsonl") for one in self._named):
            self._lines.append(f"renamed before the journal's own name is on the disk: {name}")
        if name not in self._safe:
            self._lines.append(f"renamed before its record is on the disk: {name}")
        self._named.add(os.path.abspath(target))

    def lines(self) -> Iterator[str]:
        yield from self._lines
        yield from (f"not on the disk at the end: {kind}" for kind in self._journal)
        yield from (f"its name is not on the disk at the end: {os.path.basename(name)}" for name in self._named)


def _path(descriptor: int) -> str:
    return os.readlink(f"/proc/self/fd/{descriptor}")


# Something in the way ------------------------------------------------------------------------------------------------


def in_the_way(breaker: Callable[[], None]) -> list[str]:
    """Return what is lost when somebody puts a file where an output goes, before or after the plan is made."""
    lines = []
    scenario = fresh(lambda: None)
    for early in (True, False):
        scenario.prepare()
        mine = Path(OUT, "x", "a-0.raw")

        def put(mine: Path = mine) -> None:
            mine.parent.mkdir(parents=True, exist_ok=True)
            mine.write_text("mine")

        def work(early: bool = early, put: Callable[[], None] = put) -> int:
            breaker()
            real = publisher.Publisher.publish
            if early:
                put()
            else:
                publisher.Publisher.publish = lambda self, batch: put() or real(self, batch)
            return convert()

        child(work)
        if mine.read_text(errors="replace") != "mine":
            lines.append("replaced what no run wrote")
    return lines


# All of it -----------------------------------------------------------------------------------------------------------

SCENARIOS = {"fresh": fresh, "changed": changed, "stopped": stopped}
CHECKS = {"order": order, "in-the-way": in_the_way}


def trials(scenario: Scenario, kind: str, *, every: int = 1, first: int | None = None) -> list[str]:
    """Return what breaks the rules, whichever call the fault strikes; ``first`` ends it at so many lines."""
    quiet = Fault("die")
    reading, writing = os.pipe()

    def count() -> int:
        scenario.breaker()
        quiet.install()
        convert()
        os.write(writing, json.dumps([quiet.count, quiet.changes]).encode())
        return 0

    scenario.prepare()
    child(count)
    os.close(writing)
    with os.fdopen(reading) as file:
        total, changes = json.load(file)
    lines = []
    lasting = kind.endswith("+")
    # Between two calls that leave the disk as it is nothing can be told apart.
    moments = changes if kind in ("die", "tear", "power") or lasting else range(total)
    for when in list(moments)[::every]:
        fault = Fault(kind.rstrip("+"), when, lasting=lasting)
        lines += [f"{kind} at call {when}: {line}" for line in scenario.disturbed(fault)]
        if first and len(lines) >= first:
            break
    return lines


def main(what: str, kind: str = "", breaker: str = "", every: str = "1", first: str = "0") -> None:
    flush_timer.FLUSH_SECONDS = 0.0  # each source is a batch of its own
    work = BREAKERS[breaker] if breaker else lambda: None
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        if what in CHECKS:
            lines = CHECKS[what](work)
        else:
            lines = trials(SCENARIOS[what](work), kind, every=int(every), first=int(first) or None)
        os.chdir("/")
    print(json.dumps(lines))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
