"""Runs, kills, changes and damage in random order: ``python machine.py --examples N --steps N --seed S``.

A model says what must be on the disk after each step. A sequence of steps that breaks a rule is made as short as
possible, and printed. Each run that is disturbed has a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import sys
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "faults"), str(TESTS / "core" / "run"), str(TESTS / "core")]

from broken_publishers import BREAKERS  # noqa: E402
from broken_resuming import MORE_BREAKERS  # noqa: E402
from fault import CHANGES, Fault  # noqa: E402
from invariants import identities, published_files  # noqa: E402
from journal_damage import DAMAGES, HARMLESS  # noqa: E402
from lab import BAD, LEVELS, Lab, LevelReader, Setup  # noqa: E402
from model import FINISHED, INTERRUPTED, REFUSED, STOPPED, Model, is_selected, main_files, records_of  # noqa: E402

from tonearm.errors import OutputError, PipelineError, UsageError  # noqa: E402
from tonearm.run.merge import merge  # noqa: E402
from tonearm.run.store.local_store import LocalStore  # noqa: E402
from tonearm.run.store.lock import LockedError  # noqa: E402
from tonearm.run.workers import flush_timer  # noqa: E402

SOURCES = ("a.txt", "b.txt", "sub/a.txt", "sub/c.txt")
PARTS = ("1/2", "2/2")
LAST_CALL = 70
"""Number of the last call of the system that a fault may strike. A run of all sources makes about as many."""
MOST_FILES = 6
"""Number of the last file that a fault may strike."""

line = st.sampled_from([*(str(level) for level in LEVELS), BAD])
lines = st.lists(line, min_size=1, max_size=3).map(tuple)
source = st.sampled_from(SOURCES)
moment = st.one_of(
    st.tuples(st.just(CHANGES), st.integers(0, LAST_CALL)),
    st.tuples(st.sampled_from([("replace",), ("write",)]), st.integers(0, MOST_FILES)),
)
"""Functions of the system of which one call fails, and the number of that call."""
part = st.sampled_from([None, None, *PARTS])


class Runs(Model, RuleBasedStateMachine):
    """Runs over a few sources into one folder."""

    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        Model.__init__(self)

    def teardown(self) -> None:
        """Run to the end once more."""
        try:
            if hasattr(self, "lab"):
                self.run(None, force=False, verify=False)
        finally:
            shutil.rmtree(self.folder)

    @initialize(is_inside=st.booleans(), first=lines, second=lines)
    def begin(self, is_inside: bool, first: tuple[str, ...], second: tuple[str, ...]) -> None:
        """Choose where the outputs go: beside the sources, or in a folder below them."""
        self.lab = Lab(self.folder / "in")
        self.out = self.folder / ("in/out" if is_inside else "out")
        self.is_inside = is_inside
        self.lab.write("a.txt", first)
        self.lab.write("sub/a.txt", second)

    # Sources and pipelines change.

    @rule(name=source, content=lines)
    def write_source(self, name: str, content: tuple[str, ...]) -> None:
        if self.lab.lines.get(name) == content:
            self._touched(name)
        else:
            self._forget(lambda item: item[1] == name)
        self.lab.write(name, content)

    @rule(data=st.data())
    @precondition(lambda self: self.lab.lines)
    def touch_source(self, data: Any) -> None:
        name = data.draw(st.sampled_from(sorted(self.lab.lines)))
        self._touched(name)
        self.lab.touch(name)

    @rule(data=st.data())
    @precondition(lambda self: len(self.lab.lines) > 1)
    def remove_source(self, data: Any) -> None:
        name = data.draw(st.sampled_from(sorted(self.lab.lines)))
        self.lab.remove(name)
        self._forget(lambda item: item[1] == name)

    @rule(gain=st.sampled_from([1.0, 0.5]))
    def change_option(self, gain: float) -> None:
        if gain != self.setup.gain:
            self.setup = Setup(gain, self.setup.folder, self.setup.outputs)
            self._forget(lambda item: True)

    @rule(folder=st.sampled_from(["first", "second"]))
    def rename_outputs(self, folder: str) -> None:
        if folder != self.setup.folder:
            self.setup = Setup(self.setup.gain, folder, self.setup.outputs)
            self._forget(lambda item: True)

    @rule(outputs=st.sampled_from([("level",), ("pair",), ("level", "pair"), ("pair", "level")]))
    def choose_outputs(self, outputs: tuple[str, ...]) -> None:
        self._forget(lambda item: item[0] not in outputs)
        self.setup = Setup(self.setup.gain, self.setup.folder, outputs)

    @rule(seconds=st.sampled_from([-86_400.0, -1.0, 86_400.0]))
    def set_clock(self, seconds: float) -> None:
        """Set the clock of the machine. What is known about a source is what the last run has recorded."""
        self.clock += seconds

    # Runs.

    @rule()
    def run_all(self) -> None:
        self.run(None, force=False, verify=False)

    @rule(part=st.sampled_from(PARTS))
    def run_part(self, part: str) -> None:
        self.run(part, force=False, verify=False)

    @rule(part=part, force=st.booleans(), verify=st.booleans())
    def run(self, part: str | None, force: bool, verify: bool) -> None:
        """Run to the end. Where the journal was damaged, a run may refuse what it finds, and is repeated by force."""
        before = self._before_run(force=force, part=part)
        verify = verify or self.in_doubt
        try:
            report = self._execute(part=part, force=force, verify=verify)
        except UsageError as error:
            assert self.in_doubt, error
            assert error.code == "other-journal", error
            shutil.rmtree(self.out / ".tonearm")
            self.run(part, force=force, verify=verify)
            return
        except PipelineError as error:
            assert self.was_damaged, error
            assert {problem.code for problem in error.problems} == {"not-ours"}, error
            assert not force
            assert identities(self.out) == before, "a run that was refused changed something"
            self.run(part, force=True, verify=verify)
            return
        if self.was_damaged and report.codes["not-ours"]:
            assert not force
            self._after_disturbed_run(before)
            self.run(part, force=True, verify=verify)
            return
        assert report.failed == self.lab.count_failures(lambda name: is_selected(name, part)), report.failures
        self._after_run(part, force=force, verify=verify)
        if part is None:
            self.in_doubt = False

    @rule(part=part)
    def run_twice(self, part: str | None) -> None:
        """Run once more after a run: only sources that failed are left."""
        self.run(part, force=False, verify=False)
        before = identities(self.out)
        report = self._execute(part=part)
        failing = [name for name, found in self.lab.lines.items() if BAD in found and is_selected(name, part)]
        assert report.total == len(failing), f"{report.total} sources are left, and {failing} fail"
        assert identities(self.out) == before

    @rule(kind=st.sampled_from(["die", "tear", "ENOSPC", "EIO"]), moment=moment, part=part,
          force=st.booleans(), lasting=st.booleans(), name=source, content=lines)  # fmt: skip
    def run_with_fault(
        self,
        kind: str,
        moment: tuple[tuple[str, ...], int],
        part: str | None,
        force: bool,
        lasting: bool,
        name: str,
        content: tuple[str, ...],
    ) -> None:
        """Kill a run at one call that may change the disk, or let that call fail, or all that follow."""
        self.write_source(name, content)
        calls, when = moment
        fault = Fault(kind, when, lasting=lasting and kind == "ENOSPC")
        before = self._before_run(force=force, part=part)

        def install() -> None:
            for call in calls:
                setattr(os, call, fault._wrapped(call, getattr(os, call)))

        status = self._in_child(lambda: self._execute(part=part, force=force), install)
        assert status in (FINISHED, STOPPED, REFUSED, -9), f"exits with {status}"
        self._after_disturbed_run(before)

    @rule(when=st.integers(0, 4), jobs=st.sampled_from([0, 0, 2]), number=st.sampled_from([2, 9]))
    def run_with_signal(self, when: int, jobs: int, number: int) -> None:
        """Interrupt or kill a run, or one of its workers, while it reads a source."""

        def install() -> None:
            left = iter([False] * when + [True])
            LevelReader.after_reading = staticmethod(lambda name: next(left, False) and os.kill(os.getpid(), number))

        before = self._before_run()
        status = self._in_child(lambda: self._execute(jobs=jobs), install)
        # A worker that dies is replaced; each of the next dies, too, so that sources fail.
        assert status in (FINISHED, INTERRUPTED, -9, REFUSED), f"exits with {status}"
        self._after_disturbed_run(before, workers=bool(jobs))

    @rule(data=st.data(), content=lines)
    @precondition(lambda self: self.lab.lines and not self.in_doubt)
    def run_while_a_source_changes(self, data: Any, content: tuple[str, ...]) -> None:
        name = data.draw(st.sampled_from(sorted(self.lab.lines)))
        before = self._before_run()
        was_read = []

        def change(found: str) -> None:
            if found == str(self.lab.root / name):
                was_read.append(found)
                self._forget(lambda item: item[1] == name)
                self.lab.write(name, content)

        LevelReader.after_reading = staticmethod(change)
        try:
            report = self._execute()
        finally:
            LevelReader.after_reading = staticmethod(lambda name: None)
        assert not was_read or report.codes["source-changed"] == 1, report.codes
        self._after_disturbed_run(before)

    @rule()
    def run_beside_another(self) -> None:
        """While a run holds the folder, another one is refused."""
        self.out.mkdir(exist_ok=True)
        store = LocalStore(str(self.out))
        store.lock(None, create=True)
        before = identities(self.out)
        with contextlib.closing(store):
            try:
                self._execute(force=True)
            except LockedError:
                pass
            else:
                raise AssertionError("two runs at once")
        assert identities(self.out) == before

    @rule()
    @precondition(lambda self: self.journals())
    def merge_parts(self) -> None:
        """Merge the journals of parts. Nothing of what is known changes."""
        store = LocalStore(str(self.out))
        last = {
            name: records[-1].get("pipeline")
            for name in self.journals()
            if name != "journal.jsonl"
            and (records := [one for one in records_of(self.out / ".tonearm" / name) if one.get("record") == "run"])
        }
        try:
            before = self._status()
            report = merge(store)
        except UsageError as error:
            assert error.code == "different-pipelines" or self.in_doubt, error
            assert self.in_doubt or len(set(last.values())) > 1, "refused although the pipelines agree"
            return
        finally:
            store.close()
        assert self.in_doubt or len(set(last.values())) < 2, "parts of different pipelines were merged"
        assert not report.twice or self.was_damaged, f"done twice: {report.first_twice}"
        assert self._status() == before or self.in_doubt, "merging changes the status"
        assert self.journals() == ["journal.jsonl"] or self.in_doubt

    # Damage.

    @rule(data=st.data(), how=st.sampled_from(["remove", "truncate", "replace"]))
    @precondition(lambda self: self.done)
    def damage_output(self, data: Any, how: str) -> None:
        item = data.draw(st.sampled_from(sorted(self.done)))
        name = data.draw(st.sampled_from(sorted(self.done[item])))
        path = self.out / name
        content = path.read_bytes()
        if how == "remove":
            path.unlink()
        else:
            changed = content[:-1] if how == "truncate" else bytes(byte ^ 1 for byte in content)
            path.write_bytes(changed)
            self.allowed[name].add(changed)
        if how == "replace":
            self.damaged.add(name)
        del self.done[item]
        self.tentative.discard(item)

    @rule(data=st.data(), seed=st.integers(0, 2**32))
    @precondition(lambda self: self.journals())
    def damage_journal(self, data: Any, seed: int) -> None:
        """Damage a journal. Where outputs lie among the sources, only so that no record of a file is lost."""
        path = self.out / ".tonearm" / data.draw(st.sampled_from(self.journals()))
        damage = DAMAGES[data.draw(st.sampled_from(HARMLESS if self.is_inside else sorted(DAMAGES)))]
        path.write_bytes(damage(path.read_bytes(), random.Random(seed)))
        if damage not in [DAMAGES[name] for name in HARMLESS]:
            self.in_doubt = self.was_damaged = True
            self._forget(lambda item: True)

    @rule(data=st.data())
    @precondition(lambda self: not self.is_inside and not self.in_doubt)
    def put_a_file_in_the_way(self, data: Any) -> None:
        """Put a file where an output goes. A run refuses to replace it, and changes nothing."""
        names = {name for files in self.lab.items(self.setup).values() for name in main_files(files)}
        names -= self.allowed.keys()
        if not names:
            return
        path = self.out / data.draw(st.sampled_from(sorted(names)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
        before = identities(self.out)
        try:
            self._execute()
        except PipelineError as error:
            assert {problem.code for problem in error.problems} == {"not-ours"}, error
        except OutputError as error:
            raise AssertionError(error) from error
        else:
            # A template with {index} is known only when the source is read, so that the item fails.
            assert path.read_bytes() == b"mine", "a file that no run wrote was replaced"
        path.unlink()
        self._before_run()
        self._after_disturbed_run(before)

    # Rules that hold after every step.

    @invariant()
    def files_are_whole(self) -> None:
        """Every file that people see has a content that was asked for."""
        for name, content in published_files(self.out).items():
            assert content in self.allowed.get(name, ()), f"not whole: {name}"

    @invariant()
    def finished_work_stays(self) -> None:
        found = identities(self.out)
        for item, files in self.done.items():
            for name, state in files.items():
                assert found.get(name) == state, f"lost or done again: {name} of {item}"


def main() -> None:
    breakers = BREAKERS | MORE_BREAKERS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=20, help="number of sequences")
    parser.add_argument("--steps", type=int, default=25, help="number of steps of each")
    parser.add_argument("--seed", default="0", help="seed of the sequences")
    parser.add_argument("--breaker", choices=breakers, help="a rule to break on purpose")
    given = parser.parse_args()
    flush_timer.FLUSH_SECONDS = 0.0  # each source is a batch of its own
    if given.breaker:
        breakers[given.breaker]()
    phases = [Phase.generate] if given.breaker else [Phase.generate, Phase.shrink]
    chosen = settings(
        max_examples=given.examples,
        stateful_step_count=given.steps,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(with_seed(given.seed)(Runs), settings=chosen)
    print(f"{given.examples} sequences of up to {given.steps} steps")


if __name__ == "__main__":
    main()
