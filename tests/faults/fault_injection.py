"""Runs with one fault each: ``python fault_injection.py SCENARIO FAULT`` prints the rules that were broken, as JSON.

A run in a child process is disturbed at its n-th call of the operating system, for every n: it dies there, or the call
fails. Then the rules are checked, the run is repeated without a fault, and they are checked again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from broken_publishers import BREAKERS
from fault import Fault
from flush_order import flush_violations
from invariants import (
    Identities,
    Outputs,
    corrupt_files,
    count_records,
    differences,
    identities,
    leftover_files,
    published_files,
    rewritten_files,
    unmeasured_files,
    unrecorded_files,
)
from toy_run import BUG, FAILED, OUT, STOPPED, USAGE, convert, in_child, result_of_child, write_sources

from tonearm.run.store import publisher
from tonearm.run.store.local_store import LocalStore
from tonearm.run.workers import flush_timer

MEMORY = "/dev/shm"

DEADLY = ("die", "tear", "power")
"""Kinds of fault that end the process."""


@dataclass
class Scenario:
    """A folder in which a run is disturbed.

    Attributes
    ----------
    before
        Outputs that exist when it begins.
    after
        Outputs that exist when a run has come to its end.
    prepare
        Restores the folder to what it was before the run.
    breaker
        Makes the publisher break a rule.
    """

    before: Outputs
    after: Outputs
    prepare: Callable[[], None]
    breaker: Callable[[], None]

    def disturbed(self, fault: Fault) -> list[str]:
        """Return the rules that are broken when a fault strikes a run."""
        root = Path(OUT)
        self.prepare()

        def work() -> int:
            self.breaker()
            fault.install()
            return convert()

        status = in_child(work)
        if fault.kind == "power":
            self._lose_names(root)
        lines = self._after_fault(root, fault, status)
        before = self._finished(root)

        def again() -> int:
            self.breaker()
            return convert()

        for attempt in ("second", "third"):
            runs = count_records(root, "run")
            status = in_child(again)
            lines += [f"the {attempt} run has no record"] if count_records(root, "run") != runs + 1 else []
            lines += [f"the {attempt} run exits with {status}"] if status != FAILED else []
            lines += [f"{line}, after the {attempt} run" for line in differences(root, self.after)]
            lines += [f"{line}, after the {attempt} run" for line in unmeasured_files(root) + leftover_files(root)]
            lines += [f"{line} by the {attempt} run" for line in rewritten_files(before, identities(root))]
            before = identities(root)
        return lines

    def _lose_names(self, root: Path) -> None:
        """Put back what was there before each rename that was not flushed."""
        for line in Path("names").read_text().splitlines():
            if line in self.before:
                (root / line).write_bytes(self.before[line])
            else:
                (root / line).unlink()

    def _finished(self, root: Path) -> Identities:
        """Return the identities of finished items' files; one of whose two files only one has its name is not."""
        there = {name for name, content in published_files(root).items() if content == self.after.get(name)}
        return {
            name: state for name, state in identities(root).items() if {name, name.replace(".json", ".raw")} <= there
        }

    def _after_fault(self, root: Path, fault: Fault, status: int) -> list[str]:
        lines = corrupt_files(root, self.before, self.after) + unrecorded_files(root)
        for name in published_files(root):
            beside = name.replace(".raw", ".json")
            if published_files(root)[name] == self.after.get(name) and not (root / beside).exists():
                lines.append(f"without what lies beside it: {name}")
        if fault.kind in DEADLY:
            return lines
        if fault.when >= 0:
            lines += leftover_files(root)
            if status == BUG or (status == USAGE and identities(root).keys() != self.before.keys()):
                lines.append(f"exits with {status}")
            if status == FAILED and differences(root, self.after):
                lines.append("says that all is well, and it is not")
        return lines


def fresh(breaker: Callable[[], None]) -> Scenario:
    """A first run."""

    def prepare() -> None:
        shutil.rmtree(OUT, ignore_errors=True)

    write_sources("5")
    after = _undisturbed_outputs()
    return Scenario({}, after, prepare, breaker)


def changed(breaker: Callable[[], None]) -> Scenario:
    """All sources have changed since the last run; the new outputs are as large as the old ones."""
    write_sources("5")
    before = _undisturbed_outputs()
    prepare = _keep()
    write_sources("7")
    return Scenario(before, _undisturbed_outputs(), prepare, breaker)


def stopped(breaker: Callable[[], None]) -> Scenario:
    """A run was killed before, in the middle of a line of its journal, and left a temporary."""
    base = fresh(lambda: None)
    root = Path(OUT)
    for when in _calls(base)[1]:
        base.prepare()
        in_child(lambda when=when: _disturbed(Fault("tear", when)))
        journal = root / ".tonearm" / "journal.jsonl"
        if any(name.endswith(".raw") for name in published_files(root)) and journal.read_bytes()[-1:] != b"\n":
            break
    (root / "x" / ".tonearm-0000000000000001.part").write_text("half")
    return Scenario(published_files(root), base.after, _keep(), breaker)


def _calls(scenario: Scenario) -> tuple[int, list[int]]:
    """Return the number of calls that a run makes, and the numbers of those that may change the disk."""
    fault = Fault("die")

    def count() -> tuple[int, list[int]]:
        scenario.breaker()
        _disturbed(fault)
        return fault.count, fault.changes

    scenario.prepare()
    total, changes = result_of_child(count)
    return total, changes


def _keep() -> Callable[[], None]:
    """Return a function that restores the output folder to what it is now."""
    shutil.rmtree("old", ignore_errors=True)
    shutil.copytree(OUT, "old", copy_function=shutil.copy2)

    def prepare() -> None:
        shutil.rmtree(OUT, ignore_errors=True)
        shutil.copytree("old", OUT, copy_function=shutil.copy2)

    return prepare


def _undisturbed_outputs() -> Outputs:
    shutil.rmtree(OUT, ignore_errors=True)
    assert in_child(convert) == FAILED
    return published_files(Path(OUT))


def _disturbed(fault: Fault) -> int:
    fault.install()
    return convert()


def in_the_way(breaker: Callable[[], None]) -> list[str]:
    """Return what is lost when somebody puts a file where an output goes, before or after a run makes its plan."""
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

        in_child(work)
        if mine.read_text(errors="replace") != "mine":
            lines.append("replaced what no run wrote")
    return lines


def held_by_others(breaker: Callable[[], None]) -> list[str]:
    """Return the temporaries of another part's worker that a run sweeps while that worker lives."""
    scenario = stopped(lambda: None)
    scenario.prepare()
    other = LocalStore(OUT)
    owner = other.owner()
    theirs = Path(OUT, "x", f".tonearm-{owner.id}00000001.part")
    theirs.write_text("half")

    def work() -> int:
        breaker()
        return convert()

    in_child(work)
    lines = [] if theirs.exists() else ["swept what somebody holds"]
    owner.close()
    other.close()
    return lines


def through_links(breaker: Callable[[], None]) -> list[str]:
    """Return what a run writes through a link below its output folder."""
    lines = []
    for name in (".tonearm", "x"):
        scenario = fresh(lambda: None)
        scenario.prepare()
        elsewhere = Path(f"elsewhere{name}")
        elsewhere.mkdir()
        Path(OUT).mkdir()
        Path(OUT, name).symlink_to(elsewhere.resolve())

        def work() -> int:
            breaker()
            return convert()

        status = in_child(work)
        lines += [f"wrote through the link {name}: {path.name}" for path in sorted(elsewhere.iterdir())]
        lines += [f"exits with {status} where {name} is a link"] if status != STOPPED else []
    return lines


SCENARIOS = {"fresh": fresh, "changed": changed, "stopped": stopped}
CHECKS = {
    "flush-order": flush_violations,
    "in-the-way": in_the_way,
    "held-by-others": held_by_others,
    "through-links": through_links,
}


def violations(scenario: Scenario, kind: str, *, every: int = 1, start: int = 0, most: int | None = None) -> list[str]:
    """Return the rules that are broken when a fault strikes.

    Parameters
    ----------
    scenario
        Folder in which a run is disturbed.
    kind
        Kind of the fault, followed by ``+`` when it lasts.
    every, start
        Which calls it strikes: every n-th, from ``start`` on.
    most
        Number of violations after which to end.
    """
    total, changes = _calls(scenario)
    lines: list[str] = []
    lasting = kind.endswith("+")
    # No rule can tell two calls apart between which the disk stays as it is.
    moments = changes if kind in DEADLY or lasting else list(range(total))
    for when in moments[start::every]:
        fault = Fault(kind.rstrip("+"), when, lasting=lasting)
        lines += [f"{kind} at call {when}: {line}" for line in scenario.disturbed(fault)]
        if most and len(lines) >= most:
            break
    return lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", choices=[*SCENARIOS, *CHECKS])
    parser.add_argument("fault", nargs="?", default="")
    parser.add_argument("--breaker", choices=BREAKERS)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--most", type=int)
    given = parser.parse_args()
    flush_timer.FLUSH_SECONDS = 0.0  # each source is a batch of its own
    breaker = BREAKERS[given.breaker] if given.breaker else lambda: None
    # Thousands of small files are written and flushed, which takes three times as long on a disk as in memory.
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        os.chdir(folder)
        if given.scenario in CHECKS:
            lines = CHECKS[given.scenario](breaker)
        else:
            scenario = SCENARIOS[given.scenario](breaker)
            lines = violations(scenario, given.fault, every=given.every, start=given.start, most=given.most)
        os.chdir("/")
    print(json.dumps(lines))


if __name__ == "__main__":
    main()
