import errno
import os

import pytest

from tonearm.errors import OutputError
from tonearm.run.part import Part
from tonearm.run.store.journal import Journal, JournalReader, LocalJournalFile, runs_in_order
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.records import OtherJournalError, RunRecord, StopRecord, SyncRecord, encode_record
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
        with pytest.raises(OutputError):
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
    def test_what_is_no_file_is_not_written_and_never_blocks(self, root, path, make):
        make(path)
        with pytest.raises(OutputError, match="cannot write the journal"):
            LocalJournalFile(Tree(str(root)), journal_path())


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

    @pytest.mark.parametrize(
        ("line", "message", "hint"),
        [
            (
                b'{"record":"run","pipeline":"f00d","time":1.5,"sources":1}\n',
                "the journal was written by tonearm 0.1.0",
                "choose another output folder; or remove its folder .tonearm and convert everything again, by force",
            ),
            (
                b'{"record":"run","file":"\\udcff.yaml","pipeline":"f00d","time":1.5,"sources":1}\n',
                "the journal was written by tonearm 0.1.0",
                "choose another output folder; or remove its folder .tonearm and convert everything again, by force",
            ),
            (
                b'{"record":"run","journal":3,"colour":"red"}\n',
                "the journal has format 3, and this tonearm reads format 2",
                "update tonearm, or choose another output folder",
            ),
        ],
    )
    def test_another_versions_journal_is_refused(self, root, path, line, message, hint):
        path.write_bytes(line)
        with pytest.raises(OtherJournalError) as caught:
            found(root)
        assert (caught.value.code, caught.value.message, caught.value.hint) == ("other-journal", message, hint)


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
        sections = [section for section in runs if section[1] != section[2]]
        assert sections == [(0, 0, size), (1, 0, None), (0, size, 2 * size), (0, 2 * size, None)]

    def test_one_journal_is_read_once(self, root):
        assert runs_in_order(LocalStore(str(root)), ["any"]) == [(0, 0, None)]
