"""Two runs at once, sources that change, plugins that break: each ends as it should, seen from outside."""

import os
import threading
import time

import numpy as np
import pytest
from commands import count, material, reference, run, slow, start, wait_for
from rules import complete, not_redone, seen, temporaries


def test_two_runs_into_one_folder(tmp_path):
    """The second exits with 11 at once, and disturbs nothing."""
    material(tmp_path, 3)
    env = slow(tmp_path, 4.0)
    first = start(tmp_path, "--jobs", 1, env=env)
    wait_for(lambda: count(tmp_path / "out", "run"))
    for arguments in ((), ("--dry-run",), ("--part", "1/2"), ("--force",)):
        status, said = run(tmp_path, *arguments, env=env)
        assert (status, said.splitlines()[0]) == (11, "locked: another run holds out")
    assert first.poll() is None
    _, said = first.communicate(timeout=60)
    assert first.returncode == 0, said


@pytest.mark.slow
def test_runs_that_start_at_the_same_moment(tmp_path):
    material(tmp_path, 20)
    expected = reference(tmp_path)
    for _ in range(10):
        processes = [start(tmp_path, "--jobs", 1, out="new") for _ in range(3)]
        ended = [process.communicate(timeout=60) and process.returncode for process in processes]
        assert set(ended) <= {0, 11}
        assert 0 in ended
        assert complete(tmp_path / "new", expected) + temporaries(tmp_path / "new") == []
        for path in sorted((tmp_path / "new").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()


def test_parts_at_the_same_time(tmp_path):
    material(tmp_path, 60)
    expected = reference(tmp_path)
    parts = [start(tmp_path, "--jobs", 1, "--part", f"{part}/3") for part in (1, 2, 3)]
    assert [process.communicate(timeout=60) and process.returncode for process in parts] == [0, 0, 0]
    assert complete(tmp_path / "out", expected) + temporaries(tmp_path / "out") == []
    before = seen(tmp_path / "out")
    status, said = run(tmp_path)  # a whole run knows what they did
    assert (status, "60 done before" in said) == (0, True)
    assert not_redone(before, seen(tmp_path / "out")) == []


@pytest.mark.parametrize("jobs", [0, 1])
def test_a_source_that_somebody_still_writes(tmp_path, jobs):
    """It fails while it changes, and is converted when it is finished."""
    material(tmp_path, 3)
    env = slow(tmp_path, 0.3)
    target = tmp_path / "in" / "0001.npy"
    going = True

    def touch():
        while going:
            with target.open("r+b") as file:
                file.seek(200)
                file.write(os.urandom(1))
            time.sleep(0.02)

    writer = threading.Thread(target=touch)
    writer.start()
    try:
        status, said = run(tmp_path, "--jobs", jobs, env=env)
    finally:
        going = False
        writer.join()
    assert status == 3
    assert "in/0001.npy: source-changed: " in said.replace(str(tmp_path) + "/", "")
    assert sorted(seen(tmp_path / "out")) == ["0000.wav", "0002.wav"]
    np.save(target, np.zeros(8000, np.float32))
    before = seen(tmp_path / "out")
    status, said = run(tmp_path, "--jobs", jobs, env=env)
    assert (status, "1 converted, 0 failed, 1 with warnings, 2 done before" in said) == (0, True)
    assert not_redone(before, seen(tmp_path / "out")) == []


def test_a_mapped_source_that_shrinks_kills_no_more_than_its_worker(tmp_path):
    """Reading beyond its end is SIGBUS, which no Python code sees."""
    material(tmp_path, 3)
    np.save(tmp_path / "in" / "0001.npy", np.zeros(8 << 20, np.float32))  # large enough to be mapped
    env = slow(tmp_path, 1.5)
    plugin = tmp_path / "site" / "tonearm_slow.py"
    text = plugin.read_text().replace("time.sleep(1.5)", "time.sleep(1.5); float(signal.samples.sum())")
    plugin.write_text(text)
    process = start(tmp_path, "--jobs", 1, env=env)
    wait_for(lambda: count(tmp_path / "out", "end") >= 1)
    time.sleep(0.7)
    os.truncate(tmp_path / "in" / "0001.npy", 1 << 16)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert "2 converted, 1 failed" in said
    assert sorted(seen(tmp_path / "out")) == ["0000.wav", "0002.wav"]
    assert temporaries(tmp_path / "out") == []


def test_sources_that_are_no_files(tmp_path):
    material(tmp_path, 2)
    os.mkfifo(tmp_path / "in" / "pipe.npy")
    os.symlink("nowhere", tmp_path / "in" / "dangling.npy")
    os.symlink("loop.npy", tmp_path / "in" / "loop.npy")
    os.symlink("/dev/zero", tmp_path / "in" / "device.npy")
    status, said = run(tmp_path, "--jobs", 2)
    assert status == 3
    assert "2 converted, 4 failed" in said
    assert "2 × not-a-file" in said
    assert "2 × unreadable" in said


def test_odd_names(tmp_path):
    material(tmp_path, 1)
    odd = ["new\nline", "\x1b[31mred", os.fsdecode(b"\xff\xfe"), "é 音 🎵", "x" * 251, "{stem}", "-", ".x"]
    for name in odd:
        os.link(tmp_path / "in" / "0000.npy", tmp_path / "in" / f"{name}.npy")
    status, said = run(tmp_path, "--jobs", 1)
    assert status == 0, said
    assert "\x1b" not in said
    names = {f"{name}.wav" for name in odd if name != ".x"} | {"0000.wav"}
    assert set(seen(tmp_path / "out")) == names
    status, said = run(tmp_path, "--jobs", 1)
    assert "0 converted, 0 failed, 8 done before" in said
