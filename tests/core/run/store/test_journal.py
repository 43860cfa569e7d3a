import errno
import os
from pathlib import Path

import pytest

from tonearm.errors import OutputError
from tonearm.run.part import Part
from tonearm.run.store.journal import Journal
from tonearm.run.store.records import RunRecord, StopRecord, SyncRecord, read_records
from tonearm.run.store.run_folder import journal_path

RUN = RunRecord(time=1.5, pipeline="f00d", sources=3)


@pytest.fixture
def root(tmp_path):
    (tmp_path / ".tonearm").mkdir()
    return str(tmp_path)


def found(root):
    return [record for _, record in read_records(journal_path(root)) if record]


def test_a_record_is_written_in_one_write(root, monkeypatch):
    journal = Journal(root)
    written = []
    real = os.write
    monkeypatch.setattr(os, "write", lambda d, data: written.append(bytes(data)) or real(d, data))
    journal.write(SyncRecord())
    assert written == [b'{"record":"sync"}\n']
    assert journal.size == len(written[0])
    journal.flush()
    journal.close()
    assert found(root) == [SyncRecord()]


@pytest.mark.parametrize("torn", [b'{"record":"sync"', b"{", b"\x00\xff", b'{"record":"sync"}'])
def test_a_torn_line_is_healed_and_skipped(root, torn):
    with open(journal_path(root), "wb") as file:
        file.write(b'{"record":"run","time":1.5,"pipeline":"f00d","sources":3}\n' + torn)
    before = os.path.getsize(journal_path(root))
    journal = Journal(root)
    assert journal.size == before  # opening it changes nothing
    journal.write(StopRecord())
    journal.write(RUN)
    journal.close()
    whole = [SyncRecord()] if torn.endswith(b"}") else []
    assert found(root) == [RUN, *whole, StopRecord(), RUN]


def test_half_a_write_is_completed(root, monkeypatch):
    journal = Journal(root)
    real = os.write
    sizes = iter([5, 1000])
    monkeypatch.setattr(os, "write", lambda d, data: real(d, data[: next(sizes)]))
    journal.write(RUN)
    assert found(root) == [RUN]


def test_a_full_disk_takes_half_a_line_and_later_records_are_not_lost(root, monkeypatch):
    journal = Journal(root)
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


def test_a_disk_that_writes_nothing_and_reports_no_error(root, monkeypatch):
    journal = Journal(root)
    monkeypatch.setattr(os, "write", lambda d, data: 0)
    with pytest.raises(OutputError):
        journal.write(RUN)


def test_a_folder_that_cannot_be_written(root, monkeypatch):
    real = os.open

    def refuse(path, flags, *more):
        if str(path).endswith(".jsonl"):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *more)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OutputError, match="cannot write the journal: read-only file system"):
        Journal(root)


def test_a_part_has_a_journal_of_its_own(root):
    Journal(root, Part(2, 3)).write(SyncRecord())
    assert Path(root, ".tonearm", "journal-2-of-3.jsonl").read_bytes() == b'{"record":"sync"}\n'
