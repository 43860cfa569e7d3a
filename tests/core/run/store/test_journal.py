import errno
import os

import pytest
from store_toys import refusal

from tonearm.errors import OutputError
from tonearm.run.part import Part
from tonearm.run.store.journal import (
    Journal,
    JournalReader,
    LocalJournalFile,
    place_at,
    position_of,
    replace_local_journal,
    runs_in_order,
)
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.records import (
    OtherJournalError,
    OutRecord,
    RunRecord,
    StopRecord,
    SyncRecord,
    encode_record,
)
from tonearm.run.store.run_folder import journal_path
from tonearm.run.store.tree import Tree

RUN = RunRecord(time=1.5, pipeline="f00d", sources=3)


@pytest.fixture
def root(tmp_path):
    (tmp_path / ".tonearm").mkdir()
    return tmp_path


@pytest.fixture
def path(root):
    return root / ".tonearm" / "journal.jsonl"


def opened(root):
    return Journal(LocalStore(str(root)).open_journal(None))


def found(root, name="journal.jsonl", *section):
    return [record for _, record in JournalReader(LocalStore(str(root)), f".tonearm/{name}", *section)]


class TestWriting:
    def test_a_record_is_written_in_one_write(self, root, monkeypatch):
        journal = opened(root)
        written = []
        real = os.write
        monkeypatch.setattr(os, "write", lambda d, data: written.append(bytes(data)) or real(d, data))
        journal.write(SyncRecord())
        assert written == [b'{"record":"sync"}\n']
        assert journal.file.size == len(written[0])
        journal.file.flush()
        journal.file.close()
        assert found(root) == [SyncRecord()]

    @pytest.mark.parametrize("torn", [b'{"record":"sync"', b"{", b"\x00\xff", b'{"record":"sync"}'])
    def test_a_torn_line_is_healed_and_skipped(self, root, path, torn):
        path.write_bytes(encode_record(RUN) + torn)
        before = path.stat().st_size
        journal = opened(root)
        assert journal.file.size == before  # opening it changes nothing
        journal.write(StopRecord())
        journal.write(RUN)
        journal.file.close()
        whole = [SyncRecord()] if torn.endswith(b"}") else []
        assert found(root) == [RUN, *whole, StopRecord(), RUN]

    def test_half_a_write_is_completed(self, root, monkeypatch):
        journal = opened(root)
        real = os.write
        sizes = iter([5, 1000])
        monkeypatch.setattr(os, "write", lambda d, data: real(d, data[: next(sizes)]))
        journal.write(RUN)
        assert found(root) == [RUN]

    def test_a_full_disk_takes_half_a_line_and_later_records_are_not_lost(self, root, monkeypatch):
        journal = opened(root)
        real, calls = os.write, []

        def write(descriptor, data):
            calls.append(len(data))
            if len(calls) == 1:
                return real(descriptor, data[:7])
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "write", write)
        with pytest.raises(OutputError) as caught:
            journal.write(RUN)
        assert str(caught.value) == "cannot write the journal: no space left on device"
        monkeypatch.setattr(os, "write", real)
        journal.write(StopRecord())
        assert found(root) == [StopRecord()]

    def test_a_disk_that_writes_nothing_and_reports_no_error(self, root, monkeypatch):
        journal = opened(root)
        monkeypatch.setattr(os, "write", lambda d, data: 0)
        with pytest.raises(OutputError, match="cannot write the journal: it takes no whole line"):
            journal.write(RUN)

    def test_a_folder_that_cannot_be_written(self, root, monkeypatch):
        real = os.open

        def refuse(path, flags, *more, **options):
            if str(path).endswith(".jsonl"):
                raise OSError(errno.EROFS, "Read-only file system")
            return real(path, flags, *more, **options)

        monkeypatch.setattr(os, "open", refuse)
        with pytest.raises(OutputError, match="cannot write the journal: read-only file system"):
            opened(root)

    def test_a_part_has_a_journal_of_its_own(self, root):
        file = LocalStore(str(root)).open_journal(Part(2, 3))
        Journal(file).write(SyncRecord())
        assert file.name == journal_path(Part(2, 3))
        assert (root / ".tonearm" / "journal-2-of-3.jsonl").read_bytes() == b'{"record":"sync"}\n'

    @pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink("/dev/null", path)])
    def test_what_is_no_file_is_not_written_and_never_blocks(self, root, path, make, open_files):
        make(path)
        tree = Tree(str(root))
        tree.folder(".tonearm")
        before = open_files()
        with pytest.raises(OutputError, match="cannot write the journal"):
            LocalJournalFile(tree, journal_path())
        assert open_files() == before

    @pytest.mark.parametrize("name", ["fdatasync", "fstat"])
    def test_what_the_disk_refuses_is_an_error_of_the_output(self, root, monkeypatch, name):
        file = opened(root).file
        with monkeypatch.context() as patch, pytest.raises(OutputError) as caught:
            patch.setattr(os, name, refusal(errno.EIO))
            file.flush() if name == "fdatasync" else file.size
        assert caught.value.message == "cannot write the journal: input/output error"


class TestReserve:
    """Space that holds the last records when the disk is full."""

    @pytest.fixture
    def reserve(self, root):
        return root / ".tonearm" / "journal.reserve"

    @pytest.fixture
    def full(self, monkeypatch):
        """Return a function that makes some writes fail, one after the other."""

        def fail(*numbers):
            real, left = os.write, list(numbers)

            def write(descriptor, data):
                if left and (number := left.pop(0)):
                    raise OSError(number, os.strerror(number))
                return real(descriptor, data)

            monkeypatch.setattr(os, "write", write)

        return fail

    @pytest.mark.parametrize("by_hand", [False, True])
    def test_it_is_there_while_the_journal_is_open(self, root, reserve, monkeypatch, by_hand, open_files):
        if by_hand:
            monkeypatch.delattr(os, "posix_fallocate")
        tree = Tree(str(root))
        tree.folder(".tonearm")
        before = open_files()
        file = LocalJournalFile(tree, journal_path())
        assert reserve.stat().st_size == 16384
        assert open_files() - before == 1
        file.close()
        assert not reserve.exists()
        assert open_files() == before

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
    def test_a_full_disk_has_room_for_the_last_records(self, root, reserve, full, number):
        journal = opened(root)
        full(number)
        journal.write(RUN)
        assert not reserve.exists()
        full(number)
        with pytest.raises(OutputError):
            journal.write(StopRecord())
        journal.file.close()
        assert found(root) == [RUN]

    def test_it_is_kept_for_a_full_disk(self, root, reserve, full):
        journal = opened(root)
        full(errno.EIO)
        with pytest.raises(OutputError, match="cannot write the journal: input/output error"):
            journal.write(RUN)
        assert reserve.exists()

    def test_a_disk_without_room_for_it(self, root, reserve, monkeypatch):
        monkeypatch.setattr(os, "posix_fallocate", refusal(errno.ENOSPC))
        journal = opened(root)
        journal.write(RUN)
        journal.file.close()
        assert not reserve.exists()
        assert found(root) == [RUN]

    def test_what_has_its_name_is_left_alone(self, root, reserve, full):
        os.mkfifo(reserve)
        journal = opened(root)
        full(errno.ENOSPC)
        with pytest.raises(OutputError, match="no space left on device"):
            journal.write(RUN)
        journal.file.close()
        assert reserve.exists()


class TestReplacing:
    @pytest.fixture
    def replace(self, root, path):
        path.write_bytes(b"before\n")

        def call(lines):
            replace_local_journal(Tree(str(root)), journal_path(), lines)

        yield call
        assert os.listdir(root / ".tonearm") == ["journal.jsonl"]

    def test_it_is_done_in_one_step_and_on_the_disk_before_it_has_its_name(self, replace, path, monkeypatch):
        seen = []
        fsync, rename = os.fsync, os.replace

        def flushed(descriptor):
            name = os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))
            size = os.fstat(descriptor).st_size if name == "new-journal" else None
            seen.append((name, size, path.read_bytes()))
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", flushed)
        monkeypatch.setattr(os, "replace", lambda *names, **more: (seen.append(names), rename(*names, **more)))
        replace([b"new\n", b"lines\n"])
        assert seen == [
            ("new-journal", 10, b"before\n"),
            ("new-journal", "journal.jsonl"),
            (".tonearm", None, b"new\nlines\n"),
        ]

    def test_what_a_killed_merge_left_and_links_are_removed_first(self, replace, path, root):
        for left in (
            lambda new: new.write_bytes(b"a longer text of before"),
            lambda new: new.symlink_to(root / "mine"),
        ):
            left(root / ".tonearm" / "new-journal")
            replace([b"new\n"])
            assert path.read_bytes() == b"new\n"
        assert not (root / "mine").exists()

    @pytest.mark.parametrize("error", [OutputError("cannot read another journal"), KeyboardInterrupt()])
    def test_without_all_lines_the_old_one_stays(self, replace, path, error):
        def lines():
            yield b"new\n"
            raise error

        with pytest.raises(type(error)):
            replace(lines())
        assert path.read_bytes() == b"before\n"

    @pytest.mark.parametrize("name", ["open", "fsync", "replace"])
    def test_what_cannot_be_written(self, replace, path, name, monkeypatch):
        with monkeypatch.context() as patch, pytest.raises(OutputError) as caught:
            patch.setattr(os, name, refusal(errno.ENOSPC))
            replace([b"new\n"])
        assert caught.value.message == "cannot write the journal: no space left on device"
        assert path.read_bytes() == b"before\n"


class TestReading:
    def test_a_section(self, path, root):
        records = [RUN, SyncRecord(), StopRecord(), RUN]
        path.write_bytes(b"".join(map(encode_record, records)))
        reader = JournalReader(LocalStore(str(root)), journal_path())
        pairs = list(reader)
        assert [record for _, record in pairs] == records
        offsets = [offset for offset, _ in pairs]
        assert (offsets[0], reader.end) == (0, path.stat().st_size)
        section = JournalReader(LocalStore(str(root)), journal_path(), offsets[1], offsets[3])
        assert [record for _, record in section] == records[1:3]
        assert section.end == offsets[3]

    def test_a_section_of_a_long_journal_ends_at_its_end(self, path, root):
        line = encode_record(RUN)
        path.write_bytes(line * 20)
        for count in (9, 10):
            section = JournalReader(LocalStore(str(root)), journal_path(), 5 * len(line), count * len(line))
            assert [offset for offset, _ in section] == [number * len(line) for number in range(5, count)]
            assert section.end == count * len(line)

    def test_records_that_are_left_out_are_not_even_decoded(self, path, root):
        path.write_bytes(b'{"record":"out" nonsense}\n' + encode_record(RUN) + b'{"record":"out"')
        store = LocalStore(str(root))
        left_out = JournalReader(store, journal_path(), skip=OutRecord)
        assert list(left_out) == [(26, RUN)]
        assert (left_out.end, left_out.nonsense) == (path.stat().st_size, 0)
        read = JournalReader(store, journal_path())
        assert list(read) == [(26, RUN)]
        assert (read.end, read.nonsense) == (path.stat().st_size, 2)

    def test_a_journal_that_does_not_exist_is_empty(self, root):
        assert found(root, "none") == []

    @pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
    def test_a_journal_that_is_no_file(self, root, path, make):
        make(path)
        with pytest.raises(OutputError, match=r"cannot read the journal: \.tonearm/journal\.jsonl is no regular file"):
            found(root)

    def test_lines_that_make_no_sense_are_skipped_and_counted(self, root, path):
        nonsense = [b"null\n", b'{"record":"note"}\n', b"\x1b[2J\xff\n", b"\n", b" \n", b'{"record":"sync"']
        path.write_bytes(encode_record(RUN) + b"".join(nonsense))
        reader = JournalReader(LocalStore(str(root)), journal_path())
        assert [record for _, record in reader] == [RUN]
        assert reader.nonsense == 4  # an empty line is none

    def test_a_giant_line_is_read_in_pieces(self, root, path, monkeypatch):
        monkeypatch.setattr("tonearm.run.store.local_store.MAX_LINE", 1000)
        path.write_bytes(b"x" * 2500 + b"\n" + encode_record(StopRecord()))
        lines = list(LocalStore(str(root)).read_journal(journal_path()))
        assert max(map(len, lines)) == 1000
        assert found(root) == [StopRecord()]

    def test_another_versions_journal_is_refused(self, root, path):
        path.write_bytes(b'{"record":"run","pipeline":"f00d","time":1.5,"sources":1}\n')
        with pytest.raises(OtherJournalError):
            found(root)


class TestOrder:
    @pytest.fixture
    def journal(self, root):
        def write(name, *records):
            (root / ".tonearm" / name).write_bytes(b"".join(map(encode_record, records)))
            return f".tonearm/{name}"

        return write

    def test_runs_follow_one_another_by_time_but_within_a_journal_by_place(self, root, journal):
        def run(time):
            return RunRecord(time=time, pipeline="", sources=0)

        first = journal("1", run(1.0), run(3.0), run(0.5))
        second = journal("2", run(2.0))
        size = len(encode_record(run(1.0)))
        runs = runs_in_order(LocalStore(str(root)), [first, second])
        assert runs == [(0, 0, size), (1, 0, None), (0, size, 2 * size), (0, 2 * size, None)]

    def test_what_no_run_began_comes_first_and_the_first_journal_before_others(self, root, journal):
        early = [RunRecord(time=time, pipeline="", sources=0) for time in (-1.0, 0.0, 0.5)]
        names = [journal("1", *early), journal("2", SyncRecord(), *early), journal("3", SyncRecord()), journal("4")]
        size = len(encode_record(SyncRecord()))
        first, second, _ = (len(encode_record(run)) for run in early)
        assert runs_in_order(LocalStore(str(root)), names) == [
            (0, 0, first),
            (0, first, first + second),
            (1, 0, size),
            (1, size, size + first),
            (1, size + first, size + first + second),
            (2, 0, None),
            (3, 0, None),
            (0, first + second, None),
            (1, size + first + second, None),
        ]

    def test_one_journal_is_not_parted(self, root, journal):
        assert runs_in_order(LocalStore(str(root)), [journal("1", RUN, RUN)]) == [(0, 0, None)]


@pytest.mark.parametrize(("journal", "offset"), [(0, 0), (0, 5), (3, 0), (3, 5), (65535, 2**48 - 1), (1, 2**47 + 1)])
def test_a_position_is_a_journal_and_an_offset(journal, offset):
    assert position_of(journal, offset) == journal * 2**48 + offset
    assert place_at(position_of(journal, offset)) == (journal, offset)
