"""The order of things in publishing; what faults do to it is tested in tests/faults."""

import contextlib
import itertools
import os
import shutil
import threading

import msgspec
import pytest
from run_toys import files, journal, leftovers, prepared, task

from tonearm.errors import OutputError
from tonearm.run.prepared import ConvertedItem, Failure, PreparedSource
from tonearm.run.store import publisher as room
from tonearm.run.store import slow_calls
from tonearm.run.store.journal import Journal
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.output_names import OutputNames
from tonearm.run.store.publisher import Publisher


@pytest.fixture
def publisher(folder, monkeypatch):
    """A publisher into the folder ``out``, in which no batch waits for another one; its names are free."""
    monkeypatch.setattr(room, "FLUSH_INTERVALS", 0.0)
    store = LocalStore("out")
    store.lock(None, create=True)
    file = store.open_journal(None)
    yield publisher_over(store, Journal(file))
    file.close()
    store.close()


def publisher_over(store, opened, *, fsync=True, **more):
    names = OutputNames(store, lambda _: False, force=False)
    return Publisher(store, opened, names, ["f0", "f1", "f2"], fsync=fsync, **more)


def drained(results):
    """Return the results of a publisher, and the error that ended them."""
    found = []
    try:
        found.extend(results)
    except OutputError as error:
        return found, error
    return found, None


@pytest.fixture
def calls(publisher, monkeypatch):
    """What reaches the disk, in order."""
    seen = []

    def note(name, shown):
        real = getattr(os, name)

        def noted(*arguments, **options):
            seen.extend(shown(*arguments))
            return real(*arguments, **options)

        monkeypatch.setattr(os, name, noted)

    note("write", lambda _, lines: [line.split(b'"')[3].decode() for line in lines.splitlines()])
    note("fdatasync", lambda _: ["journal on disk"])
    note("replace", lambda _, target: [f"name {target}"])
    note("fsync", lambda at: [f"names on disk: {os.readlink(f'/proc/self/fd/{at}').rpartition('/')[2]}"])
    return seen


def test_records_before_names_and_names_before_records(publisher, calls):
    batch = [prepared("out", ["x/a.wav"], sidecars=[".json"]), prepared("out", ["b.wav"], number=2)]
    del calls[:]
    results = list(publisher.publish(batch))
    assert calls == [
        "begin", "begin", "journal on disk",
        "name a.json", "name a.wav", "out", "end", "name b.wav", "out", "end",
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
    publisher.keep(0, {0: {("", 0): [("old/x/a.wav", 1, "aa")]}})
    publisher.sync()
    assert {call for call in calls if call.startswith("names on disk")} == {
        "names on disk: out", "names on disk: old", "names on disk: x",
    }  # fmt: skip


def test_the_names_of_all_folders_above_the_journal_are_flushed(folder, publisher, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    publisher.begin()
    assert flushed[:3] == [f"{folder}/out/.tonearm", f"{folder}/out", str(folder)]
    assert os.path.ismount(flushed[-1])


def test_without_fsync_nothing_is_flushed(folder, publisher, calls):
    quick = publisher_over(publisher.store, publisher.journal, fsync=False)
    quick.begin()
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
    items = [["f0", [["k", 3, [["a.wav", 7, digest]]]]]]
    assert begin == {"record": "begin", **where, "state": [1, 2], "outputs": items}
    item = {"key": "k", "index": 3, "fingerprint": "f0", "files": [["a.wav", 7]], "measured": {}, "warnings": []}
    assert out == {"record": "out", **where, "items": [item]}
    assert err == {
        "record": "err", **where, "key": "", "index": 4, "code": "no-level", "message": "bad", "hint": "do",
    }  # fmt: skip
    assert end == {
        "record": "end", **where, "state": [1, 2], "hash": "00", "outputs": items, "failed": 1, "seconds": 0.0,
    }  # fmt: skip


def test_each_output_has_its_own_fingerprint_in_the_records(publisher):
    publisher.keep(0, {2: {("k", 0): [("old.wav", 1, "aa")]}})
    list(publisher.publish([prepared("out", ["a.wav", "b.wav"], key="k", outputs=(0, 1, 2))]))
    (begin,), (end,) = journal(kind="begin"), journal(kind="end")
    assert [fingerprint for fingerprint, _ in begin["outputs"]] == ["f0", "f1"]
    names = {fingerprint: [item[2][0][0] for item in items] for fingerprint, items in end["outputs"]}
    assert names == {"f0": ["a.wav"], "f1": ["b.wav"], "f2": ["old.wav"]}


def test_the_end_of_a_source_that_comes_in_parts(publisher):
    publisher.keep(0, {0: {("old", 0): [("old.wav", 1, "aa")]}})
    first = prepared("out", ["1.wav"], key="1", last=False, seconds=1.0)
    failed = PreparedSource(task=task("a.txt"), failures=[Failure("a.txt", "", 9, "x", "y")], last=False, seconds=1.0)
    last = prepared("out", ["2.wav"], key="2", seconds=1.0)
    results = [result for one in (first, failed, last) for result in publisher.publish([one])]
    assert [result.last for result in results] == [False, False, True]
    (end,) = journal(kind="end")
    ((_, items),) = end["outputs"]
    assert [item[0] for item in items] == ["old", "1", "2"]
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


@pytest.mark.parametrize("content", [b"same", b"diff"])
def test_a_file_whose_measurements_were_lost_stays_if_the_new_one_equals_it(publisher, content):
    with open("out/a.wav", "wb") as file:
        file.write(b"same")
    before = os.stat("out/a.wav").st_ino
    (known,) = prepared("out", ["a.wav"], content=b"same").items[0].files
    publisher.store.discard([known])
    unrecorded = {"a.wav": (known.size, known.hash)}
    again = publisher_over(publisher.store, publisher.journal, unrecorded=unrecorded)
    again.names.take = lambda *_: None  # the run knows that the file is its own
    list(again.publish([prepared("out", ["a.wav"], content=content)]))
    assert files() == {"a.wav": content}
    assert (os.stat("out/a.wav").st_ino == before) == (content == b"same")
    assert [record["record"] for record in journal()] == ["begin", "out", "end"]


def test_a_file_whose_measurements_were_lost_and_that_somebody_has_removed_since_is_there_again(publisher):
    new = prepared("out", ["a.wav"])
    (file,) = new.items[0].files
    again = publisher_over(publisher.store, publisher.journal, unrecorded={"a.wav": (file.size, file.hash)})
    assert len(list(again.publish([new]))) == 1
    assert list(files()) == ["a.wav"]


def begun():
    """Return the names of all files that the journal says are about to be renamed."""
    outputs = [output for record in journal(kind="begin") for output in record["outputs"]]
    return {file[0] for _fingerprint, items in outputs for item in items for file in item[2]}


class TestFaults:
    """A fault ends publishing. What was whole waits, until it is published after all or removed."""

    FAULTS = (("write", 0), ("write", 1), ("write", 2), ("write", 3), ("replace", 0), ("replace", 1), ("fdatasync", 0))

    @pytest.fixture
    def batch(self, publisher):
        return [prepared("out", [f"{number}.wav"], number=number, name=f"{number}.txt") for number in range(3)]

    @pytest.fixture
    def failing(self, monkeypatch):
        """Return a function that makes calls of the system fail: a number of them, from one on."""

        @contextlib.contextmanager
        def fail(name, when, *, count=0):
            count = count or (2 if name == "write" else 1)  # a journal has some space in reserve
            real, calls = getattr(os, name), itertools.count()

            def call(*arguments, **options):
                if when <= next(calls) < when + count:
                    raise OSError(28, "No space left on device")
                return real(*arguments, **options)

            with monkeypatch.context() as patch:
                patch.setattr(os, name, call)
                yield

        return fail

    @pytest.mark.parametrize(("name", "when"), FAULTS)
    def test_what_was_published_stays_and_no_temporaries(self, publisher, batch, failing, name, when):
        with failing(name, when, count=1000):
            found, error = drained(publisher.publish(batch))
        assert error.message.endswith("no space left on device")
        assert set(files()) - set(leftovers()) <= begun()
        assert {path for result in found for path in result.outputs} <= set(files())
        publisher.discard_rest()
        assert leftovers() == []
        if (name, when) == ("replace", 1):
            assert list(files()) == ["0.wav"]

    @pytest.mark.parametrize(("name", "when"), FAULTS)
    def test_the_rest_is_published_when_there_is_room_again(self, publisher, batch, failing, name, when):
        with failing(name, when):
            found, error = drained(publisher.publish(batch))
        assert error is not None
        rest, error = drained(publisher.publish_rest())
        assert error is None
        assert sorted(path for result in (*found, *rest) for path in result.outputs) == ["0.wav", "1.wav", "2.wav"]
        assert sorted(files()) == ["0.wav", "1.wav", "2.wav"]
        assert sorted(record["source"][-5:] for record in journal(kind="end")) == ["0.txt", "1.txt", "2.txt"]
        assert len(journal(kind="begin")) == len(journal(kind="out")) == 3
        publisher.discard_rest()
        assert len(files()) == 3

    @pytest.mark.parametrize("when", range(7))
    def test_failures_are_neither_lost_nor_told_twice(self, publisher, failing, when):
        """The record that a full disk refused is the last one of a source that came in two pieces."""
        bad = [Failure("a.txt", "", index, "no-level", "bad", "do") for index in (8, 9)]
        one = prepared("out", ["a.wav"])
        first = PreparedSource(task=one.task, failures=bad[:1], seconds=1.0, last=False)
        last = PreparedSource(task=one.task, state=(1, 2), items=one.items, failures=bad[1:], seconds=2.0)
        with failing("write", when):
            for piece in (first, last):
                drained(publisher.publish([piece]))
        drained(publisher.publish_rest())
        (end,) = journal(kind="end")
        assert (end["failed"], end["seconds"]) == (2, 3.0)
        assert [record["index"] for record in journal(kind="err")] == [8, 9]
        assert len(journal(kind="out")) == 1

    def test_one_file_that_cannot_have_its_name_does_not_stop_the_others(self, publisher, batch):
        results = publisher.publish(batch)
        assert next(results).outputs == ("0.wav",)
        os.makedirs("out/1.wav/full")
        found, error = drained(results)
        assert [result.outputs for result in found] == [("2.wav",)]
        assert error.message == "cannot write out/1.wav: is a directory"
        assert drained(publisher.publish_rest())[0] == []
        publisher.discard_rest()
        assert leftovers() == []
        assert sorted(files()) == ["0.wav", "2.wav"]

    def test_the_pieces_of_a_source_stay_in_order(self, publisher):
        """An end that comes before the items of an earlier piece would not list them."""
        results = publisher.publish(
            [
                prepared("out", ["0.wav"], number=1, name="b.txt"),
                prepared("out", ["1.wav"], key="1", last=False),
                prepared("out", ["2.wav"], key="2"),
            ]
        )
        assert next(results).outputs == ("0.wav",)
        os.makedirs("out/1.wav/full")
        found, error = drained(results)
        assert (found, error.message) == ([], "cannot write out/1.wav: is a directory")
        shutil.rmtree("out/1.wav")
        assert [result.outputs for result in publisher.publish_rest()] == [("1.wav",), ("2.wav",)]
        assert len(journal(kind="end")) == 2

    def test_a_name_that_leads_through_a_link(self, publisher):
        """Somebody has put the link there since the file was written. The source is not finished without it."""
        lost = [prepared("out", ["x/1.wav"], key="1", last=False), prepared("out", ["2.wav"], key="2")]
        os.rename("out/x", "away")
        os.symlink(os.path.abspath("away"), "out/x")
        found, error = drained(
            publisher.publish([lost[0], prepared("out", ["0.wav"], number=1, name="b.txt"), lost[1]])
        )
        assert [result.outputs for result in found] == [("0.wav",)]
        assert (
            error.message == "cannot write out/x/1.wav: x is a link, and links below an output folder are not followed"
        )
        assert [record["source"][-5:] for record in journal(kind="end")] == ["b.txt"]
        assert [name for name in os.listdir("away") if name.endswith(".wav")] == []
        assert [name for name in os.listdir("out") if name.endswith(".part")] == []

    def test_names_that_were_not_flushed_are_not_called_so(self, publisher, failing):
        list(publisher.publish([prepared("out", ["a.wav"])]))
        with failing("fsync", 0), pytest.raises(OutputError):
            publisher.sync()
        assert journal(kind="sync") == []
        publisher.sync()
        assert len(journal(kind="sync")) == 1


def test_a_batch_that_is_given_up_waits_and_leaves_no_temporaries(publisher):
    stream = publisher.publish([prepared("out", [f"{number}.wav"], number=number) for number in range(3)])
    assert next(stream).outputs == ("0.wav",)
    stream.close()
    assert len(leftovers()) == 2
    publisher.discard_rest()
    assert list(files()) == ["0.wav"]
    assert leftovers() == []


def test_a_small_file_takes_few_calls_of_the_system(publisher, monkeypatch):
    """Every call counts a million times. These are all that touch the output folder for one file."""
    list(publisher.publish([prepared("out", ["x/before.wav"], number=1, name="b.txt")]))
    seen = []
    store = publisher.store
    with contextlib.closing(store.owner()) as owner, monkeypatch.context() as patch:
        list(publisher.publish([held(store, owner, "x/first.wav", 2)]))
        for name in ("open", "stat", "lstat", "fstat", "write", "close", "replace", "unlink", "mkdir", "scandir"):
            real = getattr(os, name)

            def noted(*arguments, name=name, real=real, **options):
                seen.append(name)
                return real(*arguments, **options)

            patch.setattr(os, name, noted)
        (result,) = publisher.publish([held(store, owner, "x/a.wav", 3)])
    assert result.outputs == ("x/a.wav",)
    assert seen == ["open", "fstat", "close", "stat", "write", "replace", "write"]


def held(store, owner, output, number):
    """Return a source whose file an encoder wrote as ours do, and an owner holds."""
    with store.temporaries(owner, fsync=True) as temporaries:
        with temporaries.sink(output).open() as file:
            file.write(b"content")
        ((file,),) = temporaries.finish()
    return PreparedSource(task=task("s.txt", number), state=(1, 2), items=[ConvertedItem("", 0, 0, [file])])


@pytest.mark.parametrize("fsync", [False, True])
def test_names_are_flushed_after_a_second_or_many_folders(publisher, monkeypatch, fsync):
    assert (room.SYNC_EVERY, room.MAX_UNSYNCED_FOLDERS) == (1.0, 1024)
    now = [100.0]
    monkeypatch.setattr(room.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(room, "MAX_UNSYNCED_FOLDERS", 2)
    fresh, counts = publisher_over(publisher.store, publisher.journal, fsync=fsync), []
    steps = [("a", 101), ("b", 101.5), ("c", 102.5), ("d", 102.75), ("x/e", 102.75), ("y/f", 102.75), ("g", 103.75)]
    for number, (name, at) in enumerate(steps):
        now[0] = at
        list(fresh.publish([prepared("out", [name], number=number)]))
        counts.append(len(journal(kind="sync")))
    assert counts == [0, 1, 1, 2, 2, 3, 3]


def test_sources_that_wait_are_given_up_one_by_one_from_the_last(publisher):
    stream = publisher.publish([prepared("out", [f"{number}.wav"], number=number) for number in range(3)])
    next(stream)
    stream.close()
    before = len(leftovers())
    seen = [(publisher.discard_last(), before - len(leftovers())) for _ in range(3)]
    assert seen == [(True, 1), (True, 2), (False, 2)]
    assert list(publisher.publish_rest()) == []


def test_the_first_fault_is_told(publisher):
    batch = [prepared("out", [f"{number}.wav"], number=number) for number in range(3)]
    for name in "12":
        os.makedirs(f"out/{name}.wav/full")
    publisher.names = OutputNames(publisher.store, lambda _: True, force=True)
    publisher.names.replacement_problem = lambda _: None
    found, error = drained(publisher.publish(batch))
    assert [result.outputs for result in found] == [("0.wav",)]
    assert error.message == "cannot write out/1.wav: is a directory"


def test_what_is_told_of_items(publisher):
    one = prepared("out", ["a.wav", "b.wav"], key="k", outputs=(0, 1), seconds=0.12345678)
    items = [msgspec.structs.replace(item, warnings=["loud", "odd"], measured={"peak": 1.5}) for item in one.items]
    other = msgspec.structs.replace(items[1], index=items[1].index + 1, files=[])
    (result,) = publisher.publish([msgspec.structs.replace(one, items=[*items, other], warnings=["old"])])
    assert result.warnings == ("old", "loud", "odd", "loud", "odd")
    (out,), (end,) = journal(kind="out"), journal(kind="end")
    assert [(item["measured"], item["warnings"]) for item in out["items"]] == [({"peak": 1.5}, ["loud", "odd"])] * 3
    assert end["seconds"] == 0.123457


class TestSeveralBatches:
    """Batches that come at once are flushed at once, and on a slow server their files are renamed at once."""

    @pytest.fixture
    def patient(self, publisher, monkeypatch):
        """The publisher, which waits for more for a long time after the first batch."""
        monkeypatch.setattr(room, "FLUSH_INTERVALS", 1e9)
        assert len(list(publisher.publish([prepared("out", ["first.wav"])]))) == 1
        return publisher

    def batch(self, number, **more):
        return [prepared("out", [f"{number}.wav"], number=number, name=f"{number}.txt", **more)]

    def test_wait_for_one_another_until_an_empty_one_comes(self, patient, calls):
        batches = [self.batch(number) for number in (1, 2)]
        del calls[:]
        assert [result for one in batches for result in patient.publish(one)] == []
        assert calls == []
        assert [result.outputs for result in patient.publish([])] == [("1.wav",), ("2.wav",)]
        assert calls == ["begin", "begin", "journal on disk", "name 1.wav", "out", "end", "name 2.wav", "out", "end"]
        assert list(patient.publish([])) == []

    def test_a_failure_is_told_at_once_because_the_run_may_stop_at_it(self, patient):
        assert list(patient.publish(self.batch(1))) == []
        failed = PreparedSource(task=task("2.txt", 2), failures=[Failure("2.txt", "", 0, "x", "y")])
        assert [result.source for result in patient.publish([failed])] == ["1.txt", "2.txt"]

    def test_only_so_many_sources_wait(self, patient, monkeypatch):
        monkeypatch.setattr(room, "MAX_WAITING", 2)
        assert [len(list(patient.publish(self.batch(number)))) for number in (1, 2, 3)] == [0, 0, 3]

    def test_do_not_wait_where_nothing_is_flushed(self, publisher, monkeypatch):
        monkeypatch.setattr(room, "FLUSH_INTERVALS", 1e9)
        quick = publisher_over(publisher.store, publisher.journal, fsync=False)
        assert [len(list(quick.publish(self.batch(number)))) for number in (1, 2)] == [1, 1]

    def test_what_waits_leaves_no_temporaries(self, patient):
        assert list(patient.publish(self.batch(1))) == []
        assert len(leftovers()) == 1
        patient.discard_rest()
        assert (leftovers(), list(files())) == ([], ["first.wav"])
        assert list(patient.publish([])) == []

    @pytest.fixture
    def threads(self, publisher, monkeypatch):
        """The threads that gave files their names, in which each call counts as slow."""
        monkeypatch.setattr(slow_calls, "SLOW_SECONDS", 0.0)
        seen, real = set(), os.replace

        def replace(*arguments, **options):
            seen.add(threading.current_thread().name)
            real(*arguments, **options)

        monkeypatch.setattr(os, "replace", replace)
        return seen

    def test_files_are_renamed_in_threads_after_their_records(self, publisher, calls, threads):
        batch = [one for number in range(20) for one in self.batch(number, sidecars=[".json"])]
        del calls[:]
        results = list(publisher.publish(batch))
        assert threading.current_thread().name not in threads
        assert calls[:21] == ["begin"] * 20 + ["journal on disk"]
        assert [call.split()[0] for call in calls[21:]] == ["name"] * 40 + ["out", "end"] * 20
        assert all(calls.index(f"name {n}.json") < calls.index(f"name {n}.wav") for n in range(20))
        assert [result.source for result in results] == [f"{number}.txt" for number in range(20)]
        assert len(files()) == 40

    def test_without_a_record_no_file_is_renamed_in_threads_either(self, publisher, threads, monkeypatch):
        batch = [one for number in range(20) for one in self.batch(number)]

        def refuse(*_):
            raise OutputError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(publisher.journal, "write", refuse)
            _, error = drained(publisher.publish(batch))
        assert str(error) == "the disk is full"
        assert (threads, len(leftovers())) == (set(), 20)
        assert len(list(publisher.publish_rest())) == 20

    def test_the_pieces_of_a_source_are_renamed_in_order_all_the_same(self, publisher, calls, threads, monkeypatch):
        """The first one fails in its thread. It is tried again before the second one."""
        pieces = [prepared("out", [f"{key}.wav"], key=str(key), last=key == 9) for key in range(10)]
        others = [one for number in range(10, 20) for one in self.batch(number)]
        real = os.replace

        def replace(old, new, **options):
            if new == "0.wav" and threading.current_thread() is not threading.main_thread():
                raise OSError(5, "Input/output error")
            real(old, new, **options)

        monkeypatch.setattr(os, "replace", replace)
        results, error = drained(publisher.publish([*pieces, *others]))
        assert (error, len(results)) == (None, 20)
        named = [call for call in calls if call.startswith("name ")]
        assert set(named[:10]) == {f"name {number}.wav" for number in range(10, 20)}
        assert named[10:] == [f"name {key}.wav" for key in range(10)]
        (end,) = [record for record in journal(kind="end") if record["source"].endswith("/a.txt")]
        assert [item[0] for item in end["outputs"][0][1]] == [str(key) for key in range(10)]
