"""SIGINT, SIGTERM and SIGHUP: a run ends with a summary, leaves no temporaries, and the next run continues it."""

import fcntl
import shutil
import signal
import struct
import termios
import time
from pathlib import Path

import pytest
from cli_runs import (
    add_step,
    finish,
    hold_again,
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
    count_records,
    differences,
    identities,
    leftover_files,
    rewritten_files,
    unrecorded_files,
)

EARLY = "0 converted, 0 failed: stopped while the run was planned, with "

MESSAGES = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "the terminal is gone"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder with inputs, their outputs, and the environment of a step that holds each process's sixth signal."""
    folder = tmp_path_factory.mktemp("lab")
    write_inputs(folder, 20)
    expected = undisturbed_outputs(folder)
    return folder, expected, add_step(folder, "time.sleep(0.02)\nif Step.calls > 5:\n    hold()")


def has_signal(process, field, number):
    """Whether a set of signals in /proc contains one: ``SigCgt`` are those caught, ``ShdPnd`` those pending."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    signals = next(int(line.split()[1], 16) for line in lines if line.startswith(field))
    return bool(signals >> (number - 1) & 1)


def wait_until_it_listens(process):
    """Wait until a process is past the start of Python itself, during which tonearm cannot handle a signal."""
    wait_until(lambda: has_signal(process.pid, "SigCgt", signal.SIGTERM))


def violations(lab, number, arguments, wait, *, may_be_late=False):
    """Stop a run with a signal, which may come when all is done; return the rules that were broken."""
    folder, expected, env = lab
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    process = start(folder, *arguments, env=env)
    wait_until_it_listens(process)
    wait(out)
    process.send_signal(number)
    status, messages = finish(process)
    if may_be_late and f"{len(expected)} converted, 0 failed" in messages:
        return differences(out, expected) + leftover_files(out)
    lines = [] if status == 128 + number else [f"exits with {status}"]
    lines += corrupt_files(out, expected) + unrecorded_files(out) + leftover_files(out)
    lines += [] if messages.endswith(f"{MESSAGES[number]}\n") else [f"printed {messages!r}"]
    if "converted" in messages:
        summary = f"{len(identities(out))} converted, 0 failed"
        is_right = f"{summary}, " in messages or (messages.startswith(EARLY) and not identities(out))
        lines += [] if is_right else [f"printed {messages!r}"]
    before = identities(out)
    release(folder)
    status, messages = run(folder, "--quiet", env=env)
    lines += [] if status == 0 else [f"then exits with {status}: {messages}"]
    return lines + differences(out, expected) + leftover_files(out) + rewritten_files(before, identities(out))


WAYS = (["--jobs", 0], ["--jobs", 2], ["--executor", "in-process"])
IN_THE_MIDDLE = [
    pytest.param(number, way, marks=[] if number == signal.SIGTERM or way == WAYS[1] else pytest.mark.slow)
    for number in MESSAGES
    for way in WAYS
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("number", "arguments"), IN_THE_MIDDLE)
def test_in_the_middle(lab, number, arguments):
    hold_again(lab[0])

    def wait(out):
        wait_until(lambda: count_records(out, "out") and is_held(lab[0]))

    assert violations(lab, number, arguments, wait) == []


@pytest.mark.parametrize("jobs", [0, 2])
def test_at_random_moments(lab, jobs, repetitions, chance):
    release(lab[0])
    for _ in range(repetitions(15)):
        number = chance.choice([signal.SIGINT, signal.SIGTERM])
        moment = chance.uniform(0, 1)
        assert violations(lab, number, ["--jobs", jobs], lambda _, m=moment: time.sleep(m), may_be_late=True) == []


def test_a_worker_that_does_not_return_is_killed(tmp_path):
    """A worker in the middle of something long leaves nothing behind."""
    write_inputs(tmp_path, 4)
    env = add_step(tmp_path, "hold()")
    process = start(tmp_path, "--jobs", 2, env=env)
    wait_until(lambda: is_held(tmp_path))
    process.send_signal(signal.SIGTERM)
    status, messages = finish(process)
    assert status == 143
    assert messages.startswith("0 converted, 0 failed, 4 left in ")
    assert leftover_files(tmp_path / "out") == []


@pytest.mark.slow
def test_a_worker_that_blocks_signals_is_killed(tmp_path):
    write_inputs(tmp_path, 4)
    env = add_step(tmp_path, "signals.pthread_sigmask(signals.SIG_BLOCK, [signals.SIGTERM])\nhold()")
    process = start(tmp_path, "--jobs", 2, env=env)
    wait_until(lambda: is_held(tmp_path))
    process.send_signal(signal.SIGTERM)
    status, messages = finish(process)
    assert status == 143
    assert messages.startswith("0 converted, 0 failed, 4 left in ")
    assert leftover_files(tmp_path / "out") == []


def test_a_second_signal_ends_the_run_at_once(tmp_path):
    """The run does not wait for workers that have been told to stop, and prints no summary."""
    write_inputs(tmp_path, 4)
    env = add_step(tmp_path, "signals.pthread_sigmask(signals.SIG_BLOCK, [signals.SIGTERM])\nhold()")
    patience = "from tonearm.run.workers import local; local.STOP_TIMEOUT = 1e6"
    process = start(tmp_path, "--jobs", 2, env=env, changes=patience)
    wait_until(lambda: is_held(tmp_path))
    worker = next(tmp_path.glob("held.*")).suffix[1:]
    process.send_signal(signal.SIGINT)
    wait_until(lambda: has_signal(worker, "ShdPnd", signal.SIGTERM))
    process.send_signal(signal.SIGINT)
    assert finish(process) == (130, "\n")


def test_before_sources_are_listed(tmp_path):
    """Nothing has been touched yet."""
    write_inputs(tmp_path, 1)
    process = start(tmp_path, "--from", "-", stdin=-1)
    process.stdin.write("in/0000.npy\n")
    process.stdin.flush()
    wait_until(lambda: unread(process.stdin) == 0)
    process.send_signal(signal.SIGINT)
    assert finish(process) == (130, f"{EARLY}0 sources found\ninterrupted\n")
    assert not (tmp_path / "out").exists()


def unread(pipe):
    """Return the number of bytes in a pipe that nobody has read yet."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


def test_while_plugins_are_imported(tmp_path):
    write_inputs(tmp_path, 1)
    env = add_step(tmp_path, "pass")
    with (tmp_path / "site" / "tonearm_step.py").open("a") as plugin:
        plugin.write("hold()\n")
    process = start(tmp_path, env=env)
    wait_until(lambda: is_held(tmp_path))
    process.send_signal(signal.SIGINT)
    assert finish(process) == (130, f"{EARLY}0 sources found\ninterrupted\n")
    assert not (tmp_path / "out").exists()
