"""Tests that what people do most works without POSIX and by Windows' rules, in processes that these are enforced in.

`windows_rules/sitecustomize.py` says what is taken away.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

RULES = Path(__file__).parent / "windows_rules"
PIPELINE = """
tonearm: 1
input: {use: npy-reader, files: "in/*.npy", with: {kind: waveform, sample_rate: 16000}}
outputs:
  - {use: wav-writer, file: "{stem}.wav"}
"""


@pytest.fixture
def sources(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(6):
        np.save(tmp_path / f"in/s{number}.npy", np.full(800, (number + 1) / 10, np.float32))
    (tmp_path / "p.yaml").write_text(PIPELINE)
    return tmp_path


def python(folder, *words, timeout=240):
    """Run Python by Windows' rules."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(RULES), *filter(None, sys.path)])}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environ, capture_output=True, text=True, timeout=timeout
    )


def tonearm(folder, *words):
    return python(folder, "-m", "tonearm", *words)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


WAVS = [f"s{number}.wav" for number in range(6)]
DONE = [".tonearm/journal.jsonl", ".tonearm/lock", *WAVS]

IN_ONE_PROCESS = """
import os, sys
assert not hasattr(os, "fork") and not hasattr(os, "O_NONBLOCK")
import numpy as np
import tonearm
for _ in range(2):
    tonearm.save(np.full(800, 0.5, np.float32), "saved.wav", sample_rate=16000, overwrite=True)
tonearm.save(np.full(800, 0.5, np.float32), "saved.flac", sample_rate=16000)
pipeline = tonearm.load_pipeline("p.yaml")
(waveform,) = pipeline.convert("in/s1.npy")
assert waveform.samples.shape == (1, 800)
assert pipeline.run(out="out", jobs=0).converted == 6
assert pipeline.run(out="out", jobs=0).skipped == 6
"""


def test_saving_and_a_run_in_one_process(sources):
    found = python(sources, "-W", "error", "-c", textwrap.dedent(IN_ONE_PROCESS))
    assert (found.returncode, found.stderr) == (0, "")
    assert (sources / "saved.wav").stat().st_size == 44 + 1600
    assert files(sources / "out") == DONE


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["0", "2"])
def test_runs_of_the_command_line_have_spawned_workers(sources, jobs):
    found = tonearm(sources, "run", "p.yaml", "--out", "out", "-j", jobs)
    assert (found.returncode, found.stderr.splitlines()[0][:23]) == (0, "6 converted, 0 failed i"), found.stderr
    assert files(sources / "out") == DONE
    again = tonearm(sources, "run", "p.yaml", "--out", "out", "-j", jobs)
    assert (again.returncode, again.stderr[:37]) == (0, "0 converted, 0 failed, 6 done before ")


@pytest.mark.slow
def test_convert_of_a_file_and_of_a_pipe(sources):
    words = ["--sample-rate", "16000", "--kind", "waveform"]
    found = tonearm(sources, "convert", "in/s3.npy", "a.wav", *words)
    assert (found.returncode, found.stderr) == (0, "a.wav\n")
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(RULES), *filter(None, sys.path)])}
    with (sources / "in/s3.npy").open("rb") as pipe:
        command = [sys.executable, "-m", "tonearm", "convert", "-", "-", "--to", "wav", *words]
        piped = subprocess.run(command, stdin=pipe, capture_output=True, env=environ, timeout=240)
    assert piped.stdout == (sources / "a.wav").read_bytes(), piped.stderr


DYING = """
write(a="go", b="exit 7", c="go", d="go", e="sleep 600")
registry = toys(decoders={"odd-reader": OddReader})
report = pipeline(use="odd-reader", registry=registry).run(out="out", jobs=2, timeout=2)
print(report.converted, sorted(report.codes.items()))
print(*sorted(path.name for path in Path("out").rglob("*") if path.is_file()))
"""


@pytest.mark.slow
def test_a_worker_that_dies_and_one_that_hangs_are_replaced(tmp_path):
    """A worker that hangs can only be killed: nothing interrupts it."""
    paths = [str(Path(__file__).parent / "run"), str(Path(__file__).parent), str(Path(__file__).parents[1])]
    found = python(tmp_path, "-c", f"import sys; sys.path[:0] = {paths!r}\nfrom run_toys import *\n{DYING}")
    assert found.stdout.splitlines() == [
        "3 [('timeout', 1), ('worker-died', 1)]",
        "a.raw c.raw d.raw journal.jsonl lock",
    ], found.stderr


HELD = """
import sys
from tonearm.run.store.local_store import LocalStore
store = LocalStore("out")
store.lock(None, create=True)
owner = store.owner()
with store.temporaries(owner, fsync=False) as temporaries:
    temporaries.sink("s0.wav").open().close()
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_a_held_folder_is_refused_and_what_a_killed_run_left_is_swept(sources):
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(RULES), *filter(None, sys.path)])}
    command = [sys.executable, "-c", HELD]
    with subprocess.Popen(command, cwd=sources, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        found = tonearm(sources, "run", "p.yaml", "--out", "out", "-j", "0")
        holder.kill()
    assert (found.returncode, found.stderr.splitlines()[0]) == (11, "locked: another run holds out"), found.stderr
    assert any(name.endswith(".part") for name in files(sources / "out"))
    assert tonearm(sources, "run", "p.yaml", "--out", "out", "-j", "0").returncode == 0
    assert files(sources / "out") == DONE


OPEN_ELSEWHERE = """
import tonearm
pipeline = tonearm.load_pipeline("p.yaml")
with open("out/s0.wav", "rb"):
    try:
        pipeline.run(out="out", force=True)
    except tonearm.TonearmError as error:
        print(error.message)
print(pipeline.run(out="out").skipped)
"""


@pytest.mark.slow
def test_an_output_that_a_player_has_open_stays_and_is_replaced_later(sources):
    assert tonearm(sources, "run", "p.yaml", "--out", "out", "-j", "0").returncode == 0
    (sources / "out/s0.wav").write_bytes(b"another")
    found = python(sources, "-c", OPEN_ELSEWHERE)
    assert found.stdout.splitlines() == [
        "cannot write out/s0.wav: The process cannot access the file because it is being used",
        "5",
    ], found.stderr
    assert (sources / "out/s0.wav").stat().st_size == 44 + 1600
