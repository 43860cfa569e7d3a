"""kill -9 at random moments: no file and no measurement is corrupt or lost, and no file is written twice."""

import shutil
import signal
import time

import pytest
from cli_runs import run, start, undisturbed_outputs, write_inputs
from invariants import (
    corrupt_files,
    differences,
    identities,
    last_records,
    leftover_files,
    rewritten_files,
    unrecorded_files,
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder with inputs, their outputs, and the seconds that a run takes."""
    folder = tmp_path_factory.mktemp("lab")
    write_inputs(folder, 300)
    began = time.monotonic()
    expected = undisturbed_outputs(folder)
    return folder, expected, time.monotonic() - began


def violations(lab, arguments, kills, chance):
    """Kill runs at random moments, each of which continues the one before; return the rules that they broke."""
    folder, expected, longest = lab
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    lines, killed, before = [], 0, {}
    while killed < kills:
        began = time.monotonic()
        process = start(folder, "--quiet", *arguments)
        time.sleep(chance.uniform(0.0, longest))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        lines += corrupt_files(out, expected) + unrecorded_files(out) + rewritten_files(before, identities(out))
        before = identities(out)
        if process.returncode == 0:
            longest = min(longest, time.monotonic() - began)
            lines += differences(out, expected) + leftover_files(out)
            shutil.rmtree(out)
            before = {}
        else:
            killed += 1
    status, messages = run(folder, "--quiet", *arguments)
    lines += [] if status == 0 else [f"exits with {status}: {messages}"]
    if last_records(out) != last_records(folder / "undisturbed"):
        lines.append("the journal differs from that of a run that nobody disturbs")
    return lines + differences(out, expected) + leftover_files(out) + rewritten_files(before, identities(out))


@pytest.mark.slow
def test_five_kills(lab, chance):
    assert violations(lab, ["--jobs", "2"], 5, chance) == []


@pytest.mark.parametrize("fsync", ["file", "none"])
@pytest.mark.parametrize("jobs", [0, 1, 2])
def test_many_kills(lab, jobs, fsync, repetitions, chance):
    assert violations(lab, ["--jobs", jobs, "--fsync", fsync], repetitions(25), chance) == []
