"""Runs on a real cluster of Dask whose processes die: nothing is lost, and only what was in flight is done again."""

import json
import os
import signal
import time

import pytest
from cli_runs import PATIENCE, finish, is_held, release, run, wait_until, write_inputs
from dask_cluster import Cluster, Lab, summary
from invariants import (
    corrupt_files,
    journal_records,
    leftover_files,
    published_files,
    rewritten_files,
    unrecorded_files,
)

COUNT = 200


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory):
    """Sources that take two workers a second or two, and a scheduler."""
    lab = Lab(tmp_path_factory.mktemp("lab"), COUNT)
    yield lab
    lab.cluster.close()


@pytest.fixture
def lab(shared_lab):
    """The lab with no output folder and a living scheduler."""
    shared_lab.clear()
    if shared_lab.cluster.scheduler.poll() is not None:
        shared_lab.cluster.start_scheduler()
    return shared_lab


def settled(root):
    """Return what the journal of an undisturbed run says, but for order, times, and the number of jobs."""
    lines = []
    for record in journal_records(root):
        kept = {name: value for name, value in record.items() if name not in ("time", "jobs", "seconds")}
        if record["record"] != "sync":
            lines.append(json.dumps(kept, sort_keys=True))
    return sorted(lines)


def wait_for_a_moment(lab, chance):
    """Wait until work has begun and a random share of the sources is done, and then a little longer."""
    wait_until(lab.calls)
    lab.wait_for_outputs(chance.randrange(COUNT))
    time.sleep(chance.uniform(0, 0.05))


@pytest.mark.slow
def test_2000_files_become_what_local_processes_make_of_them(tmp_path):
    write_inputs(tmp_path, 2000, 2000)
    cluster = Cluster(tmp_path, dict(os.environ))
    try:
        cluster.keep_workers(a=False, b=False)
        assert run(tmp_path, "--quiet", "--jobs", 2, out="local") == (0, "")
        assert run(tmp_path, "--quiet", *cluster.arguments(), out="dask") == (0, "")
        assert cluster.leftovers() == []
        wait_until(lambda: not cluster.topics())
    finally:
        cluster.close()
    assert len(published_files(tmp_path / "local")) == 2000
    assert published_files(tmp_path / "dask") == published_files(tmp_path / "local")
    assert settled(tmp_path / "dask") == settled(tmp_path / "local")
    assert leftover_files(tmp_path / "dask") == []


def test_workers_killed_at_random_moments(lab, repetitions, chance):
    """Only chunks that the dead worker had begun are worked at again, and nothing that was published."""
    lines, at_work = [], 0
    for _ in range(repetitions(50)):
        lab.clear()
        pids = lab.cluster.keep_workers(a=False, b=True)
        process = lab.start("--quiet")
        wait_for_a_moment(lab, chance)
        name = chance.choice("ab")
        at_work += len(lab.published()) < COUNT
        os.kill(pids[name], signal.SIGKILL)
        lab.cluster.wait_until_dead(pids[name])
        before = lab.published()
        status, messages = finish(process)
        lines += [] if (status, messages) == (0, "") else [f"exits with {status}: {messages}"]
        lines += lab.violations() + rewritten_files(before, lab.published()) + lab.redone({pids[name]})
    assert lines == []
    assert at_work


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_scheduler_and_workers_are_restarted(lab, number):
    """The run waits for a scheduler at the same address, and goes on with what was in flight."""
    pids = lab.cluster.keep_workers(a=False, b=False)
    process = lab.start()
    lab.wait_for_outputs(20)
    lab.cluster.kill("scheduler", number)
    for name in "ab":
        lab.cluster.kill(name)
    before = lab.published()
    lab.cluster.start_scheduler()
    lab.cluster.keep_workers(a=False, b=False)
    status, messages = finish(process)
    assert (status, summary(messages)) == (0, f"{COUNT} converted, 0 failed"), messages
    assert f"the scheduler {lab.cluster.address} is lost; waiting " in messages
    assert lab.violations() + rewritten_files(before, lab.published()) + lab.redone(set(pids.values())) == []


@pytest.mark.slow
def test_only_the_scheduler_is_restarted(lab):
    """Its workers end, or join the new one; whatever they do, nothing is lost."""
    pids = lab.cluster.keep_workers(a=False, b=True)
    process = lab.start()
    lab.wait_for_outputs(20)
    lab.cluster.kill("scheduler")
    before = lab.published()
    lab.cluster.start_scheduler()
    lab.cluster.keep_workers(a=False, b=True)
    status, messages = finish(process)
    assert (status, summary(messages)) == (0, f"{COUNT} converted, 0 failed"), messages
    assert lab.violations() + rewritten_files(before, lab.published()) + lab.redone(set(pids.values())) == []


@pytest.mark.slow
def test_a_scheduler_that_never_comes_back_ends_the_run(lab):
    """What was finished stays, and the next run does the rest."""
    lab.cluster.keep_workers(a=False, b=False)
    process = lab.start(changes="from tonearm_plugins.executors import dask_executor as d; d.RECONNECT_SECONDS = 2.0")
    lab.wait_for_outputs(20)
    for name in ("scheduler", "a", "b"):
        lab.cluster.kill(name)
    status, messages = finish(process)
    assert status == 4, messages
    assert f"the scheduler {lab.cluster.address} is lost; waiting " in messages
    assert corrupt_files(lab.out, lab.expected) + unrecorded_files(lab.out) + leftover_files(lab.out) == []
    before = lab.published()
    assert len(before) >= 20
    lab.cluster.start_scheduler()
    lab.cluster.keep_workers(a=False, b=False)
    assert lab.run("--quiet") == (0, "")
    assert lab.violations() + rewritten_files(before, lab.published()) == []


def test_the_driver_is_killed_and_run_again(lab, repetitions, chance):
    """The workers live on, and what they still finish for the dead run leaves nothing behind."""
    lines, killed = [], 0
    for _ in range(repetitions(20)):
        lab.clear()
        pids = lab.cluster.keep_workers(a=False, b=True)
        process = lab.start("--quiet")
        wait_for_a_moment(lab, chance)
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        before = lab.published()
        lines += corrupt_files(lab.out, lab.expected) + unrecorded_files(lab.out)
        status, messages = lab.run("--quiet")
        lines += [] if (status, messages) == (0, "") else [f"exits with {status}: {messages}"]
        lines += lab.violations() + rewritten_files(before, lab.published()) + lab.redone(set(pids.values()))
    assert lines == []
    assert killed


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_with_work_in_flight(lab, number):
    """What is finished is published, and the next run does the rest."""
    lab.cluster.keep_workers(a=False, b=True)
    process = lab.start()
    lab.wait_for_outputs(20)
    process.send_signal(number)
    began = time.monotonic()
    status, messages = finish(process)
    print(f"{time.monotonic() - began:.1f} s after the signal")  # the promise is 5 s
    assert status == 128 + number, messages
    before = lab.published()
    assert summary(messages) == f"{len(before)} converted, 0 failed", messages
    assert corrupt_files(lab.out, lab.expected) + unrecorded_files(lab.out) + leftover_files(lab.out) == []
    done = {name.removesuffix(".wav") for name in before}
    assert {stem for stem, _ in lab.calls()} == done  # what was begun was finished and published
    assert lab.run("--quiet") == (0, "")
    assert lab.violations() + rewritten_files(before, lab.published()) == []


@pytest.mark.slow
def test_a_signal_while_a_source_hangs(lab):
    """The run does not wait for the worker, whose nanny restarts it, and leaves its temporaries to the next run."""
    lab.cluster.keep_workers(a=True, b=True)
    (lab.deeds / "0100").write_text("hold()")
    process = lab.start()
    wait_until(lambda: is_held(lab.folder))
    process.send_signal(signal.SIGINT)
    status, messages = finish(process)
    assert status == 130, messages
    assert corrupt_files(lab.out, lab.expected) + unrecorded_files(lab.out) == []
    (lab.deeds / "0100").unlink()
    lab.cluster.wait_until_dead(int(next(lab.folder.glob("held.*")).suffix[1:]))
    before = lab.published()
    assert lab.run("--quiet") == (0, "")
    assert lab.violations() + rewritten_files(before, lab.published()) == []


@pytest.mark.slow
def test_a_signal_while_a_source_hangs_in_a_worker_that_others_use(lab):
    """The worker is not restarted, because that would end the work of others."""

    def wait_and_tell(path):
        while not os.path.exists(path):
            time.sleep(0.01)
        return os.getpid()

    lab.cluster.keep_workers()
    lab.cluster.start_worker("a", "--nthreads", "2", nanny=True)
    lab.cluster.wait_for_workers("a")
    (lab.deeds / "0100").write_text("hold()")
    with lab.cluster.client() as client:
        theirs = client.submit(wait_and_tell, str(lab.folder / "released"), pure=False)
        process = lab.start()
        wait_until(lambda: is_held(lab.folder))
        process.send_signal(signal.SIGINT)
        status, messages = finish(process)
        assert status == 130, messages
        release(lab.folder)
        pid = int(next(lab.folder.glob("held.*")).suffix[1:])
        assert theirs.result(PATIENCE) == pid
        assert list(client.run(os.getpid).values()) == [pid]
    before = lab.published()
    assert lab.run("--quiet") == (0, "")
    assert lab.violations() + rewritten_files(before, lab.published()) == []


@pytest.mark.slow
def test_workers_that_are_retired_or_closed_have_not_died(lab):
    """Whoever takes workers away, again and again, makes no source fail."""
    lab.cluster.keep_workers(a=False, b=False)
    deed = lab.deeds / "0100"
    deed.write_text("time.sleep(600)")
    process = lab.start()
    for turn in range(3):
        wait_until(lambda turn=turn: sum(stem == "0100" for stem, _ in lab.calls()) > turn)
        name = lab.worker_of("0100")
        if turn == 2:
            deed.unlink()
            lab.cluster.workers[name].send_signal(signal.SIGTERM)
        else:
            with lab.cluster.client() as client:
                client.retire_workers(names=[name], close_workers=True)
        lab.cluster.wait_for_workers(*"ab".replace(name, ""))
        lab.cluster.kill(name)  # it would wait for what goes on in it
        lab.cluster.keep_workers(a=False, b=False)
    status, messages = finish(process)
    assert (status, summary(messages)) == (0, f"{COUNT} converted, 0 failed"), messages
    assert lab.violations() == []
