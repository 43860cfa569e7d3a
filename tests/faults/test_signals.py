"""SIGINT, SIGTERM and SIGHUP: a summary within five seconds, no temporaries, and the next run goes on."""

import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from cli_runs import count, material, run, slow, start, wait_for
from invariants import complete, known, not_redone, seen, temporaries, whole

SAID = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "the terminal is gone"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder with arrays, a step that takes 30 ms for each, and what becomes of them."""
    folder = tmp_path_factory.mktemp("lab")
    material(folder, 60)
    env = slow(folder, 0.03)
    return folder, reference_of(folder, env), env


def reference_of(folder, env):
    status, said = run(folder, "--quiet", out="reference", env=env)
    assert status == 0, said
    return {path.name: path.read_bytes() for path in (folder / "reference").glob("*.wav")}


def is_listening(process):
    """Say whether a process is past the start of Python itself, which no handler of ours can see."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def stop(lab, number, arguments, wait, *, may_be_late=False):
    """Stop a run with a signal, which may come when all is done; return what broke the rules."""
    folder, expected, env = lab
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    process = start(folder, *arguments, env=env)
    wait_for(lambda: is_listening(process))
    wait(out)
    process.send_signal(number)
    began = time.monotonic()
    _, said = process.communicate(timeout=30)
    took = time.monotonic() - began
    if may_be_late and f"{len(expected)} converted, 0 failed" in said:
        return complete(out, expected) + temporaries(out)
    lines = [] if process.returncode == 128 + number else [f"exits with {process.returncode}"]
    lines += [f"took {took:.1f} s"] if took > 5 else []
    lines += whole(out, expected) + known(out) + temporaries(out)
    lines += [] if said.endswith(f"{SAID[number]}\n") else [f"said {said!r}"]
    if "converted" in said:
        lines += [] if f"{len(seen(out))} converted, 0 failed, " in said else [f"said {said!r}"]
    before = seen(out)
    status, said = run(folder, "--quiet", env=env)
    lines += [] if status == 0 else [f"then exits with {status}: {said}"]
    return lines + complete(out, expected) + temporaries(out) + not_redone(before, seen(out))


@pytest.mark.parametrize("jobs", [0, 2])
@pytest.mark.parametrize("number", SAID)
def test_in_the_middle(lab, number, jobs):
    def wait(out):
        wait_for(lambda: count(out, "out") >= 5)

    assert stop(lab, number, ["--jobs", jobs], wait) == []


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [0, 2])
def test_at_any_moment(lab, jobs):
    chance = random.Random(jobs)
    for _ in range(15):
        number = chance.choice([signal.SIGINT, signal.SIGTERM])
        moment = chance.uniform(0, 1.5)
        assert stop(lab, number, ["--jobs", jobs], lambda _, moment=moment: time.sleep(moment), may_be_late=True) == []


def test_a_step_that_does_not_listen(tmp_path):
    """A worker in the middle of something long is killed, and what it was at is gone."""
    material(tmp_path, 4)
    env = slow(tmp_path, 60)
    process = start(tmp_path, "--jobs", 2, env=env)
    wait_for(lambda: count(tmp_path / "out", "run"))
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert (process.returncode, time.monotonic() - began < 5) == (143, True)
    assert said.startswith("0 converted, 0 failed, 4 left in ")
    assert temporaries(tmp_path / "out") == []


def test_a_second_one_ends_it_at_once(tmp_path):
    material(tmp_path, 4)
    env = slow(tmp_path, 60)
    plugin = tmp_path / "site" / "tonearm_slow.py"
    deaf = (
        "import os, signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]);"
        f"os.open({str(tmp_path / 'there')!r}, os.O_CREAT);"
        "time.sleep(60)"
    )
    plugin.write_text(plugin.read_text().replace("time.sleep(60)", deaf))
    process = start(tmp_path, "--jobs", 2, env=env)
    wait_for((tmp_path / "there").exists)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, "\n")
    assert time.monotonic() - began < 0.8


def test_before_there_is_anything_to_do(tmp_path):
    """While plugins are imported, or sources listed, nothing has been touched yet."""
    material(tmp_path, 1)
    process = start(tmp_path, "--from", "-", stdin=-1)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, "interrupted\n")
    assert not (tmp_path / "out").exists()
