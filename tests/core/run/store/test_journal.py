import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tonearm.errors import OutputError
from tonearm.run.store import journal as room
from tonearm.run.store.history import records
from tonearm.run.store.journal import Journal, Lock, LockedError, holders, journal_path, mark_of


@pytest.fixture
def root(tmp_path):
    (tmp_path / ".tonearm").mkdir()
    return str(tmp_path)


def found(root):
    return [record for _, record in records(journal_path(root)) if record]


class TestWriting:
    def test_a_record_is_one_line_of_ascii_in_one_write(self, root, monkeypatch):
        journal = Journal(root)
        written = []
        real = os.write
        monkeypatch.setattr(os, "write", lambda d, data: written.append(bytes(data)) or real(d, data))
        journal.write("out", source="a\n\x1b\udcff é", outputs=[("a", 1)])
        assert written == [b'{"record":"out","source":"a\\n\\u001b\\udcff \\u00e9","outputs":[["a",1]]}\n']
        assert journal.size == len(written[0])
        journal.flush()
        journal.close()
        assert found(root) == [{"record": "out", "source": "a\n\x1b\udcff é", "outputs": [["a", 1]]}]

    @pytest.mark.parametrize("value", ["plain", "é", "\udcff", 1 << 70, -1.5, ["a", 1], {"": None}])
    def test_whatever_is_written_is_read_again(self, root, value):
        journal = Journal(root)
        journal.write("out", value=value)
        journal.close()
        assert Path(journal_path(root)).read_bytes().isascii()
        assert found(root) == [{"record": "out", "value": value}]

    def test_what_json_has_no_number_for_is_null(self, root):
        journal = Journal(root)
        journal.write("out", value=[float("inf"), float("nan"), 1.5])
        journal.close()
        assert found(root) == [{"record": "out", "value": [None, None, 1.5]}]

    @pytest.mark.parametrize("torn", [b'{"record":"out"', b"{", b"\x00\xff", b'{"record":"end"}'])
    def test_a_torn_line_is_healed_and_skipped(self, root, torn):
        with open(journal_path(root), "wb") as file:
            file.write(b'{"record":"run"}\n' + torn)
        before = os.path.getsize(journal_path(root))
        journal = Journal(root)
        assert journal.size == before  # opening it changes nothing
        journal.write("stop")
        journal.write("run")
        journal.close()
        whole = [{"record": "end"}] if torn.endswith(b"}") else []
        assert found(root) == [{"record": "run"}, *whole, {"record": "stop"}, {"record": "run"}]

    def test_half_a_write_is_completed(self, root, monkeypatch):
        journal = Journal(root)
        real = os.write
        sizes = iter([5, 1000])
        monkeypatch.setattr(os, "write", lambda d, data: real(d, data[: next(sizes)]))
        journal.write("run", a=1)
        assert found(root) == [{"record": "run", "a": 1}]

    def test_a_full_disk_takes_half_a_line_and_what_comes_later_is_not_lost(self, root, monkeypatch):
        journal = Journal(root)
        real, calls = os.write, []

        def write(descriptor, data):
            calls.append(len(data))
            if len(calls) == 1:
                return real(descriptor, data[:7])
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "write", write)
        with pytest.raises(OutputError) as caught:
            journal.write("begin", a=1)
        assert str(caught.value) == "cannot write the journal: no space left on device"
        monkeypatch.setattr(os, "write", real)
        journal.write("stop", b=2)
        assert found(root) == [{"record": "stop", "b": 2}]

    def test_a_disk_that_takes_nothing_and_says_nothing(self, root, monkeypatch):
        journal = Journal(root)
        monkeypatch.setattr(os, "write", lambda d, data: 0)
        with pytest.raises(OutputError):
            journal.write("begin")

    def test_a_folder_that_cannot_be_written(self, root, monkeypatch):
        real = os.open

        def refuse(path, flags, *more):
            if str(path).endswith(".jsonl"):
                raise OSError(errno.EROFS, "Read-only file system")
            return real(path, flags, *more)

        monkeypatch.setattr(os, "open", refuse)
        with pytest.raises(OutputError, match="cannot write the journal: read-only file system"):
            Journal(root)


HOLD = """
import sys
from tonearm.run.store.journal import Lock
shard = tuple(map(int, sys.argv[2].split("/"))) if sys.argv[2] else None
lock = Lock(sys.argv[1], shard)
lock.take(make=True)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold():
    """Hold locks in other processes."""
    held = []

    def take(root, shard=""):
        command = [sys.executable, "-c", HOLD, root, shard]
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
        for shard in (None, (1, 2)):
            with pytest.raises(LockedError) as caught:
                Lock(root, shard).take(make=True)
            assert caught.value.code == "locked"
            assert caught.value.message == f"another run holds {root}"
        if sys.platform == "linux":
            assert holders(root) == [process.pid]
        process.kill()  # the kernel frees it, however its holder ends
        process.wait()
        lock = Lock(root)
        lock.take(make=True)
        assert lock.is_held
        lock.release()
        assert not lock.is_held

    def test_shards_keep_out_themselves_and_whole_runs(self, root, hold):
        hold(root, "1/2")
        with pytest.raises(LockedError):
            Lock(root).take(make=True)
        with pytest.raises(LockedError):
            Lock(root, (1, 2)).take(make=True)
        other = Lock(root, (2, 2))
        other.take(make=True)
        other.take(make=True)  # as a run does: for its plan, and to carry it out
        assert len(other.descriptors) == 2
        other.release()

    def test_nothing_is_made_for_a_plan(self, tmp_path):
        lock = Lock(str(tmp_path / "none"))
        lock.take(make=False)
        assert not lock.is_held
        assert list(tmp_path.iterdir()) == []
        lock.take(make=True)
        assert lock.is_held
        lock.release()

    def test_a_failed_take_leaves_nothing_held(self, root, hold):
        hold(root)
        before = os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd") else []
        lock = Lock(root, (1, 3))
        with pytest.raises(LockedError):
            lock.take(make=True)
        assert not lock.is_held
        assert len(os.listdir("/proc/self/fd")) == len(before) if before else True

    def test_a_file_system_without_locks_is_said_so(self, root, monkeypatch):
        def refuse(*_):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(room.fcntl, "flock", refuse)
        lock = Lock(root)
        lock.take(make=True)
        assert lock.warning == (
            f"{root} is on a file system without locks (No locks available): see to it that no other run writes there"
        )
        lock.release()

    def test_an_output_folder_that_is_a_file(self, tmp_path):
        (tmp_path / "a").write_text("")
        with pytest.raises(OutputError) as caught:
            Lock(str(tmp_path / "a")).take(make=True)
        assert str(caught.value) == f"cannot write to {tmp_path}/a: not a directory\n    hint: --out DIR"

    def test_nobody_holds_what_is_not_there(self, tmp_path):
        assert holders(str(tmp_path)) == []


def test_temporaries_of_shards_differ():
    marks = [mark_of((part, parts)) for parts in (1, 2, 3, 64, 65, 300) for part in range(1, parts + 1)]
    assert len(set(marks)) == len(marks)
    assert mark_of(None) not in marks
    assert all(len(mark) == 4 for mark in marks)
    huge = [mark_of((part, 5000)) for part in range(1, 5001)]
    assert len(set(huge)) == 5000


def test_a_shard_has_a_journal_of_its_own(root):
    assert journal_path(root, (2, 3)) == f"{root}/.tonearm/journal-2-of-3.jsonl"
    Journal(root, (2, 3)).write("run")
    assert json.loads(Path(root, ".tonearm", "journal-2-of-3.jsonl").read_text()) == {"record": "run"}


def test_a_process_that_is_started_does_not_hold_the_lock_on(root):
    lock = Lock(root)
    lock.take(make=True)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    lock.release()
    second = Lock(root)
    second.take(make=True)
    second.release()
    child.communicate(b"\n")
