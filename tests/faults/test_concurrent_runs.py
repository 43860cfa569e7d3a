"""Several runs into one folder at the same time: one of them holds it, or each does its part."""

import shutil

from cli_runs import add_step, finish, is_held, release, run, start, undisturbed_outputs, wait_until, write_inputs
from invariants import differences, identities, leftover_files, rewritten_files


def test_a_second_run_exits_with_11_and_disturbs_nothing(tmp_path):
    write_inputs(tmp_path, 3)
    env = add_step(tmp_path, "hold()")
    first = start(tmp_path, "--jobs", 1, env=env)
    wait_until(lambda: is_held(tmp_path))
    for arguments in ((), ("--dry-run",), ("--part", "1/2"), ("--force",)):
        status, messages = run(tmp_path, *arguments, env=env)
        assert (status, messages.splitlines()[0]) == (11, "locked: another run holds out")
    assert first.poll() is None
    release(tmp_path)
    status, messages = finish(first)
    assert status == 0, messages


def test_runs_that_start_at_the_same_moment(tmp_path, repetitions):
    write_inputs(tmp_path, 20)
    expected = undisturbed_outputs(tmp_path)
    out = tmp_path / "out"
    for _ in range(repetitions(10)):
        statuses = {finish(process)[0] for process in [start(tmp_path, "--jobs", 1) for _ in range(3)]}
        assert statuses <= {0, 11}
        assert 0 in statuses
        assert differences(out, expected) + leftover_files(out) == []
        shutil.rmtree(out)


def test_parts_of_one_run_at_the_same_time(tmp_path):
    write_inputs(tmp_path, 60)
    expected = undisturbed_outputs(tmp_path)
    out = tmp_path / "out"
    parts = [start(tmp_path, "--jobs", 1, "--part", f"{part}/3") for part in (1, 2, 3)]
    assert [finish(process)[0] for process in parts] == [0, 0, 0]
    assert differences(out, expected) + leftover_files(out) == []
    before = identities(out)
    status, messages = run(tmp_path)  # a run over all sources knows what the parts did
    assert (status, "60 done before" in messages) == (0, True)
    assert rewritten_files(before, identities(out)) == []
