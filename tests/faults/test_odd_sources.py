"""Sources that change while they are read, that are no files, and that have odd names."""

import os

import numpy as np
import pytest
from cli_runs import add_step, run, write_inputs
from invariants import identities, leftover_files, rewritten_files


@pytest.mark.parametrize("jobs", [0, 1])
def test_a_source_that_somebody_still_writes(tmp_path, jobs):
    """It fails while it changes, and is converted when it is finished."""
    write_inputs(tmp_path, 3)
    changing, out = tmp_path / "in" / "0001.npy", tmp_path / "out"
    np.save(changing, np.zeros(8000, np.float32))
    body = """
    if not signal.samples.any() and not (folder / "finished").exists():
        with open(folder / "in" / "0001.npy", "r+b") as file:
            file.seek(200)
            file.write(bytes(1))
    """
    env = add_step(tmp_path, body)
    status, messages = run(tmp_path, "--jobs", jobs, env=env)
    assert status == 3
    assert "in/0001.npy: source-changed: " in messages.replace(str(tmp_path) + "/", "")
    assert sorted(identities(out)) == ["0000.wav", "0002.wav"]
    (tmp_path / "finished").touch()
    before = identities(out)
    status, messages = run(tmp_path, "--jobs", jobs, env=env)
    assert (status, "1 converted, 0 failed, 1 with warnings, 2 done before" in messages) == (0, True)
    assert rewritten_files(before, identities(out)) == []


@pytest.mark.parametrize("jobs", [0, 1])
def test_a_mapped_source_that_shrinks_kills_no_more_than_its_worker(tmp_path, jobs):
    """Reading beyond its end is SIGBUS, which no Python code sees."""
    write_inputs(tmp_path, 3)
    np.save(tmp_path / "in" / "0001.npy", np.zeros(8 << 20, np.float32))  # large enough to be mapped
    body = """
    if signal.samples.size > 1 << 20:
        os.truncate(folder / "in" / "0001.npy", 1 << 16)
        float(signal.samples.sum())
        (folder / "read").touch()
    """
    env = add_step(tmp_path, body)
    status, messages = run(tmp_path, "--jobs", jobs, env=env)
    assert status == 3, messages
    assert " converted, 1 failed" in messages  # without workers, what was converted before is counted as done
    assert not (tmp_path / "read").exists()
    assert sorted(identities(tmp_path / "out")) == ["0000.wav", "0002.wav"]
    assert leftover_files(tmp_path / "out") == []


def test_sources_that_are_no_files(tmp_path):
    write_inputs(tmp_path, 2)
    os.mkfifo(tmp_path / "in" / "pipe.npy")
    os.symlink("nowhere", tmp_path / "in" / "dangling.npy")
    os.symlink("loop.npy", tmp_path / "in" / "loop.npy")
    os.symlink("/dev/zero", tmp_path / "in" / "device.npy")
    status, messages = run(tmp_path, "--jobs", 2)
    assert status == 3
    assert "2 converted, 4 failed" in messages
    assert "2 × not-a-file" in messages
    assert "2 × unreadable" in messages


def test_odd_names(tmp_path):
    write_inputs(tmp_path, 1)
    odd = ["new\nline", "\x1b[31mred", os.fsdecode(b"\xff\xfe"), "é 音 🎵", "x" * 251, "{stem}", "-", ".x"]
    for name in odd:
        os.link(tmp_path / "in" / "0000.npy", tmp_path / "in" / f"{name}.npy")
    status, messages = run(tmp_path, "--jobs", 1)
    assert status == 0, messages
    assert "\x1b" not in messages
    names = {f"{name}.wav" for name in odd if name != ".x"} | {"0000.wav"}
    assert set(identities(tmp_path / "out")) == names
    status, messages = run(tmp_path, "--jobs", 1)
    assert "0 converted, 0 failed, 8 done before" in messages
