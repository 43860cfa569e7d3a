"""kill -9 at random moments: no file is corrupt, none is lost, none is done again."""

import random
import shutil
import signal
import time

import pytest
from cli_runs import material, reference, run, start
from invariants import complete, known, not_redone, seen, temporaries, whole


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder with arrays, and what becomes of them."""
    folder = tmp_path_factory.mktemp("lab")
    material(folder, 300)
    return folder, reference(folder)


def kill(lab, arguments, kills, seed):
    """Kill runs at random moments, each going on where the last one was; return what broke the rules."""
    folder, expected = lab
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    chance = random.Random(seed)
    lines, took, killed, before = [], 2.0, 0, {}
    while killed < kills:
        began = time.monotonic()
        process = start(folder, "--quiet", *arguments)
        time.sleep(chance.uniform(0.0, took))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        lines += whole(out, expected) + known(out) + not_redone(before, seen(out))
        before = seen(out)
        if process.returncode == 0:
            took = min(took, time.monotonic() - began)
            lines += complete(out, expected) + temporaries(out)
            shutil.rmtree(out)
            before = {}
        else:
            killed += 1
    status, said = run(folder, "--quiet", *arguments)
    lines += [] if status == 0 else [f"exits with {status}: {said}"]
    return lines + complete(out, expected) + temporaries(out) + not_redone(before, seen(out))


def test_now_and_then(lab):
    assert kill(lab, ["--jobs", "2"], kills=5, seed=1) == []


@pytest.mark.slow
@pytest.mark.parametrize("fsync", ["file", "none"])
@pytest.mark.parametrize("jobs", [0, 1, 2])
def test_at_many_moments(lab, jobs, fsync):
    assert kill(lab, ["--jobs", jobs, "--fsync", fsync], kills=25, seed=jobs) == []
