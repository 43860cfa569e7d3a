"""Disks that are full, read-only, or not ours: the run stops with 4, and a rerun completes."""

import os
import resource
import subprocess

import pytest
from cli_runs import finish, run, start, undisturbed_outputs, write_inputs
from invariants import corrupt_files, differences, identities, leftover_files, rewritten_files, unrecorded_files


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder with inputs, and their outputs: 60 files of 16 kB."""
    folder = tmp_path_factory.mktemp("lab")
    write_inputs(folder, 60)
    return folder, undisturbed_outputs(folder)


@pytest.fixture
def disk(tmp_path):
    """A disk of one's own, of 512 kB; only root may have one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no disk may be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("fsync", ["file", "none"])
@pytest.mark.parametrize("jobs", [0, 2])
def test_a_full_disk(lab, disk, jobs, fsync):
    folder, expected = lab
    out = disk / "out"
    arguments = ("--jobs", jobs, "--fsync", fsync)
    status, messages = run(folder, "in/000*.npy", *arguments, out=str(out))
    assert status == 0, messages
    before = identities(out)
    assert len(before) == 10
    status, messages = run(folder, *arguments, out=str(out))
    assert status == 4, messages
    assert "Traceback" not in messages
    assert messages.splitlines()[-1].startswith("output: cannot write ")
    assert messages.endswith("no space left on device\n")
    assert corrupt_files(out, expected) + unrecorded_files(out) + leftover_files(out) == []
    assert rewritten_files(before, identities(out)) == []
    before = identities(out)
    assert len(before) < 60
    # The last may have got its name, and the journal no room to say so: the rerun finds it by the record before that.
    counted = [f"{new} converted, 0 failed, 10 done before, {50 - new} left in " for new in range(len(before) - 9)]
    assert any(line in messages for line in counted[-2:]), messages
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
    status, messages = run(folder, *arguments, out=str(out))
    assert status == 0, messages
    assert differences(out, expected) + leftover_files(out) + rewritten_files(before, identities(out)) == []


def test_a_read_only_disk(lab, disk):
    folder, _ = lab
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    status, messages = run(folder, out=str(disk / "out"))
    assert status == 4
    assert messages.endswith(
        f"\noutput: cannot write to {disk}/out: read-only file system\n    hint: choose another output folder\n"
    )


def test_a_disk_that_becomes_read_only(lab, disk):
    folder, expected = lab
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
    assert run(folder, "in/0000.npy", out=str(disk))[0] == 0
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    status, messages = run(folder, out=str(disk))
    assert status == 4
    assert "read-only file system" in messages
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert run(folder, out=str(disk))[0] == 0
    assert differences(disk, expected) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(lab, tmp_path):
    folder, _ = lab
    out = tmp_path / "out"
    out.mkdir(mode=0o500)
    status, messages = run(folder, out=str(out))
    assert (status, messages) == (
        4,
        f"output: cannot write to {out}: permission denied\n    hint: choose another output folder\n",
    )


@pytest.mark.parametrize("jobs", [0, 1])
def test_a_limit_on_the_size_of_files(lab, tmp_path, jobs):
    """What an administrator may set; the signal that comes with it kills nobody."""
    folder, _ = lab

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    status, messages = run(folder, "--jobs", jobs, out=str(tmp_path / "out"), preexec_fn=limit)
    assert status == 4
    assert messages.endswith("file too large\n")
    assert leftover_files(tmp_path / "out") == []


def test_a_folder_that_is_removed_meanwhile(lab, tmp_path):
    """Somebody tidies up: the run stops, or makes it anew, but never says that all is well."""
    folder, expected = lab
    out = tmp_path / "out"
    pipeline = (folder / "p.yaml").read_text()
    (folder / "q.yaml").write_text(pipeline.replace('"{stem}.wav"', '"x/{stem}.wav"'))
    changes = f"""
import shutil
from tonearm.run.store.publisher import Publisher
real, batches = Publisher.publish, []
def publish(self, batch):
    batches.extend(batch[:1])  # there are empty ones
    if batch and len(batches) == 2:
        shutil.rmtree({str(out / "x")!r})
    return real(self, batch)
Publisher.publish = publish
"""
    status, messages = finish(start(folder, "--jobs", "0", pipeline="q.yaml", out=str(out), changes=changes))
    assert status in (3, 4), messages
    assert "Traceback" not in messages
    assert corrupt_files(out / "x", expected) == []
