"""The quarantine: copies of refused waveforms, whole or not at all."""

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tonearm.errors import OutputError, UsageError
from tonearm.run.store import quarantine
from tonearm.run.store.quarantine import Quarantine, write_float_wav
from tonearm.run.store.run_folder import QUARANTINE_MARKER as MARKER
from tonearm.signals import Waveform


@pytest.fixture(autouse=True)
def here(folder):
    """An empty current folder."""


def waveform(samples, rate=8000):
    return Waveform(samples=np.atleast_2d(np.asarray(samples, np.float32)), sample_rate=rate)


LOUD = waveform([[0.5, -7.25, np.nan], [1.5, 0.0, -np.inf]])


def keep(found, source="/in/a.npy", stem="a", item=("", 0), signal=LOUD, **more):
    return found.keep(source, stem, item, signal, **{"fsync": False, **more})


def names(folder="q"):
    return sorted(os.listdir(folder))


def test_a_copy_has_the_very_samples():
    path = keep(Quarantine("q"))
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == 8000
    np.testing.assert_array_equal(samples.T, LOUD.samples)
    assert names() == [MARKER, os.path.basename(path)]


def test_long_waveforms_are_written_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(quarantine, "BLOCK", 7)
    samples = np.arange(60, dtype=np.float32).reshape(3, 20) / 64
    with Path("x.wav").open("wb") as file:
        write_float_wav(file, waveform(samples))
    np.testing.assert_array_equal(soundfile.read("x.wav", dtype="float32")[0].T, samples)


def test_a_name_is_that_of_the_item_alone():
    found = Quarantine("q")
    paths = {
        keep(found),
        keep(found, source="/in/b.npy"),
        keep(found, item=("k", 0)),
        keep(found, item=("", 1)),
        keep(found, item=("0", 1)),
    }
    assert len(paths) == 5
    assert all(os.path.basename(path).startswith("a-") for path in paths)
    first = keep(found)
    assert first in paths
    keep(found, signal=waveform([0.25]))
    assert soundfile.read(first)[0].tolist() == [0.25]


@pytest.mark.parametrize(
    "stem", ["..", ".hidden", "a/../b", "line\nbreak", "\x1b[31m", "é" * 300, "\udcff", "", "日本"]
)
def test_no_stem_leads_out_of_the_folder(stem):
    path = keep(Quarantine("q"), stem=stem, item=("\ud800", 0))
    assert os.path.dirname(path) == "q"
    assert path.isprintable()
    assert names() == [MARKER, os.path.basename(path)]


def test_a_folder_that_somebody_removes_is_made_and_marked_again():
    found = Quarantine("q")
    keep(found)
    shutil.rmtree("q")
    path = keep(found)
    assert names() == [MARKER, os.path.basename(path)]


def test_it_travels_to_a_worker_in_another_folder(tmp_path, monkeypatch):
    state = pickle.dumps(Quarantine("q"))
    os.mkdir("elsewhere")
    monkeypatch.chdir("elsewhere")
    path = keep(pickle.loads(state))
    assert path.startswith("q/a-")
    assert names("../q") == [MARKER, os.path.basename(path)]
    assert not os.path.exists("q")


class TestCheck:
    def test_new_and_empty_folders_and_quarantines_will_do(self):
        found = Quarantine("q")
        found.check("out")
        assert not os.path.exists("q")
        os.mkdir("q")
        found.check("out")
        keep(found)
        found.check("out")

    def test_the_output_folder_is_refused(self):
        os.mkdir("out")
        os.symlink("out", "link")
        for name in ("out", "out/", "./out", "link"):
            with pytest.raises(UsageError, match="is the output folder"):
                Quarantine(name).check("out")

    def test_files_of_somebody_else_are_refused(self):
        os.mkdir("mine")
        Path("mine/a.wav").write_bytes(b"sound")
        with pytest.raises(UsageError, match="holds files, and is no quarantine"):
            Quarantine("mine").check("out")

    def test_no_folder_is_refused(self):
        os.symlink("nowhere", "dangling")
        with pytest.raises(UsageError, match="cannot open the quarantine dangling: no such file or directory"):
            Quarantine("dangling").check("out")
        Path("file").write_text("text")
        with pytest.raises(UsageError, match="cannot open the quarantine file: not a directory"):
            Quarantine("file").check("out")


class TestFaults:
    @pytest.mark.parametrize("call", ["replace", "fsync", "write"])
    def test_nothing_is_left_of_a_copy_that_cannot_be_written(self, monkeypatch, call):
        found = Quarantine("q")
        before = keep(found, stem="before")

        def full(*_, **__):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            target, name = (quarantine, "write_float_wav") if call == "write" else (os, call)
            patched.setattr(target, name, full)
            with pytest.raises(OutputError, match=r"cannot write q/a-[0-9a-f]{16}\.wav: no space left on device"):
                keep(found, fsync=True)
        assert names() == [MARKER, os.path.basename(before)]

    def test_a_link_in_place_of_a_copy_is_replaced_and_not_followed(self):
        found = Quarantine("q")
        path = keep(found)
        os.unlink(path)
        Path("victim").write_text("whole")
        os.symlink("../victim", path)
        keep(found)
        assert not os.path.islink(path)
        assert Path("victim").read_text() == "whole"

    def test_a_folder_in_place_of_a_copy_is_left_alone(self):
        found = Quarantine("q")
        path = keep(found)
        os.unlink(path)
        os.mkdir(path)
        with pytest.raises(OutputError, match=r"cannot write q/a-[0-9a-f]{16}\.wav: is a directory"):
            keep(found)
        assert names() == [MARKER, os.path.basename(path)]

    def test_a_run_that_shares_the_quarantine_sweeps_no_copy_that_is_being_written(self, monkeypatch):
        def write(file, signal):
            file.write(b"half")
            Quarantine("q").sweep()  # as another run does when it begins and ends
            file.seek(0)
            write_float_wav(file, signal)

        monkeypatch.setattr(quarantine, "write_float_wav", write)
        path = keep(Quarantine("q"))
        assert names() == [MARKER, os.path.basename(path)]
        assert np.array_equal(soundfile.read(path)[0].T, LOUD.samples, equal_nan=True)

    def test_what_does_not_fit_into_a_wav_file_is_not_kept(self, monkeypatch):
        monkeypatch.setattr(quarantine, "MAX_BYTES", LOUD.samples.size * 4 - 1)
        assert keep(Quarantine("q")) == ""
        assert not os.path.exists("q")

    def test_what_a_killed_run_left_is_swept(self):
        script = (
            "import os, signal, sys\n"
            "from tonearm.run.store.quarantine import Quarantine\n"
            "from tonearm.run.store import quarantine\n"
            "from tonearm.signals import Waveform\n"
            "import numpy as np\n"
            "def die(*_): os.kill(os.getpid(), signal.SIGKILL)\n"
            "quarantine.write_float_wav = die\n"
            "signal_ = Waveform(samples=np.zeros((1, 3), np.float32), sample_rate=8000)\n"
            "Quarantine('q').keep('/in/a.npy', 'a', ('', 0), signal_, fsync=False)\n"
        )
        assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
        assert any(name.endswith(".part") for name in names())
        Quarantine("q").sweep()
        assert names() == [MARKER]

    def test_a_folder_that_is_no_quarantine_is_not_swept(self):
        os.mkdir("mine")
        Path("mine/.tonearm-0123456789abcdef.part").write_bytes(b"")
        Quarantine("mine").sweep()
        assert names("mine") == [".tonearm-0123456789abcdef.part"]


class TestOtherMachines:
    def test_they_know_the_folder_by_its_marker(self, open_files):
        found = Quarantine("q")
        found.mark()
        copy = pickle.loads(pickle.dumps(found))
        assert (copy.path, copy.is_seen()) == (os.path.abspath("q"), True)
        found._tree.close()
        copy._tree.close()
        before = open_files()
        found.mark()
        assert copy.is_seen()
        found._tree.close()
        copy._tree.close()
        assert open_files() == before
        Quarantine("q").check("out")
        shutil.move("q", "other")
        assert not pickle.loads(pickle.dumps(found)).is_seen()
        Quarantine("q").mark()
        assert not pickle.loads(pickle.dumps(found)).is_seen()
        assert names() == [MARKER]

    def test_runs_that_share_it_have_one_marker(self):
        keep(Quarantine("q"))
        copies = []
        for _ in range(2):
            found = Quarantine("q")
            found.mark()
            copies.append(pickle.loads(pickle.dumps(found)))
        assert [copy.is_seen() for copy in copies] == [True, True]
        assert len(Path("q", MARKER).read_bytes()) == 32

    def test_they_do_not_make_it_again(self):
        """Whoever removes a folder, or unmounts it, does not get copies where it was."""
        found = Quarantine("q")
        found.mark()
        shutil.rmtree("q")
        copy = pickle.loads(pickle.dumps(found))
        with pytest.raises(OutputError, match=r"cannot write q/a-\w+\.wav: no such file or directory"):
            keep(copy)
        assert not os.path.exists("q")

    def test_a_folder_that_cannot_be_made(self):
        Path("file").write_text("")
        with pytest.raises(OutputError, match=f"cannot write file/q/{MARKER}: not a directory"):
            Quarantine("file/q").mark()
