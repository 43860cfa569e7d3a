"""Parts of one run in one folder: they are killed and run again, and together they do what one run does."""

import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from cli_runs import (
    PATIENCE,
    TONEARM,
    add_step,
    finish,
    is_held,
    release,
    run,
    start,
    undisturbed_outputs,
    wait_until,
    write_inputs,
)
from invariants import (
    corrupt_files,
    differences,
    identities,
    journal_records,
    last_records,
    leftover_files,
    rewritten_files,
    unrecorded_files,
)
from machines import Machine, cluster, has_containers
from written_journals import Source, write_run

from tonearm.run.merge import merge
from tonearm.run.part import Part
from tonearm.run.store.local_store import LocalStore

PARTS = 4


def part_of(number):
    """Return the environment of a task of a Slurm array; the indexes start at 1."""
    return {"SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": str(PARTS)}


def tonearm(folder, command, *arguments):
    """Run a command over the output folder; return its exit status and its JSON."""
    line = [TONEARM, command, "out", "--json", *arguments]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [0, 2])
def test_four_parts_of_which_one_is_killed_do_what_one_run_does(tmp_path, jobs):
    write_inputs(tmp_path, 24)
    step = "if os.environ.get('HOLD') and Step.calls > 2:\n    hold()"
    env = add_step(tmp_path, step)
    expected = undisturbed_outputs(tmp_path, env=env)
    out = tmp_path / "out"
    arguments = ("--part", "slurm", "--quiet", "--jobs", jobs)

    def start_part(number, **more):
        return start(tmp_path, *arguments, env={**env, **part_of(number), **more})

    victim = start_part(3, HOLD="1")
    wait_until(lambda: is_held(tmp_path))
    others = [start_part(number) for number in (1, 4)]
    assert [finish(process)[0] for process in others] == [0, 0]
    status = tonearm(tmp_path, "status")[1]
    assert {tuple(one["part"]): one["state"] for one in status["last"]} == {
        (1, 4): "finished", (3, 4): "running", (4, 4): "finished",
    }  # fmt: skip
    assert run(tmp_path, *arguments, env={**env, **part_of(3)})[0] == 11
    victim.send_signal(signal.SIGKILL)
    victim.communicate(timeout=PATIENCE)
    release(tmp_path)
    (shared,) = tonearm(tmp_path, "status")[1]["shared"]
    assert [(one["part"], one["state"]) for one in shared["unfinished"]] == [(3, "killed")]
    assert shared["missing"] == [2]
    assert corrupt_files(out, expected) + unrecorded_files(out) == []

    before = identities(out)
    assert [run(tmp_path, *arguments, env={**env, **part_of(number)})[0] for number in (3, 2)] == [0, 0]
    assert differences(out, expected) + rewritten_files(before, identities(out)) == []
    figures = tonearm(tmp_path, "status")[1]
    assert (figures["items"], figures["shared"][0]["missing"], figures["shared"][0]["unfinished"]) == (24, [], [])

    code, merged = tonearm(tmp_path, "merge")
    assert (code, merged["merged"], merged["complete"], merged["items"]) == (0, PARTS, True, 24)
    assert sorted(path.name for path in (out / ".tonearm").iterdir() if path.is_file()) == ["journal.jsonl", "lock"]
    assert differences(out, expected) + leftover_files(out) == []
    assert last_records(out) == last_records(tmp_path / "undisturbed")
    after = tonearm(tmp_path, "status")[1]
    for name in ("items", "files", "size", "sound", "sources", "failed", "measured", "shared"):
        assert after[name] == figures[name]
    code, messages = run(tmp_path, "--jobs", "0", env=env)
    assert (code, messages.split(" in ")[0]) == (0, "0 converted, 0 failed, 24 done before")


def merge_and_die(out, nth):
    """Merge in a process that kills itself at the nth call that changes something; return whether it got so far."""
    child = os.fork()
    if not child:
        try:
            left = [nth]

            def lethal(real):
                def call(*arguments, **more):
                    left[0] -= 1
                    if not left[0]:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return real(*arguments, **more)

                return call

            for name in ("replace", "unlink", "fsync"):
                setattr(os, name, lethal(getattr(os, name)))
            merge(LocalStore(str(out)))
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


@pytest.mark.slow
def test_a_merge_that_is_killed_at_any_moment_loses_and_doubles_nothing(tmp_path):
    parts, out = tmp_path / "parts", tmp_path / "out"
    for number in range(1, PARTS + 1):
        names = [f"{number}{letter}" for letter in "abc"]
        write_run(parts, *map(Source, names), part=(number, PARTS), stop=None if number == 2 else "")
    (parts / ".tonearm-0123456789abcdef.part").write_text("half a file")
    expected, count = last_records(parts), len(journal_records(parts))
    moments = 0
    while True:
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(parts, out)
        was_killed = merge_and_die(out, moments + 1)
        assert last_records(out) == expected
        store = LocalStore(str(out))
        report = merge(store)
        store.close()
        assert (report.status.items, report.twice, len(report.status.last)) == (12, 0, PARTS)
        assert last_records(out) == expected
        assert len(journal_records(out)) == count
        assert leftover_files(out) == []
        if not was_killed:
            break
        moments += 1
    assert moments > 2 * PARTS


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder with inputs, the environment of its runs, and the outputs and the records of one run."""
    folder = tmp_path_factory.mktemp("lab")
    write_inputs(folder, 200)
    env = add_step(folder, "time.sleep(0.005)")
    return folder, env, undisturbed_outputs(folder, env=env), last_records(folder / "undisturbed")


class Task(threading.Thread):
    """A task of a job array: its scheduler starts it on one machine after the other.

    Parameters
    ----------
    number
        Number of the part.
    folder, env
        Folder that the machines share, and the environment of runs in it.
    machines
        Machines, of which each start takes one at random.
    arguments
        Arguments of the run.
    kills
        Number of starts that are killed, unless they end before.
    goes_on
        Whether the task is started again after the last of these.
    chance
        Random generator.

    Attributes
    ----------
    killed
        Number of starts that were killed before they had finished.
    messages
        Messages of starts that failed.
    """

    def __init__(self, number, folder, env, machines, arguments, *, kills, goes_on, chance):
        super().__init__()
        self.number, self.folder, self.env = number, folder, {**env, **part_of(number)}
        self.machines, self.arguments = machines, arguments
        self.kills, self.goes_on, self.chance = kills, goes_on, chance
        self.killed = 0
        self.messages = []

    def run(self):
        """Start the task again and again; where somebody merges, it exits with 11 at first."""
        status = None
        while status in (None, 11) and (self.goes_on or self.killed < self.kills):
            process = self.chance.choice(self.machines).start(
                self.folder, "--part", "slurm", "--quiet", *self.arguments,
                env=self.env, in_container=self.chance.random() < 0.5,
            )  # fmt: skip
            if self.killed < self.kills:
                self._wait_for_a_moment(process)
                process.send_signal(signal.SIGKILL)
            status, messages = finish(process)
            if status == -signal.SIGKILL:
                self.killed += 1
                status = None
            elif status not in (0, 11):
                self.messages.append(f"part {self.number} exits with {status}: {messages}")

    def _wait_for_a_moment(self, process):
        """Wait until the part has published a random share of what is left of its files, and then a little longer."""
        part = Part(self.number, PARTS)
        names = [path.name for path in (self.folder / "in").iterdir() if part.contains(f"./{path.name}")]
        outputs = [self.folder / "out" / name.replace(".npy", ".wav") for name in names]
        left = [output for output in outputs if not output.exists()]
        enough = self.chance.randint(0, len(left))
        while process.poll() is None and sum(map(os.path.exists, left)) < enough:
            time.sleep(0.002)
        time.sleep(self.chance.uniform(0, 0.02 if enough else 1))


def shift(lab, arguments, machines, chance, **more):
    """Let four tasks run and be killed; return how many were killed, and the rules that they broke."""
    folder, env, expected, _records = lab
    out = folder / "out"
    tasks = [
        Task(number, folder, env, machines, arguments, **more, chance=random.Random(chance.random()))
        for number in range(1, PARTS + 1)
    ]
    before = identities(out)
    for task in tasks:
        task.start()
    lines = []
    while any(task.is_alive() for task in tasks):
        now = identities(out)
        lines += corrupt_files(out, expected) + rewritten_files(before, now)
        before = now
        time.sleep(0.05)
    lines += [line for task in tasks for line in task.messages]
    lines += corrupt_files(out, expected) + unrecorded_files(out) + rewritten_files(before, identities(out))
    return sum(task.killed for task in tasks), lines


def violations(lab, arguments, merges_early, chance):
    """Let parts run on machines and be killed, merge, and compare; return how many were killed, and broken rules."""
    folder, env, expected, records = lab
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    machines = cluster(PARTS, chance)
    killed, lines = shift(lab, arguments, machines, chance, kills=1, goes_on=False)
    before = identities(out)
    if merges_early and killed:
        status, merged = tonearm(folder, "merge")
        if (status, merged["complete"]) != (3, False):
            lines.append(f"merged early, it exits with {status}: {merged}")
    more, found = shift(lab, arguments, machines, chance, kills=2, goes_on=True)
    lines += found + differences(out, expected) + leftover_files(out)
    status, merged = tonearm(folder, "merge")
    if (status, merged["complete"], merged["items"], merged["twice"]) != (0, True, len(expected), 0):
        lines.append(f"merge exits with {status}: {merged}")
    lines += [] if last_records(out) == records else ["the journal differs from that of one run"]
    status, messages = run(folder, "--jobs", "0", env=env)
    if (status, messages.split(" in ")[0]) != (0, f"0 converted, 0 failed, {len(expected)} done before"):
        lines.append(f"a run over all of it exits with {status}: {messages}")
    return killed + more, lines + rewritten_files(before, identities(out))


@pytest.mark.parametrize("jobs", [0, 2])
def test_parts_on_machines_that_are_killed_at_random_do_what_one_run_does(lab, jobs, repetitions, chance):
    killed = 0
    for number in range(repetitions(20)):
        more, lines = violations(lab, ("--jobs", jobs), number % 2 == 0, chance)
        assert lines == []
        killed += more
    assert killed


@pytest.mark.slow
@pytest.mark.skipif(not has_containers(), reason="this system numbers no processes anew")
@pytest.mark.parametrize("jobs", [0, 2])
def test_the_first_process_of_a_container_ends_in_good_order(tmp_path, jobs):
    """The kernel ignores a signal to such a process, and one that it sends to itself, if it has no handler."""
    write_inputs(tmp_path, 10)
    env = add_step(tmp_path, "if Step.calls > 2:\n    hold()")
    process = Machine("node1", 0.0).start(tmp_path, "--jobs", jobs, env=env, in_container=True)
    wait_until(lambda: is_held(tmp_path))
    (first,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(first), signal.SIGTERM)
    status, messages = finish(process)
    assert (status, messages.splitlines()[-1]) == (143, "terminated")
    assert leftover_files(tmp_path / "out") == []
