"""The order of things in publishing; what faults do to it is tested in tests/faults."""

import os

import pytest
from run_toys import files, journal, leftovers, prepared, task

from tonearm.errors import OutputError
from tonearm.run.prepared import Failure, PreparedSource
from tonearm.run.store import publisher as room
from tonearm.run.store.journal import Journal
from tonearm.run.store.lock import Lock
from tonearm.run.store.output_names import OutputNames
from tonearm.run.store.publisher import Publisher


@pytest.fixture
def publisher(folder):
    """A publisher into the folder ``out``; its names are free."""
    Lock("out").acquire(create=True)
    opened = Journal("out")
    yield Publisher("out", opened, OutputNames("out", lambda _: False, force=False), fsync=True)
    opened.close()


@pytest.fixture
def calls(publisher, monkeypatch):
    """What reaches the disk, in order."""
    seen = []

    def note(name, shown):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *arguments: seen.append(shown(*arguments)) or real(*arguments))

    note("write", lambda _, line: line.split(b'"')[3].decode())
    note("fdatasync", lambda _: "journal on disk")
    note("replace", lambda _, target: f"name {target}")
    note("fsync", lambda descriptor: f"names on disk: {os.readlink(f'/proc/self/fd/{descriptor}').rpartition('/')[2]}")
    return seen


def test_records_before_names_and_names_before_records(publisher, calls):
    results = list(publisher.publish([prepared("out", ["x/a.wav", "x/a.json"]), prepared("out", ["b.wav"], number=2)]))
    assert calls == [
        "begin", "begin", "begin", "journal on disk",
        "name out/x/a.json", "name out/x/a.wav", "out", "end", "name out/b.wav", "out", "end",
    ]  # fmt: skip
    assert files() == {"x/a.wav": b"content", "x/a.json": b"content", "b.wav": b"content"}
    assert [result.outputs for result in results] == [("x/a.wav", "x/a.json"), ("b.wav",)]
    del calls[:]
    publisher.sync()
    assert (calls[0], calls[-1]) == ("journal on disk", "sync")
    assert sorted(calls[1:-1]) == [f"names on disk: {name}" for name in ("out", "x")]
    del calls[:]
    publisher.sync()
    assert calls == ["journal on disk"]


def test_names_are_on_the_disk_every_second(publisher, calls, monkeypatch):
    list(publisher.publish([prepared("out", ["a.wav"])]))
    assert "names on disk: out" not in calls
    monkeypatch.setattr(room, "SYNC_EVERY", 0.0)
    list(publisher.publish([prepared("out", ["b.wav"], number=2)]))
    assert "names on disk: out" in calls


def test_what_an_earlier_run_named_is_flushed_too(publisher, calls):
    """It was killed before it could; what is kept of its work counts as done from here on."""
    os.makedirs("out/old/x")
    publisher.keep(0, {("", 0): [("old/x/a.wav", 1, "aa")]})
    publisher.sync()
    assert {call for call in calls if call.startswith("names on disk")} == {
        "names on disk: out", "names on disk: old", "names on disk: x",
    }  # fmt: skip


def test_the_names_of_all_folders_above_the_journal_are_flushed(folder, publisher, monkeypatch):
    flushed = []
    monkeypatch.setattr(room, "flush_folder", flushed.append)
    publisher.begin()
    assert flushed[:3] == [f"{folder}/out/.tonearm", f"{folder}/out", str(folder)]
    assert os.path.ismount(flushed[-1])


def test_without_fsync_nothing_is_flushed(folder, publisher, calls):
    quick = Publisher("out", publisher.journal, OutputNames("out", lambda _: False, force=False), fsync=False)
    list(quick.publish([prepared("out", ["a.wav"])]))
    quick.sync()
    assert not any("disk" in call for call in calls)


def test_what_the_records_say(publisher):
    one = prepared("out", ["a.wav"], key="k", index=3, seconds=0.25)
    failure = Failure("a.txt", "", 4, "no-level", "bad", "do")
    list(
        publisher.publish([PreparedSource(task=one.task, state=(1, 2), hash="00", items=one.items, failures=[failure])])
    )
    begin, out, err, end = journal()
    digest = one.items[0].files[0].hash
    path = os.path.abspath("a.txt")
    where = {"source": path, "folder": "."}
    assert begin == {
        "record": "begin", "output": "a.wav", "size": 7, "hash": digest, **where, "state": [1, 2],
        "key": "k", "index": 3, "files": 1,
    }  # fmt: skip
    assert out == {
        "record": "out", **where, "key": "k", "index": 3, "outputs": [["a.wav", 7]], "measured": {}, "warnings": [],
    }  # fmt: skip
    assert err == {
        "record": "err", **where, "key": "", "index": 4, "code": "no-level", "message": "bad", "hint": "do",
    }  # fmt: skip
    assert end == {
        "record": "end", **where, "state": [1, 2], "hash": "00", "items": [["k", 3, [["a.wav", 7, digest]]]],
        "failed": 1, "seconds": 0.0,
    }  # fmt: skip


def test_the_end_of_a_source_that_comes_in_parts(publisher):
    publisher.keep(0, {("old", 0): [("old.wav", 1, "aa")]})
    first = prepared("out", ["1.wav"], key="1", last=False, seconds=1.0)
    failed = PreparedSource(task=task("a.txt"), failures=[Failure("a.txt", "", 9, "x", "y")], last=False, seconds=1.0)
    last = prepared("out", ["2.wav"], key="2", seconds=1.0)
    results = [result for one in (first, failed, last) for result in publisher.publish([one])]
    assert [result.last for result in results] == [False, False, True]
    (end,) = journal(kind="end")
    assert [item[0] for item in end["items"]] == ["old", "1", "2"]
    assert (end["failed"], end["seconds"]) == (1, 3.0)


def test_an_item_that_cannot_have_its_name(publisher):
    one, two = prepared("out", ["a.wav"], content=b"one"), prepared("out", ["a.wav"], number=2, name="b.txt")
    results = list(publisher.publish([one, two]))
    assert [failure.code for result in results for failure in result.failures] == ["same-output"]
    assert files() == {"a.wav": b"one"}
    assert leftovers() == []
    assert [record["record"] for record in journal()] == ["begin", "out", "end", "err", "end"]


def test_a_file_that_somebody_put_there_meanwhile_stays(publisher):
    publisher.names.claim("a.wav", 0, "a.txt")
    one = prepared("out", ["a.wav"])
    with open("out/a.wav", "w") as file:
        file.write("somebody's")
    (result,) = publisher.publish([one])
    assert [failure.code for failure in result.failures] == ["not-ours"]
    assert files() == {"a.wav": b"somebody's"}
    assert leftovers() == []


@pytest.mark.parametrize(
    ("name", "when"), [("write", 0), ("write", 3), ("replace", 0), ("replace", 1), ("fdatasync", 0)]
)
def test_a_fault_leaves_no_temporaries_and_what_was_published(publisher, monkeypatch, name, when):
    batch = [prepared("out", [f"{number}.wav"], number=number) for number in range(3)]
    real, count = getattr(os, name), iter(range(100))

    def fail(*arguments):
        if next(count) == when:
            raise OSError(28, "No space left on device")
        return real(*arguments)

    monkeypatch.setattr(os, name, fail)
    seen = []
    with pytest.raises(OutputError, match="no space left on device"):
        seen.extend(publisher.publish(batch))
    assert leftovers() == []
    begun = {record["output"] for record in journal(kind="begin")}
    assert set(files()) <= begun
    if (name, when) == ("replace", 1):
        assert list(files()) == ["0.wav"]


def test_a_batch_that_is_given_up_leaves_no_temporaries(publisher):
    stream = publisher.publish([prepared("out", [f"{number}.wav"], number=number) for number in range(3)])
    assert next(stream).outputs == ("0.wav",)
    stream.close()
    assert list(files()) == ["0.wav"]
    assert leftovers() == []
