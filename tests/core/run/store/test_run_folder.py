import os

import pytest

from tonearm.errors import OutputError
from tonearm.run.part import Part
from tonearm.run.store.run_folder import find_journals, folder_path, journal_path, lock_path


def test_names_on_the_disk_do_not_change():
    assert folder_path("out") == "out/.tonearm"
    assert journal_path("out") == "out/.tonearm/journal.jsonl"
    assert journal_path("out", Part(2, 3)) == "out/.tonearm/journal-2-of-3.jsonl"
    assert lock_path("out") == "out/.tonearm/lock"
    assert lock_path("out", Part(2, 3)) == "out/.tonearm/lock-2-of-3"


def test_the_journal_that_was_written_last_comes_last(tmp_path):
    folder = tmp_path / ".tonearm"
    folder.mkdir()
    for number, name in enumerate(["journal.jsonl", "journal-1-of-2.jsonl", "other.jsonl", "journal-2-of-2.jsonl"]):
        (folder / name).write_text("")
        os.utime(folder / name, (100 - number, 100 - number))
    assert [os.path.basename(path) for path in find_journals(str(tmp_path))] == [
        "journal-2-of-2.jsonl", "journal-1-of-2.jsonl", "journal.jsonl",
    ]  # fmt: skip


def test_a_folder_without_journals(tmp_path):
    (tmp_path / "file").write_text("")
    assert find_journals(str(tmp_path)) == find_journals("none") == find_journals(str(tmp_path / "file")) == []


def test_a_folder_that_cannot_be_read_is_not_empty(tmp_path, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(OutputError, match="cannot read the journal: permission denied"):
        find_journals(str(tmp_path))
