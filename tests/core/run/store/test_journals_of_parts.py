"""What a store does with the journals and locks of parts."""

import contextlib
import os
import subprocess
import sys

import pytest
from written_journals import Source, write_run

from tonearm.errors import OutputError
from tonearm.run.part import Part
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.run_folder import journal_path, part_of_journal


@pytest.fixture
def store(tmp_path):
    with contextlib.closing(LocalStore(str(tmp_path))) as opened:
        yield opened


def names(folder):
    return sorted(path.name for path in (folder / ".tonearm").iterdir())


@pytest.mark.parametrize(
    ("name", "part"),
    [
        (journal_path(Part(2, 13)), Part(2, 13)),
        (journal_path(), None),
        (".tonearm/journal-1-of-2.jsonl.bak", None),
        (".tonearm/journal-01-of-2.jsonl", None),
        (".tonearm/journal-1-of-2\n.jsonl", None),
        (".tonearm/journal-٣-of-٤.jsonl", None),
        ("elsewhere/journal-1-of-2.jsonl", None),
    ],
)
def test_the_part_of_a_journal_follows_from_its_name(name, part):
    assert part_of_journal(name) == part


def test_a_journal_is_replaced_in_one_step(tmp_path, store):
    write_run(tmp_path, Source("a"))
    before = (tmp_path / ".tonearm" / "journal.jsonl").read_bytes()

    def lines():
        yield b"new\n"
        assert (tmp_path / ".tonearm" / "journal.jsonl").read_bytes() == before
        yield b"lines\n"

    store.replace_journal(lines())
    assert (tmp_path / ".tonearm" / "journal.jsonl").read_bytes() == b"new\nlines\n"
    assert names(tmp_path) == ["journal.jsonl", "lock"]


def test_a_journal_that_cannot_be_replaced_stays(tmp_path, store):
    write_run(tmp_path, Source("a"))
    before = (tmp_path / ".tonearm" / "journal.jsonl").read_bytes()

    def lines():
        yield b"new\n"
        raise OutputError("cannot read another journal")

    with pytest.raises(OutputError, match="cannot read another"):
        store.replace_journal(lines())
    assert (tmp_path / ".tonearm" / "journal.jsonl").read_bytes() == before
    assert names(tmp_path) == ["journal.jsonl", "lock"]


def test_nothing_is_written_through_a_link(tmp_path, store):
    write_run(tmp_path, Source("a"))
    (tmp_path / "mine").write_text("mine")
    (tmp_path / ".tonearm" / "new-journal").symlink_to(tmp_path / "mine")
    store.replace_journal([b"new\n"])
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / ".tonearm" / "journal.jsonl").read_bytes() == b"new\n"


def test_a_part_is_removed_with_its_lock(tmp_path, store):
    for index in (1, 2):
        write_run(tmp_path, Source("a"), part=(index, 2))
    store.remove_journal(Part(1, 2))
    assert names(tmp_path) == ["journal-2-of-2.jsonl", "lock", "lock-2-of-2"]
    store.remove_journal(Part(1, 2))


def test_a_journal_that_cannot_be_removed_is_an_error(tmp_path, store):
    (tmp_path / ".tonearm" / "journal-1-of-2.jsonl").mkdir(parents=True)
    with pytest.raises(OutputError, match="cannot remove"):
        store.remove_journal(Part(1, 2))


@pytest.mark.skipif(not os.path.exists("/proc/locks"), reason="locks are listed on Linux only")
@pytest.mark.parametrize("held", [None, (1, 2)])
def test_who_runs_is_seen_from_another_process(tmp_path, store, held):
    write_run(tmp_path, Source("a"), part=(2, 2))
    code = f"""
from tonearm.run.part import Part
from tonearm.run.store.local_store import LocalStore
store = LocalStore({str(tmp_path)!r})
store.lock(Part(*{held}) if {held} else None, create=True)
print("held", flush=True)
input()
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "held\n"
    running = {part: store.is_running(Part(*part) if part else None) for part in (None, (1, 2), (2, 2))}
    child.communicate("\n", timeout=60)
    assert running == {part: part == held for part in running}
    assert not store.is_running(Part(*held) if held else None)
