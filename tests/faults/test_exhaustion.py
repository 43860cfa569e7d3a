"""Descriptors, memory, processes, threads, inodes, places for temporaries and time that run out, and clocks that jump.

Whatever runs out, the run ends with a verdict, no file is wrong, and a rerun with enough of it completes.
"""

import fcntl
import os
import resource
import signal
import subprocess
import time

import cli_runs
import numpy as np
import pytest
from cli_runs import add_step, finish, is_held, release, run, start, undisturbed_outputs, wait_until, write_inputs
from invariants import (
    corrupt_files,
    count_records,
    differences,
    identities,
    journal_records,
    leftover_files,
    rewritten_files,
    unrecorded_files,
)

COUNT = 12


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder with inputs, and their outputs."""
    folder = tmp_path_factory.mktemp("lab")
    write_inputs(folder, COUNT)
    return folder, undisturbed_outputs(folder)


@pytest.fixture
def mount(tmp_path):
    """A function that mounts a small disk; only root may have one."""
    places = []

    def mounted(options):
        place = tmp_path / f"disk{len(places)}"
        place.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(place)], capture_output=True).returncode:
            pytest.skip("no disk may be mounted here")
        places.append(place)
        return place

    yield mounted
    for place in places:
        subprocess.run(["umount", str(place)], check=True)


def limited(kind, *values):
    """Return a function that limits a process, to be called in it."""
    return lambda: resource.setrlimit(kind, values)


def violations(lab, out, statuses, *arguments, **limits):
    """Run with too little of something, and then with enough; return the rules that were broken."""
    folder, expected = lab
    status, messages = run(folder, *arguments, out=str(out), **limits)
    lines = [] if status in statuses else [f"exits with {status}: {messages}"]
    lines += [f"printed {messages}"] if "Traceback" in messages or "bug:" in messages else []
    lines += corrupt_files(out, expected) + unrecorded_files(out) + leftover_files(out)
    before = identities(out)
    lines += ["all is converted"] if status and len(before) == len(expected) else []
    status, messages = run(folder, *arguments, out=str(out))
    lines += [] if status == 0 else [f"then exits with {status}: {messages}"]
    return lines + differences(out, expected) + leftover_files(out) + rewritten_files(before, identities(out))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("jobs", [0, 2])
@pytest.mark.parametrize("most", [8, 14, 20])
def test_descriptors_of_the_run(lab, tmp_path, jobs, most):
    limit = limited(resource.RLIMIT_NOFILE, most, most)
    assert violations(lab, tmp_path / "out", (0, 3, 4), "--jobs", jobs, preexec_fn=limit) == []


@pytest.mark.parametrize("jobs", [0, 2])
def test_memory_of_the_run(lab, tmp_path, jobs):
    """Address space for Python, and little more."""
    limit = limited(resource.RLIMIT_AS, 160 << 20, 160 << 20)
    assert violations(lab, tmp_path / "out", (0, 3, 4), "--jobs", jobs, preexec_fn=limit) == []


USES = {
    "descriptors": "kept = []\nwhile True: kept.append(open(os.devnull))",
    "leaked descriptors": "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
    "Step.kept = []\ntry:\n    while True: Step.kept.append(os.dup(2))\nexcept OSError: pass",
    "memory": "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\nbytearray(2 << 30)",
    "processor time": "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass",
    "pipes": "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\nkept = []\n"
    "while True: kept.append(os.pipe())",
    "size of files": "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))",
    "stack": "def deep(): deep()\ndeep()",
}
"""What a step uses up, or takes from its process, for the second source alone."""


@pytest.mark.parametrize("jobs", [0, 2])
@pytest.mark.parametrize(
    "kind", [kind if kind == "leaked descriptors" else pytest.param(kind, marks=pytest.mark.slow) for kind in USES]
)
def test_what_a_plugin_uses_up(tmp_path, jobs, kind):
    """Its item fails, and nothing else."""
    write_inputs(tmp_path, 4)
    np.save(tmp_path / "in" / "0001.npy", np.zeros(8000, np.float32))
    body = USES[kind].replace("\n", "\n    ")
    env = add_step(tmp_path, f"if not signal.samples.any() and 'ENOUGH' not in os.environ:\n    {body}")
    status, messages = run(tmp_path, "--jobs", jobs, "--timeout", 20, env=env)
    out = tmp_path / "out"
    assert status == 3, messages
    assert "Traceback" not in messages
    assert sorted(identities(out)) == ["0000.wav", "0002.wav", "0003.wav"], messages
    assert leftover_files(out) + unrecorded_files(out) == []
    before = identities(out)
    status, messages = run(tmp_path, "--jobs", jobs, env={**env, "ENOUGH": "1"})
    assert (status, len(identities(out))) == (0, 4), messages
    assert rewritten_files(before, identities(out)) == []


USER = 61_234
"""A user without a name, whose processes nobody else starts."""


@pytest.mark.one_in(3)
@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("jobs", [0, 2])
def test_processes_of_a_user(lab, tmp_path, monkeypatch, jobs, most):
    """The kernel counts the processes of a user, but not those of root."""
    user = f"setpriv --reuid={USER} --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override"
    if os.geteuid() or subprocess.run([*user.split(), cli_runs.TONEARM, "--version"], capture_output=True).returncode:
        pytest.skip("no other user can run here")
    program = tmp_path / "tonearm"
    program.write_text(f'#!/bin/sh\nexec {user} {cli_runs.TONEARM} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(cli_runs, "TONEARM", str(program))
    limit = limited(resource.RLIMIT_NPROC, most, most)
    # OpenBLAS sends its own process SIGINT if it gets no threads, after a message.
    assert violations(lab, tmp_path / "out", (0, 3, 4, 130), "--jobs", jobs, preexec_fn=limit) == []


@pytest.mark.one_in(3)
@pytest.mark.parametrize("jobs", [0, 2])
@pytest.mark.parametrize("inodes", [3, 12])
def test_inodes(lab, mount, jobs, inodes):
    folder, expected = lab
    disk = mount(f"nr_inodes={inodes},size=8m")
    out = disk / "out"
    status, messages = run(folder, "--jobs", jobs, out=str(out))
    assert status == 4, messages
    assert "no space left on device\n" in messages
    if out.exists():
        assert corrupt_files(out, expected) + unrecorded_files(out) + leftover_files(out) == []
    before = identities(out)
    subprocess.run(["mount", "-o", "remount,nr_inodes=1000", str(disk)], check=True)
    status, messages = run(folder, "--jobs", jobs, out=str(out))
    assert status == 0, messages
    assert differences(out, expected) + leftover_files(out) + rewritten_files(before, identities(out)) == []


@pytest.mark.parametrize("jobs", [0, 2])
def test_no_place_for_temporaries(lab, tmp_path, jobs):
    environ = {**os.environ, "TMPDIR": str(tmp_path / "missing")}
    assert violations(lab, tmp_path / "out", (0,), "--jobs", jobs, env=environ) == []


@pytest.mark.parametrize("jobs", [0, 2])
def test_a_full_place_for_temporaries(lab, tmp_path, mount, jobs):
    disk = mount("size=4k")
    (disk / "full").write_bytes(bytes(4096))
    environ = {**os.environ, "TMPDIR": str(disk)}
    assert violations(lab, tmp_path / "out", (0,), "--jobs", jobs, env=environ) == []


def test_a_pipe_that_nobody_reads_for_a_while(lab, tmp_path):
    """The run waits for its reader, and loses no line."""
    folder, expected = lab
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    process = start(folder, "--jobs", 2, "--json", out=str(tmp_path / "out"), stdout=writing)
    os.close(writing)
    wait_until(lambda: count_records(tmp_path / "out", "out") > 2)
    with open(reading) as lines:
        assert len(lines.readlines()) == COUNT
    assert finish(process)[0] == 0
    assert differences(tmp_path / "out", expected) == []


def stopped(process_ids):
    """Stop processes and let them go on."""
    for process_id in process_ids:
        os.kill(process_id, signal.SIGSTOP)
    time.sleep(0.3)
    for process_id in process_ids:
        os.kill(process_id, signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [0, 2])
@pytest.mark.parametrize("who", ["run", "workers", "all"])
def test_stopped_processes(tmp_path, jobs, who):
    """A run that is stopped and continued loses nothing, and does nothing twice."""
    write_inputs(tmp_path, COUNT)
    expected = undisturbed_outputs(tmp_path)
    env = add_step(tmp_path, "(folder / f'began.{time.monotonic_ns()}').touch()\nhold()")
    process = start(tmp_path, "--jobs", jobs, env=env)
    wait_until(lambda: is_held(tmp_path))
    workers = [int(path.suffix[1:]) for path in tmp_path.glob("held.*")]
    stopped({"run": [process.pid], "workers": workers, "all": [process.pid, *workers]}[who])
    release(tmp_path)
    stopped([process.pid] if who == "run" else [])
    status, messages = finish(process)
    assert status == 0, messages
    assert differences(tmp_path / "out", expected) + leftover_files(tmp_path / "out") == []
    assert len(list(tmp_path.glob("began.*"))) == COUNT


JUMPS = """
import time
real, calls = time.time, [0]
def jumping():
    calls[0] += 1
    return real() + {jump}
time.time = jumping
"""


@pytest.mark.parametrize("jobs", [0, 2])
@pytest.mark.parametrize(
    "jump",
    ["(-1) ** calls[0] * 1e9", *(pytest.param(f"{sign}86400 * calls[0]", marks=pytest.mark.slow) for sign in "-+")],
)
def test_a_clock_that_jumps(lab, tmp_path, jobs, jump):
    """Limits of time hold by the monotonic clock, and the order of the journal is that of its lines."""
    folder, expected = lab
    out = tmp_path / "out"
    changes = JUMPS.format(jump=jump)
    status, messages = finish(start(folder, "--jobs", jobs, "--timeout", 30, out=str(out), changes=changes))
    assert (status, f"{COUNT} converted, 0 failed" in messages) == (0, True), messages
    assert differences(out, expected) + leftover_files(out) == []
    before = identities(out)
    status, messages = finish(start(folder, "--jobs", jobs, out=str(out), changes=changes))
    assert (status, f"0 converted, 0 failed, {COUNT} done before" in messages) == (0, True), messages
    assert rewritten_files(before, identities(out)) == []
    assert [record["record"] for record in journal_records(out)][-1] == "stop"


def test_outputs_of_the_future_and_the_past(lab, tmp_path):
    """What was written while the clock was wrong is not written again when it is right."""
    folder, _ = lab
    out = tmp_path / "out"
    assert run(folder, out=str(out))[0] == 0
    for number, path in enumerate(sorted(out.glob("*.wav"))):
        os.utime(path, (0, 0) if number % 2 else (1 << 33, 1 << 33))
    status, messages = run(folder, out=str(out))
    assert (status, f"{COUNT} done before" in messages) == (0, True)
