"""Disks that are full, read-only, or not ours: the run stops with 4, and a rerun completes."""

import os
import resource
import subprocess

import pytest
from cli_runs import material, reference, run
from invariants import complete, known, not_redone, seen, temporaries, whole


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder with arrays, and what becomes of them: 60 files of 16 kB."""
    folder = tmp_path_factory.mktemp("lab")
    material(folder, 60)
    return folder, reference(folder)


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


@pytest.mark.parametrize("fsync", ["file", "none"])
@pytest.mark.parametrize("jobs", [0, 2])
def test_a_full_disk(lab, disk, jobs, fsync):
    folder, expected = lab
    out = disk / "out"
    arguments = ("--jobs", jobs, "--fsync", fsync)
    status, said = run(folder, *arguments, out=str(out))
    assert status == 4, said
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("output: cannot write ")
    assert said.endswith("no space left on device\n")
    assert whole(out, expected) + known(out) + temporaries(out) == []
    before = seen(out)
    assert 0 < len(before) < 60
    # The last may have got its name, and the journal no room to say so: the rerun finds it by the record before that.
    counted = (f"{count} converted, 0 failed, {60 - count} left in " for count in (len(before), len(before) - 1))
    assert any(line in said for line in counted)
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
    status, said = run(folder, *arguments, out=str(out))
    assert status == 0, said
    assert complete(out, expected) + temporaries(out) + not_redone(before, seen(out)) == []


def test_a_read_only_disk(lab, disk):
    folder, _ = lab
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    status, said = run(folder, out=str(disk / "out"))
    assert status == 4
    assert said.endswith(f"\noutput: cannot write to {disk}/out: read-only file system\n    hint: --out DIR\n")


def test_a_disk_that_becomes_read_only(lab, disk):
    folder, expected = lab
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
    assert run(folder, "in/0000.npy", out=str(disk))[0] == 0
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    status, said = run(folder, out=str(disk))
    assert status == 4
    assert "read-only file system" in said
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert run(folder, out=str(disk))[0] == 0
    assert complete(disk, expected) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(lab, tmp_path):
    folder, _ = lab
    out = tmp_path / "out"
    out.mkdir(mode=0o500)
    status, said = run(folder, out=str(out))
    assert (status, said) == (4, f"output: cannot write to {out}: permission denied\n    hint: --out DIR\n")


@pytest.mark.parametrize("jobs", [0, 1])
def test_a_limit_on_the_size_of_files(lab, tmp_path, jobs):
    """What an administrator may set; the signal that comes with it kills nobody."""
    folder, _ = lab

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    status, said = run(folder, "--jobs", jobs, out=str(tmp_path / "out"), preexec_fn=limit)
    assert status == 4
    assert said.endswith("file too large\n")
    assert temporaries(tmp_path / "out") == []


def test_a_folder_that_is_removed_meanwhile(lab, tmp_path):
    """Somebody tidies up: the run stops, or makes it anew, but never says that all is well."""
    folder, expected = lab
    out = tmp_path / "out"
    pipeline = (folder / "p.yaml").read_text()
    (folder / "q.yaml").write_text(pipeline.replace('"{stem}.wav"', '"x/{stem}.wav"'))
    code = (
        "import os, shutil, sys, tonearm.cli as cli, tonearm.run.store.publisher as publish;"
        "real = publish.Publisher.publish;"
        "count = iter(range(99));"
        "publish.Publisher.publish = lambda self, batch:"
        " (next(count) == 1 and shutil.rmtree('" + str(out) + "/x'), real(self, batch))[1];"
        "sys.exit(cli.main())"
    )
    command = [os.sys.executable, "-c", code, "run", "q.yaml", "--out", str(out), "--jobs", "0"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode in (3, 4), done.stderr
    assert "Traceback" not in done.stderr
    assert whole(out / "x", expected) == []
