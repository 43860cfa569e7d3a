"""One journal made of those of a run's parts."""

import contextlib
import dataclasses
import json
import os
from pathlib import Path

import pytest
from written_journals import Source, append_lines, status_of, write_run

from tonearm.errors import OutputError, UsageError
from tonearm.run.merge import merge
from tonearm.run.part import Part
from tonearm.run.store.history import History
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.lock import LockedError


def merged(out):
    with contextlib.closing(LocalStore(str(out))) as store:
        return merge(store)


def status(out):
    with contextlib.closing(LocalStore(str(out))) as store:
        return status_of(store)


def names(out):
    return sorted(path.name for path in (out / ".tonearm").iterdir())


def records(out, name="journal.jsonl"):
    return [json.loads(line) for line in (out / ".tonearm" / name).read_text().splitlines()]


def figures(out):
    """Return the status of a folder, but for what names journals."""
    found = vars(status(out))
    found["last"] = [dataclasses.replace(run, journal="") for run in found["last"]]
    found["shared"] = [
        (shared.fingerprint, shared.count, sorted(shared.parts), shared.items, shared.failed, shared.left)
        for shared in found["shared"]
    ]
    return found


@pytest.fixture
def parts(tmp_path):
    """Three parts; the second was killed and has run again."""
    write_run(tmp_path, Source("a"), Source("b"), part=(1, 3), began=100)
    write_run(tmp_path, Source("c"), part=(2, 3), total=2, stop=None, began=101)
    write_run(tmp_path, Source("e", {}), part=(3, 3), began=102)
    write_run(tmp_path, Source("d"), part=(2, 3), skipped=1, began=150)
    return tmp_path


def test_one_journal_has_all_records(parts):
    separate = [record for name in names(parts) if name.startswith("journal") for record in records(parts, name)]
    before = figures(parts)
    report = merged(parts)
    assert report.is_complete
    assert report.merged == 3
    assert names(parts) == ["journal.jsonl", "lock"]
    together = records(parts)
    assert sorted(map(json.dumps, together)) == sorted(map(json.dumps, separate))
    assert [record["time"] for record in together if record["record"] == "run"] == [100, 101, 102, 150]
    assert figures(parts) == before


def test_the_history_is_the_same(parts):
    def ends(out):
        with contextlib.closing(LocalStore(str(out))) as store:
            history = History(store)
            return [history.outputs(["fp"], ".", f"/in/{name}.npy") for name in "abcde"]

    before = ends(parts)
    assert before[:2] == [["a.wav"], ["b.wav"]]
    merged(parts)
    assert ends(parts) == before


def test_a_second_merge_changes_nothing(parts):
    merged(parts)
    before = (parts / ".tonearm" / "journal.jsonl").read_bytes()
    report = merged(parts)
    assert (report.merged, report.is_complete) == (0, True)
    assert (parts / ".tonearm" / "journal.jsonl").read_bytes() == before


def test_a_part_that_runs_after_a_merge_is_merged_too(parts):
    merged(parts)
    write_run(parts, Source("f"), part=(2, 3), skipped=2, began=200)
    report = merged(parts)
    assert (report.merged, report.is_complete, report.status.items) == (1, True, 5)
    assert [record["time"] for record in records(parts) if record["record"] == "run"] == [100, 101, 102, 150, 200]


@pytest.mark.parametrize("removed", [0, 1, 2])
def test_a_merge_that_was_killed_is_completed(parts, monkeypatch, removed):
    """Whatever was removed before the kill, nothing is doubled and nothing is lost."""
    before = figures(parts)
    expected = [
        json.dumps(record) for name in names(parts) if name.startswith("journal") for record in records(parts, name)
    ]

    class Killed(BaseException):
        pass

    real, calls = LocalStore.remove_journal, []

    def remove(self, part):
        if len(calls) == removed:
            raise Killed
        calls.append(part)
        real(self, part)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "remove_journal", remove)
        with pytest.raises(Killed):
            merged(parts)
    assert len([name for name in names(parts) if name.startswith("journal-")]) == 3 - removed
    report = merged(parts)
    assert report.merged == 3 - removed
    assert sorted(map(json.dumps, records(parts))) == sorted(expected)
    assert figures(parts) == before


def test_a_new_journal_that_a_killed_merge_left_is_no_journal(parts):
    (parts / ".tonearm" / "new-journal").write_text('{"record":"run"}\n')
    os.mkfifo(parts / "fifo")
    before = figures(parts)
    merged(parts)
    assert names(parts) == ["journal.jsonl", "lock"]
    assert figures(parts) == before


def test_the_disk_is_full(parts, monkeypatch):
    before = {name: (parts / ".tonearm" / name).read_bytes() for name in names(parts)}

    def refuse(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OutputError, match="no space left"):
        merged(parts)
    assert {name: (parts / ".tonearm" / name).read_bytes() for name in names(parts)} == {"lock": b""} | before


def test_a_torn_line_of_a_killed_part_swallows_no_record(tmp_path):
    write_run(tmp_path, Source("a"), part=(1, 2), began=1, stop=None)
    append_lines(tmp_path, '{"record":"out","sour', name="journal-1-of-2.jsonl")
    write_run(tmp_path, Source("b"), part=(2, 2), began=2)
    merged(tmp_path)
    found = status(tmp_path)
    assert (found.items, found.nonsense, len(found.last)) == (2, 1, 2)


def test_temporaries_of_a_killed_part_are_swept(tmp_path):
    write_run(tmp_path, Source("a"), part=(1, 2), began=1, stop=None)
    write_run(tmp_path, Source("b"), part=(2, 2), began=2)
    temporary = tmp_path / ".tonearm-0123456789abcdef.part"
    temporary.write_text("half")
    merged(tmp_path)
    assert not temporary.exists()


class TestWhatIsMissing:
    def test_parts_that_never_ran_or_were_killed(self, tmp_path):
        write_run(tmp_path, Source("a"), part=(1, 3))
        write_run(tmp_path, Source("b"), part=(3, 3), total=4, stop=None)
        report = merged(tmp_path)
        assert not report.is_complete
        (shared,) = report.unfinished
        assert (shared.missing, shared.left, [run.part for run in shared.unfinished]) == ([2], 3, [(3, 3)])
        report = merged(tmp_path)  # there is one journal now
        assert [one.missing for one in report.unfinished] == [[2]]

    def test_items_that_failed(self, tmp_path):
        write_run(tmp_path, Source("a", {}, failed={"": "empty"}), part=(1, 1))
        report = merged(tmp_path)
        assert (report.is_complete, report.unfinished, report.status.failed) == (False, [], 1)

    def test_outputs_of_two_parts(self, tmp_path):
        write_run(tmp_path, Source("a"), Source("b"), part=(1, 2))
        write_run(tmp_path, Source("b"), part=(2, 2))
        report = merged(tmp_path)
        assert (report.is_complete, report.twice, report.first_twice) == (False, 1, [("b.wav", 1, 2)])
        assert merged(tmp_path).first_twice == [("b.wav", 1, 2)]

    def test_a_run_of_all_sources_does_what_parts_have_left(self, tmp_path):
        write_run(tmp_path, Source("a"), part=(1, 3), began=1)
        assert not merged(tmp_path).is_complete
        write_run(tmp_path, Source("b"), skipped=1, began=2, total=2, stop="interrupted")
        assert (merged(tmp_path).left, merged(tmp_path).is_complete) == (1, False)
        write_run(tmp_path, Source("c"), skipped=2, began=3)
        assert merged(tmp_path).is_complete

    def test_another_count_of_parts_may_finish_what_the_first_has_not(self, tmp_path):
        write_run(tmp_path, Source("a"), part=(1, 3))
        write_run(tmp_path, Source("b"), part=(1, 2))
        assert [one.count for one in merged(tmp_path).unfinished] == [2]
        write_run(tmp_path, Source("c"), part=(2, 2))
        assert merged(tmp_path).is_complete


class TestRefused:
    def test_parts_of_different_pipelines(self, tmp_path):
        write_run(tmp_path, Source("a"), part=(1, 2))
        write_run(tmp_path, Source("b"), part=(2, 2), pipeline="q", file="/q.yaml")
        before = {name: (tmp_path / ".tonearm" / name).read_bytes() for name in names(tmp_path)}
        with pytest.raises(UsageError) as caught:
            merged(tmp_path)
        assert caught.value.code == "different-pipelines"
        assert "part 1 of 2 by /p.yaml, part 2 of 2 by /q.yaml" in caught.value.message
        assert {name: (tmp_path / ".tonearm" / name).read_bytes() for name in names(tmp_path)} == before
        write_run(tmp_path, Source("b"), part=(2, 2))
        assert merged(tmp_path).is_complete

    def test_while_a_part_runs(self, parts):
        store = LocalStore(str(parts))
        store.lock(Part(3, 3), create=False)
        with pytest.raises(LockedError):
            merged(parts)
        store.close()
        assert "journal-3-of-3.jsonl" in names(parts)

    def test_a_folder_without_runs_stays_as_it_is(self, tmp_path):
        with pytest.raises(UsageError) as caught:
            merged(tmp_path)
        assert caught.value.code == "no-run"
        assert list(tmp_path.iterdir()) == []

    def test_a_journal_that_is_no_file(self, parts):
        path = parts / ".tonearm" / "journal-1-of-3.jsonl"
        path.rename(parts / "elsewhere")
        path.symlink_to(parts / "elsewhere")
        with pytest.raises(OutputError, match="cannot read the journal"):
            merged(parts)
        assert "journal.jsonl" not in names(parts)

    def test_a_journal_with_a_name_of_ones_own_is_left_alone(self, parts):
        copy = Path(parts / ".tonearm" / "journal-copy.jsonl")
        copy.write_bytes((parts / ".tonearm" / "journal-1-of-3.jsonl").read_bytes())
        assert merged(parts).merged == 3
        assert copy.exists()
