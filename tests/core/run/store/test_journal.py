import errno
import json
import os
from pathlib import Path

import pytest

from tonearm.errors import OutputError
from tonearm.run.part import Part
from tonearm.run.store.journal import Journal, journal_path
from tonearm.run.store.records import read_records


@pytest.fixture
def root(tmp_path):
    (tmp_path / ".tonearm").mkdir()
    return str(tmp_path)


def found(root):
    return [record for _, record in read_records(journal_path(root)) if record]


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


def test_a_part_has_a_journal_of_its_own(root):
    assert journal_path(root, Part(2, 3)) == f"{root}/.tonearm/journal-2-of-3.jsonl"
    Journal(root, Part(2, 3)).write("run")
    assert json.loads(Path(root, ".tonearm", "journal-2-of-3.jsonl").read_text()) == {"record": "run"}
