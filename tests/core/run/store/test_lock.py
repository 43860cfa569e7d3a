import errno
import gc
import os
import subprocess
import sys

import pytest

from tonearm.errors import OutputError
from tonearm.run.part import Part
from tonearm.run.store import lock as room
from tonearm.run.store.lock import Lock, LockedError, lock_holders
from tonearm.run.store.tree import Tree


@pytest.fixture
def root(tmp_path):
    (tmp_path / ".tonearm").mkdir()
    return str(tmp_path)


def lock_of(root):
    return Lock(Tree(str(root)), str(root))


def open_files():
    gc.collect()
    return len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0


HOLD = """
import sys
from tonearm.run.part import Part
from tonearm.run.store.lock import Lock
from tonearm.run.store.tree import Tree
lock = Lock(Tree(sys.argv[1]), sys.argv[1])
lock.acquire(Part.parse(sys.argv[2]) if sys.argv[2] else None, create=True)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold():
    """Hold locks in other processes."""
    held = []

    def take(root, part=""):
        command = [sys.executable, "-c", HOLD, root, part]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"held\n"
        held.append(process)
        return process

    yield take
    for process in held:
        process.kill()
        process.communicate()


class TestLock:
    def test_the_second_is_told_at_once(self, root, hold):
        process = hold(root)
        for part in (None, Part(1, 2)):
            with pytest.raises(LockedError) as caught:
                lock_of(root).acquire(part, create=True)
            assert caught.value.code == "locked"
            assert caught.value.message == f"another run holds {root}"
        if sys.platform == "linux":
            assert lock_holders(Tree(root)) == [process.pid]
        process.kill()  # the kernel frees it, however its holder ends
        process.wait()
        lock = lock_of(root)
        lock.acquire(None, create=True)
        assert len(lock.descriptors) == 1
        lock.release()
        assert not lock.descriptors

    def test_parts_keep_out_themselves_and_whole_runs(self, root, hold):
        hold(root, "1/2")
        with pytest.raises(LockedError):
            lock_of(root).acquire(None, create=True)
        with pytest.raises(LockedError):
            lock_of(root).acquire(Part(1, 2), create=True)
        other = lock_of(root)
        other.acquire(Part(2, 2), create=True)
        other.acquire(Part(2, 2), create=True)  # as a run does: for its plan, and to carry it out
        assert len(other.descriptors) == 2
        other.release()

    def test_nothing_is_made_for_a_plan(self, tmp_path):
        lock = lock_of(tmp_path / "none")
        lock.acquire(None, create=False)
        assert not lock.descriptors
        assert list(tmp_path.iterdir()) == []
        lock.acquire(None, create=True)
        assert len(lock.descriptors) == 1
        lock.release()

    def test_a_failed_take_leaves_nothing_held(self, root, hold):
        hold(root)
        tree = Tree(root)
        lock = Lock(tree, root)
        before = open_files()
        with pytest.raises(LockedError):
            lock.acquire(Part(1, 3), create=True)
        assert not lock.descriptors
        tree.close()
        assert open_files() == before

    def test_a_file_system_without_locks_is_warned_of(self, root, monkeypatch):
        def refuse(*_):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(room.fcntl, "flock", refuse)
        lock = lock_of(root)
        lock.acquire(None, create=True)
        assert lock.warning == (
            f"the file system of {root} has no locks (No locks available): make sure that no other run writes there"
        )
        lock.release()

    def test_an_output_folder_that_is_a_file(self, tmp_path):
        (tmp_path / "a").write_text("")
        with pytest.raises(OutputError) as caught:
            lock_of(tmp_path / "a").acquire(None, create=True)
        assert (
            str(caught.value)
            == f"cannot write to {tmp_path}/a: not a directory\n    hint: choose another output folder"
        )

    def test_nobody_holds_what_is_not_there(self, tmp_path):
        assert lock_holders(Tree(str(tmp_path))) == []


def test_a_process_that_is_started_does_not_hold_the_lock_on(root):
    lock = lock_of(root)
    lock.acquire(None, create=True)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    lock.release()
    second = lock_of(root)
    second.acquire(None, create=True)
    second.release()
    child.communicate(b"\n")
