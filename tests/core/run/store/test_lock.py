import errno
import fcntl
import io
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
            assert caught.value.hint == "wait until it has ended, or choose another output folder"
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

    def test_a_failed_take_leaves_nothing_held(self, root, hold, open_files):
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

        monkeypatch.setattr(fcntl, "flock", refuse)
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

    @pytest.mark.parametrize(("part", "made"), [(None, []), (Part(1, 2), ["lock"])])
    def test_what_is_no_file_is_not_locked(self, root, part, made, open_files):
        os.mkfifo(os.path.join(root, room.lock_path(part)))
        tree = Tree(root)
        lock = Lock(tree, "a\n")
        before = open_files()
        with pytest.raises(OutputError) as caught:
            lock.acquire(part, create=True)
        tree.close()
        assert caught.value.message == f"cannot write to a\\n: {room.lock_path(part)} is no regular file"
        assert (open_files(), lock.descriptors, lock.warning) == (before, [], "")

    def test_locks_that_are_made_or_not(self, root):
        for part in (None, Part(1, 2)):
            lock = lock_of(root)
            lock.acquire(part, create=False)
            assert (lock.descriptors, os.listdir(os.path.join(root, ".tonearm"))) == ([], [])
        lock.acquire(Part(1, 2), create=True)
        assert sorted(os.listdir(os.path.join(root, ".tonearm"))) == ["lock", "lock-1-of-2"]
        second = lock_of(root)
        second.acquire(Part(2, 2), create=False)
        assert len(second.descriptors) == 1  # that of all parts, which exists
        second.release()
        lock.release()

    def test_a_folder_that_goes_again_and_again(self, root, monkeypatch):
        def gone(*_, **__):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")

        monkeypatch.setattr(Tree, "open", gone)
        with pytest.raises(OutputError, match=r"cannot write to .*: no such file or directory"):
            lock_of(root).acquire(None, create=True)

    def test_who_holds_a_lock_is_read_from_the_system(self, root, monkeypatch):
        path = os.path.join(root, ".tonearm", "lock")
        with open(path, "w"):
            status = os.stat(path)
        device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
        lines = [
            f"1: FLOCK  ADVISORY  WRITE 30 {device}:{status.st_ino} 0 EOF",
            f"2: FLOCK  ADVISORY  WRITE 20 {device}:{status.st_ino} 0 EOF",
            f"2: -> FLOCK  ADVISORY  WRITE 40 {device}:{status.st_ino} 0 EOF",
            f"3: FLOCK  ADVISORY  READ 50 {device}:{status.st_ino} 0 EOF",
            f"4: FLOCK  ADVISORY  WRITE 60 {device}:{status.st_ino + 1} 0 EOF",
            f"5: POSIX  ADVISORY  WRITE 70 {device}:{status.st_ino} 0 EOF",
        ]
        monkeypatch.setattr("builtins.open", lambda name, **_: io.StringIO("\n".join(lines)))
        assert lock_holders(Tree(root)) == [20, 30]
        assert lock_holders(Tree(root), Part(1, 2)) == []

        def refuse(*_, **__):
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr("builtins.open", refuse)
        assert lock_holders(Tree(root)) == []

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
