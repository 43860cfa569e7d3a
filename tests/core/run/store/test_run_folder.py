from tonearm.run.part import Part
from tonearm.run.store.run_folder import OWNERS, is_journal, journal_path, lock_path


def test_names_on_the_disk_do_not_change():
    assert journal_path() == ".tonearm/journal.jsonl"
    assert journal_path(Part(2, 3)) == ".tonearm/journal-2-of-3.jsonl"
    assert lock_path() == ".tonearm/lock"
    assert lock_path(Part(2, 3)) == ".tonearm/lock-2-of-3"
    assert OWNERS == ".tonearm/owners"


def test_journals_are_known_by_their_names():
    names = ["journal.jsonl", "journal-1-of-2.jsonl", "other.jsonl", "journal.jsonl.bak", "lock", "owners"]
    assert list(filter(is_journal, names)) == ["journal.jsonl", "journal-1-of-2.jsonl"]
