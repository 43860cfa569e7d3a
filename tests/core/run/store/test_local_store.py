import contextlib
import errno
import fcntl
import os
import pickle
import resource
import sys
from pathlib import Path

import pytest
from run_toys import leftovers
from store_toys import kill, refusal

from tonearm.content_hash import hash_path
from tonearm.errors import OutputError
from tonearm.run.part import Part
from tonearm.run.prepared import PreparedFile
from tonearm.run.store import local_store as room
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.store import Store


class TestFolder:
    def test_the_copy_in_a_worker_writes_to_the_same_pathand_holds_nothing(self, store, monkeypatch):
        store.lock(None, create=True)
        data = pickle.dumps(store)
        monkeypatch.chdir("/")
        copy = pickle.loads(data)
        assert (copy.root, copy.scratch, copy.descriptors) == ("out", store.scratch, [])
        assert copy.kind(".tonearm/lock") == "file"

    def test_journals_in_the_order_of_their_last_change(self, store):
        os.mkdir("out/.tonearm")
        for number, name in enumerate(["journal.jsonl", "journal-1-of-2.jsonl", "other.jsonl", "journal-2-of-2.jsonl"]):
            Path("out/.tonearm", name).write_text("")
            os.utime(f"out/.tonearm/{name}", (100 - number, 100 - number))
        found = [os.path.basename(path) for path in store.journals()]
        assert found == ["journal-2-of-2.jsonl", "journal-1-of-2.jsonl", "journal.jsonl"]
        assert store.journal_time(".tonearm/journal.jsonl") == 100.0
        assert store.journal_size(".tonearm/none.jsonl") == store.journal_time(".tonearm/none.jsonl") == 0

    def test_a_pathwithout_journals(self, store):
        Path("file").write_text("")
        assert store.journals() == LocalStore("none").journals() == []

    def test_a_paththat_cannot_be_read_is_not_empty(self, store, monkeypatch):
        def refuse(_):
            raise PermissionError(errno.EACCES, "Permission denied")

        os.mkdir("out/.tonearm")
        monkeypatch.setattr(os, "scandir", refuse)
        with pytest.raises(OutputError, match="cannot read the journal: permission denied"):
            store.journals()

    def test_whether_a_run_goes_on(self, store):
        other_store = LocalStore("out")
        assert not store.is_running(None)
        other_store.lock(Part(1, 2), create=True)
        assert store.is_running(Part(1, 2)) == (sys.platform == "linux")
        assert not store.is_running(Part(2, 2))
        assert not store.is_running(None)
        other_store.unlock()
        assert not store.is_running(Part(1, 2))

    @pytest.mark.parametrize(
        ("source", "path"),
        [("out/x/a", "x/a"), ("out/a", "a"), ("link/x/a", "x/a"), ("other/a", None), ("outer/a", None), ("out", None)],
    )
    def test_the_path_of_a_source_below_the_root(self, store, source, path):
        os.makedirs("out/x")
        os.makedirs("other")
        os.makedirs("outer")
        os.symlink("out", "link")
        assert store.path_of(os.path.abspath(source)) == path

    def test_the_folders_of_sources_are_remembered_and_not_too_many(self, folder, store, monkeypatch):
        monkeypatch.setattr(room, "MAX_KNOWN_FOLDERS", 2)
        asked, real = [], os.path.realpath
        monkeypatch.setattr(os.path, "realpath", lambda path: (asked.append(path), real(path))[1])
        for source in ("/a/1", "/a/2", "/b/1", "/c/1", "/a/3", "/d/1", "/d/2", "/a/4"):
            assert store.path_of(source) is None
        assert [path for path in asked if path != store.scratch] == ["/a", "/b", "/c", "/d", "/a"]

    def test_sources_below_the_root_of_all_folders_and_names_that_are_none(self, store):
        whole = LocalStore("/")
        assert (whole.path_of("/a"), whole.path_of("/no/a")) == ("a", "no/a")
        assert store.path_of("/a") is None
        assert store.path_of("/\0/a") is None

    def test_free_space_is_that_of_the_nearest_folder(self, folder, store, monkeypatch):
        space = os.statvfs(folder)
        for name in ("out", "out/none/none", "none"):
            assert LocalStore(name).free_space() == pytest.approx(space.f_bavail * space.f_frsize, rel=0.01)
        asked = []

        def refuse(path):
            asked.append(path)
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "statvfs", refuse)
        assert LocalStore("none/none").free_space() is None
        assert asked == [str(folder)]

    def test_a_store_is_one_of_the_interface(self, store):
        assert isinstance(store, Store)
        assert store.commits == "driver"
        assert store.scratch == os.path.abspath("out")


class TestJournals:
    NAME = ".tonearm/journal.jsonl"

    @pytest.fixture
    def written(self, store, open_files):
        def write(content):
            os.makedirs("out/.tonearm", exist_ok=True)
            Path("out", self.NAME).write_bytes(content)
            store.kind(self.NAME)
            return open_files()

        return write

    def test_how_long_lines_and_how_many_folders_are(self):
        assert (room.MAX_LINE, room.MAX_KNOWN_FOLDERS) == (268_435_456, 10_000)

    def test_its_size_and_the_time_of_its_last_change(self, store, written):
        written(b"12345")
        os.utime(f"out/{self.NAME}", (7.5, 7.5))
        assert (store.journal_size(self.NAME), store.journal_time(self.NAME)) == (5, 7.5)
        assert (store.journal_size("none"), store.journal_time("none")) == (0, 0.0)

    def test_reading_all_lines(self, store, written, open_files, monkeypatch):
        monkeypatch.setattr(room, "close_quietly", os.close)  # what is closed twice is an error
        before = written(b"one\n\ntwo\nthr")
        assert list(store.read_journal(self.NAME)) == [b"one\n", b"\n", b"two\n", b"thr"]
        assert list(store.read_journal(self.NAME, 5)) == [b"two\n", b"thr"]
        assert next(store.read_journal(self.NAME)) == b"one\n"
        assert open_files() == before

    @pytest.mark.parametrize("call", ["fstat", "open"])
    def test_a_journal_that_cannot_be_read(self, store, written, monkeypatch, call, open_files):
        before = written(b"one\n")
        with monkeypatch.context() as patch, pytest.raises(OutputError) as caught:
            patch.setattr(os, call, refusal(errno.EIO))
            list(store.read_journal(self.NAME))
        assert caught.value.message == "cannot read the journal: input/output error"
        assert open_files() == before

    def test_a_pathin_its_place_is_closed_again(self, store, written, open_files):
        before = written(b"")
        os.mkdir("out/.tonearm/journal-1-of-2.jsonl")
        with pytest.raises(OutputError, match=r"\.tonearm/journal-1-of-2\.jsonl is no regular file"):
            list(store.read_journal(".tonearm/journal-1-of-2.jsonl"))
        assert open_files() == before

    @pytest.mark.parametrize("length", [1, 2, 4095, 4096, 4097, 12287, 12288, 12289, 30000])
    def test_one_line_of_any_length(self, store, written, monkeypatch, length):
        line = b"x" * (length - 1) + b"\n"
        written(b"before\n" + line + b"\nafter")
        sizes, real = [], os.pread
        monkeypatch.setattr(os, "pread", lambda d, size, offset: (sizes.append(size), real(d, size, offset))[1])
        assert store.read_line(self.NAME, 7) == line
        assert sizes == [4096, 8192, 16384, 32768][: 1 + (length > 4096) + (length > 12288) + (length > 28672)]
        assert store.read_line(self.NAME, 7 + length) == b"\n"
        assert store.read_line(self.NAME, 8 + length) == b"after"
        assert store.read_line(self.NAME, 13 + length) == b""

    @pytest.mark.parametrize(("most", "read"), [(4096, 4096), (4097, 12288), (12288, 12288), (12289, 28672)])
    def test_one_line_that_never_ends(self, store, written, monkeypatch, most, read):
        written(b"x" * 50000)
        monkeypatch.setattr(room, "MAX_LINE", most)
        assert len(store.read_line(self.NAME, 0)) == read

    def test_a_journal_is_opened_once_for_single_lines(self, store, written, monkeypatch, open_files):
        before = written(b"one\ntwo\n")
        assert [store.read_line(self.NAME, offset) for offset in (0, 4, 0)] == [b"one\n", b"two\n", b"one\n"]
        assert open_files() == before + 1
        assert store.read_line("none", 0) == b""
        monkeypatch.setattr(os, "pread", refusal(errno.EIO))
        assert store.read_line(self.NAME, 0) == b""
        store.close()
        assert open_files() == before - 2  # the folders are closed, too

    def test_the_journal_of_a_part_is_removed_with_its_lock_or_not_at_all(self, store, written, monkeypatch):
        written(b"")
        journal, lock = (Path("out/.tonearm", name) for name in ("journal-1-of-2.jsonl", "lock-1-of-2"))
        for path in (journal, lock):
            path.write_text("")
        with monkeypatch.context() as patch, pytest.raises(OutputError) as caught:
            patch.setattr(os, "unlink", refusal(errno.EACCES))
            store.remove_journal(Part(1, 2))
        assert caught.value.message == "cannot remove out/.tonearm/journal-1-of-2.jsonl"
        assert caught.value.hint == "remove it yourself: its records are in the whole run's journal"
        store.remove_journal(Part(1, 2))
        assert os.listdir("out/.tonearm") == ["journal.jsonl"]


class TestOutputs:
    def test_what_stands_under_a_name(self, store):
        os.mkdir("out/x")
        Path("out/x/a").write_text("123")
        os.mkfifo("out/x/pipe")
        found = [store.kind(path) for path in ("x/a", "x", "x/pipe", "x/none", "none/none")]
        assert found == ["file", "folder", "other", "nothing", "nothing"]
        assert store.state("x/a") == (3, os.stat("out/x/a").st_mtime_ns)
        assert [store.state(path) for path in ("x", "x/pipe", "x/none")] == [None] * 3

    def test_a_file_without_a_hash(self, store, monkeypatch, open_files):
        Path("out/a").write_text("123")
        os.mkdir("out/x")
        assert store.hash("a") == hash_path("out/a")
        before = open_files()
        assert [store.hash(path) for path in ("x", "none", "\0")] == [""] * 3
        with monkeypatch.context() as patch:
            patch.setattr(os, "preadv", refusal(errno.EIO))
            assert store.hash("a") == ""
        assert open_files() == before

    def test_folders_that_do_not_exist_are_remembered_until_a_run_begins_or_publishes(self, store):
        assert store.kind("x/a") == "nothing"
        os.mkdir("out/x")
        Path("out/x/a").write_text("")
        assert store.kind("x/a") == "nothing"
        store.lock(None, create=True)
        assert (store.kind("x/a"), store.kind("y/a")) == ("file", "nothing")
        os.mkdir("out/y")
        Path("out/y/a").write_text("")
        assert store.kind("y/a") == "file"

    def test_publishing_forgets_that_a_pathdid_not_exist(self, store):
        assert store.kind("x/a") == "nothing"
        with store.temporaries(None, fsync=False) as temporaries:
            temporaries.sink("x/a").path.write_bytes(b"1")
            ((file,),) = temporaries.finish()
        store.publish(file)
        assert store.kind("x/a") == "file"

    def test_not_too_many_folders_are_remembered(self, store, monkeypatch):
        monkeypatch.setattr(room, "MAX_KNOWN_FOLDERS", 2)
        for name in "xyz":
            assert store.kind(f"{name}/a") == "nothing"
            os.mkdir(f"out/{name}")
            Path("out", name, "a").write_text("")
        assert [store.kind(f"{name}/a") for name in "xyz"] == ["nothing", "nothing", "file"]

    @pytest.mark.parametrize("path", ["link/a", "link/x/a"])
    def test_a_name_that_leads_through_a_link(self, store, path):
        os.symlink("/", "out/link")
        for _ in range(2):
            with pytest.raises(OutputError) as caught:
                store.kind(path)
            told = "link is a link, and links below an output folder are not followed"
            assert caught.value.message == f"cannot write out/{path}: {told}"

    def test_renaming_fails_for_a_reason(self, store):
        with pytest.raises(OutputError, match="cannot write out/a: no such file or directory"):
            store.publish(PreparedFile(temporary=".tonearm-0.part", output="a", size=1, hash=""))

    @pytest.mark.parametrize("name", ["EIO", "ENOSPC", "EDQUOT", "EROFS", "EINVAL", "EACCES"])
    @pytest.mark.parametrize(("path", "told"), [("", "out"), ("x", "out/x")])
    def test_flushing_a_folder(self, store, monkeypatch, name, path, told):
        """A file system may not support that, and a folder may be one that must not be read."""
        os.mkdir("out/x")
        number = getattr(errno, name)
        monkeypatch.setattr(os, "fsync", refusal(number))
        caught = None
        try:
            store.flush([path])
        except OutputError as error:
            caught = error.message
        unknown = name in ("EINVAL", "EACCES")
        assert caught == (None if unknown else f"cannot write {told}: {os.strerror(number).lower()}")

    def test_a_paththat_is_gone_cannot_be_flushed(self, store):
        with pytest.raises(OutputError, match="cannot write out/none: no such file or directory"):
            store.flush(["", "none"])

    def test_every_pathup_to_the_mounted_one_may_be_new(self, folder, store, monkeypatch, open_files):
        os.makedirs("out/.tonearm")
        flushed = []
        monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.readlink(f"/proc/self/fd/{descriptor}")))
        monkeypatch.setattr(os.path, "ismount", lambda path: path == str(folder.parent))
        store.kind("")
        before = open_files()
        store.flush_root()
        assert flushed == [str(path) for path in (folder / "out/.tonearm", folder / "out", folder, folder.parent)]
        store._tree.close()
        assert open_files() < before


class TestHolding:
    def test_everything_that_is_held_is_named_and_released(self, store, open_files):
        store._tree.folder()
        before = open_files()
        assert store.lock(None, create=True) == ""
        assert os.path.isdir("out/.tonearm/owners")
        assert len(store.descriptors) == 1
        with contextlib.closing(store.owner()) as owner:
            store.take_over(owner.id)
            store.take_over(owner.id)
        store.take_over("00000000")  # gone
        assert len(store.descriptors) == 2
        assert os.listdir("out/.tonearm/owners") == [owner.id]
        with contextlib.closing(store.open_journal(None)):
            assert len(set(store.descriptors)) == 3
        assert len(store.descriptors) == 2  # a child that is forked would close another file
        store.close()
        assert open_files() == before - 1
        assert sorted(os.listdir("out/.tonearm")) == ["journal.jsonl", "lock"]
        store.unlock()

    def test_nothing_is_made_without_need(self, folder):
        store = LocalStore("none")
        assert store.lock(Part(1, 2), create=False) == ""
        assert (store.descriptors, os.path.exists("none")) == ([], False)

    def test_owners_that_cannot_be_made(self, store):
        os.mkdir("out/.tonearm")
        os.mkfifo("out/.tonearm/owners")
        with pytest.raises(OutputError, match=r"cannot write out/\.tonearm/owners: not a directory"):
            store.lock(None, create=True)

    def test_owners_that_cannot_be_opened(self, store):
        store.lock(None, create=True)
        os.mkdir("out/.tonearm/owners/0000abcd")
        with pytest.raises(OutputError, match=r"cannot write out/\.tonearm/owners: is a directory"):
            store.take_over("0000abcd")

    def test_more_owners_than_a_process_may_have_files_open_at_first(self, store):
        """A cluster has an owner for each of its threads. The limit is often 1,024, and may be raised."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.ExitStack() as stack:
            store.lock(None, create=True)
            owners = [stack.enter_context(contextlib.closing(store.owner())).id for _ in range(3)]
            stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
            with open(os.devnull) as last:
                resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno() + 1, hard))
                for owner in owners:
                    store.take_over(owner)
            assert len(store.descriptors) == 4

    def test_more_owners_than_a_process_may_ever_have_files_open(self, store, monkeypatch):
        store.lock(None, create=True)
        monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 100))
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", refusal(errno.EMFILE))
            with pytest.raises(OutputError, match=r"cannot write out/\.tonearm/owners: too many open files"):
                store.take_over("00010002")

    @pytest.mark.parametrize("fsync", [False, True])
    def test_prepared_files_that_are_not_published_are_removed(self, store, monkeypatch, fsync):
        flushed = []
        monkeypatch.setattr(os, "fsync", flushed.append)
        with store.temporaries(None, fsync=fsync) as temporaries:
            for name in ("x/a", "b"):
                temporaries.sink(name).path.write_bytes(b"1")
            files = [file for (file,) in temporaries.finish()]
        assert len(flushed) == (2 if fsync else 0)
        assert len(leftovers()) == 2
        store.discard(files)
        assert leftovers() == []

    @pytest.mark.parametrize(
        ("folders", "left"),
        [(None, []), ([""], ["x", "x/y"]), (["x"], ["", "x/y"]), ([], ["", "x", "x/y"])],
    )
    def test_where_a_sweep_looks(self, store, folders, left):
        os.makedirs("out/x/y")
        for name in ("", "x", "x/y"):
            Path("out", name, ".tonearm-0123456789abcdef.part").write_text("")
        store.sweep(folders=folders)
        found = sorted(path.parent.relative_to("out") for path in Path("out").rglob("*.part"))
        assert found == [Path(name) for name in left]

    def test_a_sweep_for_one_owner(self, store):
        for owner in ("01234567", "76543210"):
            Path("out", f".tonearm-{owner}00000000.part").write_text("")
        store.sweep("01234567")
        assert os.listdir("out") == [".tonearm-7654321000000000.part"]


class TestMarks:
    """What one process leaves in the folder, for others to know it by."""

    def test_a_mark_is_seen_by_all_who_see_the_folder(self, store, folder):
        mark = store.mark()
        assert store.mark() == mark
        copy = pickle.loads(pickle.dumps(store))
        assert copy.sees(mark)
        assert copy.is_held(mark)
        assert not LocalStore("elsewhere").sees(mark)
        assert not os.path.exists("elsewhere")
        store.close()
        assert not copy.sees(mark)
        assert not copy.is_held(mark)
        assert os.listdir("out/.tonearm") == []

    def test_a_mark_that_could_not_be_written_is_written_later(self, store, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", refusal(errno.ENOSPC))
            with pytest.raises(OutputError, match="no space left on device"):
                store.mark()
        assert LocalStore("out").sees(store.mark())
        store.close()
        assert os.listdir("out/.tonearm") == []

    @pytest.mark.parametrize("change", [lambda mark: "", lambda mark: mark[:9], lambda mark: f"{mark[:-1]}x"])
    def test_others_are_not_seen(self, store, change):
        mark = store.mark()
        assert not store.sees(change(mark))
        assert not store.is_held(change(mark))

    def test_a_mark_whose_process_was_killed_is_seen_and_not_held(self, store, other):
        process = other("store = LocalStore('out')\nPath('mark').write_text(store.mark())")
        mark = Path("mark").read_text()
        assert (store.sees(mark), store.is_held(mark)) == (True, True)
        kill(process)
        assert (store.sees(mark), store.is_held(mark)) == (True, False)
        store.sweep()
        assert not store.sees(mark)

    def test_a_sweep_of_others_leaves_a_mark(self, store):
        mark = store.mark()
        assert not LocalStore("out").sweep()  # somebody holds something
        assert store.sees(mark)

    def test_without_locks_a_mark_is_held_for_as_long_as_it_is_there(self, store, monkeypatch):
        monkeypatch.setattr(fcntl, "flock", refusal(errno.ENOLCK))
        mark = store.mark()
        assert LocalStore("out").is_held(mark)
        store.close()
        assert not LocalStore("out").is_held(mark)
