"""Parts of one run in one folder: one is killed and runs again, and together they do what one run does."""

import json
import os
import shutil
import signal
import subprocess

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
    leftover_files,
    rewritten_files,
    unrecorded_files,
)
from written_journals import Source, write_run

from tonearm.run.merge import merge
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


def last_records(root):
    """Return what the journals say of each source in the end, but for times."""
    ends, outs = {}, {}
    for record in journal_records(root):
        if record["record"] == "end":
            ends[record["source"]] = (record["state"], record["hash"], record["outputs"], record["failed"])
        elif record["record"] == "out":
            for item in record["items"]:
                outs[record["source"], item["key"], item["index"]] = item
    return ends, outs


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
