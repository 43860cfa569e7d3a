import pytest

from tonearm.run.part import Part
from tonearm.run.store.run_folder import NEW_JOURNAL, OWNERS, is_journal, journal_path, lock_path, part_of_journal


def test_names_on_the_disk_do_not_change():
    assert journal_path() == ".tonearm/journal.jsonl"
    assert journal_path(Part(2, 3)) == ".tonearm/journal-2-of-3.jsonl"
    assert lock_path() == ".tonearm/lock"
    assert lock_path(Part(2, 3)) == ".tonearm/lock-2-of-3"
    assert OWNERS == ".tonearm/owners"
    assert NEW_JOURNAL == ".tonearm/new-journal"
    assert not is_journal("new-journal")


def test_journals_are_known_by_their_names():
    names = ["journal.jsonl", "journal-1-of-2.jsonl", "other.jsonl", "journal.jsonl.bak", "lock", "owners"]
    assert list(filter(is_journal, names)) == ["journal.jsonl", "journal-1-of-2.jsonl"]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("journal-1-of-2", Part(1, 2)),
        ("journal-12-of-345", Part(12, 345)),
        ("journal-100000000-of-999999999", Part(100_000_000, 999_999_999)),
        *((name, None) for name in ("journal", "journal-0-of-2", "journal-1-of-02", "journal-1-of-1000000000")),
        *((name, None) for name in ("journal-\u0661-of-2", "journal-1-of-2-of-3", "x/journal-1-of-2", "journal1-of-2")),
    ],
)
def test_parts_are_known_by_the_names_of_their_journals(name, part):
    assert part_of_journal(f".tonearm/{name}.jsonl") == part
    assert part_of_journal(f".tonearm/{name}.jsonl.bak") is None
    assert part_of_journal(f"{name}.jsonl") is None
