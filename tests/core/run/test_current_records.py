"""Which records of journals still count."""

import json
import os

import pytest
from written_journals import Source, append_lines, write_run

from tonearm.errors import OutputError, UsageError
from tonearm.run.current_records import CurrentRecords
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.records import ErrRecord, OutRecord


def read(out):
    return CurrentRecords(LocalStore(str(out)))


def outs(records):
    return [item.files[0][0] for found in records if isinstance(found.record, OutRecord) for item in found.record.items]


def errs(records):
    return [(found.record.source, found.record.code) for found in records if isinstance(found.record, ErrRecord)]


def test_the_last_record_of_each_output_counts(tmp_path):
    write_run(tmp_path, Source("a", {"": {"n": 1}}), Source("b", {"": {"n": 2}}))
    write_run(tmp_path, Source("a", {"": {"n": 3}}))
    found = [item.measured for one in read(tmp_path) for item in one.record.items]
    assert found == [{"n": 2}, {"n": 3}]


def test_one_of_a_records_outputs_may_be_outdated(tmp_path):
    both = {"wav": ".wav", "mp3": ".mp3"}
    write_run(tmp_path, Source("a", outputs=both), outputs=tuple(both))
    write_run(tmp_path, Source("a", outputs={"mp3": ".mp3"}), outputs=tuple(both))
    records = read(tmp_path)
    assert outs(records) == ["a.wav", "a.mp3"]
    assert records.has_several_outputs


def test_failures_count_until_a_run_finishes_the_source_again(tmp_path):
    write_run(tmp_path, Source("a", {}, failed={"": "empty"}), Source("b", {}, failed={"": "odd"}))
    records = read(tmp_path)
    assert (records.sources, records.failing) == (2, 2)
    write_run(tmp_path, Source("a"), Source("b", {}, failed={"": "silent"}, finished=False), stop=None)
    records = read(tmp_path)
    assert errs(records) == [("/in/b.npy", "odd")]  # the killed run says nothing final of b
    assert (records.sources, records.failing) == (2, 1)


def test_a_record_that_only_renews_a_source_changes_no_count(tmp_path):
    write_run(tmp_path, Source("a", {}, failed={"": "empty"}))
    write_run(tmp_path)
    end = {
        "record": "end",
        "source": "/in/a.npy",
        "folder": ".",
        "state": [1, 3],
        "hash": "",
        "outputs": [],
        "failed": 0,
    }
    append_lines(tmp_path, json.dumps({**end, "seconds": 0, "renewed": True}) + "\n")
    assert errs(read(tmp_path)) == [("/in/a.npy", "empty")]


def test_outputs_of_two_parts_are_found(tmp_path):
    write_run(tmp_path, Source("a"), Source("b"), part=(1, 2))
    write_run(tmp_path, Source("b"), Source("c"), part=(2, 2))
    write_run(tmp_path, Source("b"), part=(1, 2))
    write_run(tmp_path, Source("a"), part=(2, 3))  # another count of parts
    records = read(tmp_path)
    assert sorted(outs(records)) == ["a.wav", "b.wav", "c.wav"]
    assert (records.twice, records.first_twice) == (1, [("b.wav", 1, 2)])


def test_runs_are_told_apart_within_one_journal(tmp_path):
    write_run(tmp_path, Source("a"), stop=None, began=100)
    write_run(tmp_path, Source("a"), stop="interrupted", began=200)
    found = [(run.state, run.began, run.ended) for run in read(tmp_path).runs]
    assert found == [("killed", 100, 100), ("interrupted", 200, 210)]


def test_lines_that_make_no_sense_are_counted(tmp_path):
    write_run(tmp_path, Source("a"))
    append_lines(tmp_path, 'x\n{"record":"out"}\n', b"\xff\xfe\n", "[" * 100_000 + "\n", '{"record":"run"')
    records = read(tmp_path)
    assert records.nonsense == 5
    assert outs(records) == ["a.wav"]


@pytest.mark.parametrize("kind", ["fifo", "link", "folder"])
def test_a_journal_that_is_no_file_is_refused_and_never_waited_for(tmp_path, kind):
    write_run(tmp_path, Source("a"))
    path = tmp_path / ".tonearm" / "journal-1-of-2.jsonl"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("journal.jsonl")
    else:
        path.mkdir()
    with pytest.raises(OutputError, match="cannot read the journal"):
        read(tmp_path)


@pytest.mark.parametrize("lines", [[], ["x\n"]])
def test_a_folder_without_runs(tmp_path, lines):
    if lines:
        (tmp_path / ".tonearm").mkdir()
        append_lines(tmp_path, *lines)
    with pytest.raises(UsageError) as caught:
        read(tmp_path)
    assert caught.value.code == "no-run"
