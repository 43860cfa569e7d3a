"""What journals say of sources: each rule of resuming, from records written by hand."""

import json
import math
import os
from pathlib import Path

import pytest
import xxhash
from journals_by_hand import OUTPUT, A, B, history

from tonearm.run.store.history import HASH_DIGITS, MAX_TIME, NO_PRIOR_WORK, PriorWork
from tonearm.run.store.records import EndRecord, OutputItems, PublishedItem


class TestSourcesThatAreThrough:
    def test_nothing_is_left_to_do(self, done):
        assert done.find().complete
        assert done.find(verify=True).complete
        assert done.find().items == {("k", 0): [("a.wav", 4, A)]}
        assert done.find().renewed is None

    def test_another_output(self, done):
        assert done.find(fingerprint="beef") == NO_PRIOR_WORK

    def test_each_output_has_its_own_work(self, done):
        done.lines(done.run(), done.end([("k", 0, [["b.wav", 4, B]])], fingerprint="beef", failed=1))
        assert done.find().complete
        assert (done.find(fingerprint="beef").complete, done.find(fingerprint="beef").reason) == (False, "1 failed")

    def test_another_template(self, done):
        """What another template named is not this output, although the fingerprint is the same."""
        found = done.find(is_path=lambda item, path: (item, path) != (("k", 0), "a.wav"))
        assert (found.complete, found.items, found.reason) == (False, {}, "its outputs have other names now")

    def test_an_array_is_known_by_its_hash(self, found):
        found.lines(found.run(), found.begin(state="aa"), found.end(state="aa"))
        found.publish()
        assert found.find(state="aa").complete
        assert (found.find(state="bb").complete, found.find(state="bb").reason) == (False, "it has changed")

    def test_an_output_that_is_gone(self, done):
        os.unlink("out/a.wav")
        assert (done.find().complete, done.find().reason) == (False, "outputs are gone or changed")
        assert done.find().items == {}

    @pytest.mark.parametrize(("content", "plain", "verified"), [(b"bbbb", True, False), (b"aaa", False, False)])
    def test_an_output_that_was_changed(self, done, content, plain, verified):
        done.publish(content=content)
        assert (done.find().complete, done.find(verify=True).complete) == (plain, verified)

    def test_an_output_that_is_a_folder_now(self, done):
        os.unlink("out/a.wav")
        os.mkdir("out/a.wav")
        assert not done.find().complete

    def test_another_run_put_its_own_in_its_place(self, done):
        done.lines(done.run(), done.begin(("a.wav", B), source="/else"), done.out(source="/else"))
        done.publish(content=b"bbbb")
        assert not done.find().complete

    def test_only_the_time_of_the_source_changed(self, done):
        os.utime(done.source, ns=(5, 5))
        assert done.find().complete
        assert done.find().renewed == EndRecord(
            source=done.source, folder=".", state=(3, 5), hash=xxhash.xxh3_128_hexdigest(b"k 1"),
            outputs=[OutputItems(OUTPUT, [PublishedItem("k", 0, [("a.wav", 4, A)])])], failed=0, seconds=0.5,
            renewed=True,
        )  # fmt: skip

    @pytest.mark.parametrize("content", ["k 2", "k 10"])
    def test_the_source_changed(self, done, content):
        with open(done.source, "w") as file:
            file.write(content)
        assert (done.find().complete, done.find().reason, done.find().items) == (False, "it has changed", {})

    def test_the_source_is_not_there(self, done):
        more = {"verify": False, "is_path": lambda item, path: True, "content_hash": lambda: ""}
        assert history().find(OUTPUT, ".", done.source, None, **more) == NO_PRIOR_WORK

    def test_items_that_failed(self, found):
        found.lines(found.run(), found.begin(), found.out(), found.end(failed=2))
        found.publish()
        assert (found.find().complete, found.find().reason) == (False, "2 failed")
        assert found.find().items == {("k", 0): [("a.wav", 4, A)]}

    def test_the_last_end_counts(self, done):
        done.lines(done.run(), done.end(items=[], failed=1))
        assert not done.find().complete
        done.lines(done.run(), done.end())
        assert done.find().complete

    def test_one_of_two_files_is_gone(self, found):
        files = [["a.wav", 4, A], ["a.json", 4, B]]
        found.lines(found.run(), found.begin(("a.wav", A), ("a.json", B)), found.end([["k", 0, files]]))
        found.publish()
        assert found.find().items == {}
        found.publish("a.json", b"bbbb")
        assert found.find().complete


class TestSourcesThatAreNot:
    def test_items_that_were_published(self, found):
        found.lines(found.run(), found.begin(), found.out())
        found.publish()
        assert (found.find().complete, found.find().reason) == (False, "a run was stopped at it")
        assert found.find().items == {("k", 0): [("a.wav", 4, A)]}

    @pytest.mark.parametrize(("content", "there"), [(b"aaaa", True), (b"cccc", False), (None, False)])
    def test_an_item_without_an_end_is_settled_by_the_content(self, found, content, there):
        """An older file of the same size must not pass for the new one."""
        found.lines(found.run(), found.begin(), found.out())
        if content is not None:
            found.publish(content=content)
        assert bool(found.find().items) == there

    @pytest.mark.parametrize(("content", "there"), [(b"aaaa", True), (b"cccc", False), (None, False)])
    @pytest.mark.parametrize("before", [False, True])
    def test_an_item_without_its_measurements_is_done_again_for_its_record(self, found, before, content, there):
        """The record of an earlier attempt is that of other content, which may have had the same size."""
        found.lines(found.run(), *([found.begin(("a.wav", B)), found.out()] if before else []), found.begin())
        if content is not None:
            found.publish(content=content)
        read = history()
        assert found.find(read=read).items == {}
        assert read.unrecorded == ({"a.wav": (4, A)} if there else {})

    def test_of_two_items_one_has_its_record(self, found):
        other = {**found.begin(("b.wav", B)), "outputs": [[OUTPUT, [["l", 1, [["b.wav", 4, B]]]]]]}
        found.lines(found.run(), found.begin(), found.out(), other, found.run())
        found.publish()
        found.publish("b.wav", b"bbbb")
        read = history()
        assert found.find(read=read).items == {("k", 0): [("a.wav", 4, A)]}
        assert read.unrecorded == {"b.wav": (4, B)}

    def test_one_of_two_files_has_its_name(self, found):
        found.lines(found.run(), found.begin(("a.wav", A), ("a.json", B)), found.out())
        found.publish()
        assert found.find().items == {}
        found.publish("a.json", b"bbbb")
        assert found.find().items == {("k", 0): [("a.wav", 4, A), ("a.json", 4, B)]}

    def test_one_output_of_two_was_finished(self, found):
        (item,) = found.out("b.wav")["items"]
        records = [found.begin(("b.wav", B), fingerprint="beef"), found.out(items=[{**item, "fingerprint": "beef"}])]
        found.lines(found.run(), found.begin(), *records, found.end())
        found.publish()
        found.publish("b.wav", b"cccc")
        assert found.find().complete
        assert (found.find(fingerprint="beef").complete, found.find(fingerprint="beef").items) == (False, {})
        found.publish("b.wav", b"bbbb")
        assert found.find(fingerprint="beef").items == {("k", 0): [("b.wav", 4, B)]}

    def test_another_template(self, found):
        found.lines(found.run(), found.begin())
        found.publish()
        assert found.find(is_path=lambda item, path: False).items == {}

    def test_the_source_changed_since(self, found):
        found.lines(found.run(), found.begin(), found.out())
        found.publish()
        os.utime(found.source, ns=(5, 5))
        assert found.find().items == {}

    def test_a_later_attempt_replaces_an_earlier_one(self, found):
        found.lines(found.run(), found.begin(), found.run(), found.begin(("a.wav", B)), found.out())
        found.publish(content=b"aaaa")  # the earlier one's: same size, not the same
        assert found.find(verify=True).items == {}
        found.publish(content=b"bbbb")
        assert found.find(verify=True).items == {("k", 0): [("a.wav", 4, B)]}


class TestWhatIsCompared:
    """Each rule in turn, at its limits."""

    @pytest.fixture
    def touched(self, done):
        """Only the time of the source has changed. The function tells what is found then."""
        os.utime(done.source, ns=(5, 5))

        def find(content_hash):
            more = {"verify": False, "is_path": lambda item, path: True, "content_hash": content_hash}
            return history().find(OUTPUT, ".", done.source, (3, 5), **more)

        return find

    @pytest.mark.parametrize(("content", "complete"), [(b"k 1", True), (b"k 2", False), (b"k 3", False)])
    def test_the_hash_of_a_source_is_the_same_or_not(self, touched, content, complete):
        digest = xxhash.xxh3_128_hexdigest(content)
        found = touched(lambda: digest)
        assert (found.complete, found.reason) == (complete, "" if complete else "it has changed")

    @pytest.mark.parametrize(
        ("recorded", "now", "asked"),
        [
            ({"state": [3, 1], "hash": ""}, (3, 5), False),
            ({"state": [4, 1]}, (3, 5), False),
            ({"state": [2, 1]}, (3, 5), False),
            ({"state": "33"}, (3, 5), False),
            ({"state": [3, 1]}, "33", False),
            ({"state": "333"}, "33", False),
            ({"state": "333"}, "35", False),
            ({"state": [3, 1], "hash": "aa"}, (3, 5), True),
        ],
    )
    def test_a_source_is_hashed_only_if_that_can_tell(self, found, recorded, now, asked):
        found.lines(found.run(), found.begin(), found.end(**recorded), {"record": "stop"})
        found.publish()
        calls = []
        more = {"verify": False, "is_path": lambda item, path: True}
        result = history().find(OUTPUT, ".", found.source, now, content_hash=lambda: calls.append(1) or "", **more)
        assert (result.complete, result.reason, bool(calls)) == (False, "it has changed", asked)

    def test_each_item_is_asked_for_by_its_first_file(self, found):
        files, seen = [("a.wav", A), ("a.json", B)], []
        listed = [[name, 4, digest] for name, digest in files]
        found.publish()
        found.publish("a.json", b"bbbb")
        for lines in ([found.begin(*files), found.out()], [found.begin(*files), found.end([["k", 0, listed]])]):
            found.lines(found.run(), *lines)
            assert len(found.find(is_path=lambda item, path: seen.append((item, path)) or True).items) == 1
        assert seen == [(("k", 0), "a.wav")] * 2

    def test_items_without_files_are_none(self, found):
        found.lines(found.run(), found.begin(), found.end([["k", 0, [["a.wav", 4, A]]], ["l", 1, []]]))
        found.publish()
        assert found.find().complete
        assert list(found.find().items) == [("k", 0)]

    @pytest.mark.parametrize("number", [0, 1])
    def test_one_item_of_two_is_gone_or_has_another_name(self, found, number):
        items = [["k", 0, [["a.wav", 4, A]]], ["l", 1, [["b.wav", 4, B]]]]
        found.lines(found.run(), found.begin(("a.wav", A), ("b.wav", B)), found.end(items), {"record": "stop"})
        found.publish()
        found.publish("b.wav", b"bbbb")
        assert len(found.find().items) == 2
        result = found.find(is_path=lambda item, path: item[1] != number)
        assert (len(result.items), result.reason) == (1, "its outputs have other names now")
        os.unlink(["out/a.wav", "out/b.wav"][number])
        assert (len(found.find().items), found.find().reason) == (1, "outputs are gone or changed")

    def test_what_is_finished_and_started_again_keeps_what_was_finished(self, done):
        done.lines(done.run(), done.begin(("b.wav", B)), done.out("b.wav"))
        assert list(done.find().items) == [("k", 0)]
        assert done.find().reason == "a run was stopped at it"
        done.publish(content=b"bbbb")  # the content decides now
        assert done.find().items == {}
        done.publish("b.wav", b"bbbb")
        assert done.find().items == {("k", 0): [("b.wav", 4, B)]}
        os.utime(done.source, ns=(5, 5))
        assert done.find().items == {}
        Path(done.source).write_text("k 10")
        assert done.find().reason == "it has changed"

    @pytest.mark.parametrize("more", [{"source": "/another"}, {"source": ""}, {"state": None}, {"record": "begin"}])
    def test_a_record_that_is_another_sources_is_not_believed(self, done, more):
        """Two texts may have the same hash, and a journal may have been replaced since its history was read."""
        read = history()
        path = done.folder / "journal.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        lines[3] = json.dumps(done.end(**more)).encode() + b"\n"
        path.write_bytes(b"".join(lines))
        query = {"verify": False, "is_path": lambda item, path: True, "content_hash": lambda: ""}
        assert read.find(OUTPUT, ".", done.source, tuple(done.state), **query) == NO_PRIOR_WORK
        assert read.outputs([OUTPUT], ".", done.source) == []

    def test_what_is_found_does_not_change(self):
        assert PriorWork() == NO_PRIOR_WORK == PriorWork(items={}, complete=False, renewed=None, reason="")
        with pytest.raises(AttributeError):
            NO_PRIOR_WORK.complete = True


class TestPowerLoss:
    """A record may be on the disk when a name that was given before it is not."""

    @pytest.mark.parametrize(
        ("after", "believed"),
        [([], False), ([{"record": "sync"}], True), ([{"record": "stop"}], True), (["run"], False),
         (["run", {"record": "stop"}], False), (["run", "end", {"record": "stop"}], True)],
    )  # fmt: skip
    def test_an_old_file_does_not_pass_for_a_new_one(self, found, after, believed):
        found.lines(found.run(), found.begin(), found.out(), found.end())
        found.lines(
            *({"run": found.run(), "end": found.end()}.get(one, one) if isinstance(one, str) else one for one in after)
        )
        found.publish(content=b"bbbb")  # of the same size, from before
        assert found.find().complete == believed
        found.publish(content=b"aaaa")
        assert found.find().complete


class TestJournals:
    def test_which_files_are_ours(self, done):
        assert "a.wav" in history().owned
        assert "b.wav" not in history().owned

    @pytest.mark.parametrize(
        ("last", "clean"), [("stop", True), ("run", False), ("end", False)],
    )  # fmt: skip
    def test_whether_the_last_run_ended_by_itself(self, found, last, clean):
        found.lines(found.run(), {"record": "stop"})
        found.lines({"stop": {"record": "stop"}, "run": found.run(), "end": found.end()}[last])
        if last == "end":
            found.lines(found.run(), found.end())
        assert history().clean == clean

    def test_a_file_is_known_by_64_bits_of_its_hash(self, found):
        hashes = {"a": A, "b": "0" * 16 + "f" * 16, "c": "0" * 15 + "1" + "f" * 16}
        found.lines(found.run(), *(found.begin((name, digest)) for name, digest in hashes.items()))
        read = history()
        assert [read.owned.get(name) for name in "abcd"] == [int(A[:16], 16), 0, 1, None]
        assert len(A) == HASH_DIGITS

    @pytest.mark.parametrize(
        ("time", "latest"),
        [
            (0.0, 0.0),
            (0.25, 0.25),
            (-1.0, 0.0),
            (math.nextafter(1e11, 0), math.nextafter(1e11, 0)),
            (1e11, 0),
            (1e12, 0),
        ],
    )
    def test_a_run_begins_later_than_all_before_it(self, found, time, latest):
        found.lines(found.run(time=time), found.run(time=-5.0))
        read = history()
        assert (read.latest, MAX_TIME) == (latest, 1e11)
        after = math.nextafter(latest, math.inf)
        times = [read.time_of_next_run(now) for now in (latest - 1, latest, after, latest + 1)]
        assert times == [after, after, after, latest + 1]

    def test_names_that_others_have_given_since(self, found):
        parts = [f"journal-{number}-of-3.jsonl" for number in (1, 2, 3)]
        found.lines(found.run(), found.begin(("0", A)), name=parts[0])
        found.lines(found.run(), name=parts[1])
        read = history()
        sizes = dict(read.sizes)
        line = json.dumps(found.begin(("3", B))).encode() + b"\n"
        found.lines(found.begin(("1", B)), line[:50], name=parts[1])
        found.lines(found.begin(("2", B)), found.end([["k", 0, [["no", 4, A]]]]), name=parts[2])
        for name, time in zip(parts, (1, 2, 3), strict=True):  # the first has nothing new
            os.utime(found.folder / name, (time, time))
        read.read_new_names()
        assert [name in read.owned for name in ("0", "1", "2", "3", "no")] == [True, True, True, False, False]
        found.lines(line[50:], name=parts[1])
        asked, real = [], read.store.read_journal
        read.store.read_journal = lambda name, start: (asked.append((name, start)), real(name, start))[1]
        read.read_new_names()
        read.read_new_names()
        assert "3" in read.owned
        assert asked == [(f".tonearm/{parts[1]}", os.path.getsize(found.folder / parts[1]) - len(line))]
        assert read.sizes == sizes

    def test_what_is_behind_a_line_that_is_being_written_is_not_read(self, found):
        read = history()
        found.lines(found.begin(("a", B)))
        read.store.read_journal = lambda name, start: iter([b"torn", json.dumps(found.begin()).encode() + b"\n"])
        read.read_new_names()
        assert "a.wav" not in read.owned

    def test_a_source_is_begun_for_each_output_that_makes_sense(self, found):
        begin = found.begin()
        (good,) = begin["outputs"]
        found.lines(
            found.run(), {**begin, "outputs": [["beef", [["k", 0, [["b.wav", 4, "no hash"]]]]], good]}, found.out()
        )
        found.publish()
        assert found.find().items == {("k", 0): [("a.wav", 4, A)]}
        assert found.find(fingerprint="beef") == NO_PRIOR_WORK
        assert "b.wav" not in history().owned

    def test_files_of_a_source_without_a_state_are_ours_all_the_same(self, found):
        found.lines(found.run(), found.begin(state=None))
        found.publish()
        assert found.find() == NO_PRIOR_WORK
        assert "a.wav" in history().owned

    def test_an_empty_journal(self, found):
        found.lines()
        assert (history().sizes, history().clean, history().nonsense) == ({".tonearm/journal.jsonl": 0}, True, 0)

    def test_outputs_are_listed_once(self, found):
        found.lines(found.run(), found.begin(), found.end(), found.end([["l", 1, [["b", 4, B], ["c", 4, B]]]], "beef"))
        assert history().outputs(["beef", OUTPUT, "beef", "none"], ".", found.source) == ["b", "c", "a.wav"]
        assert history().outputs([OUTPUT], "x", found.source) == history().outputs([OUTPUT], ".", "/else") == []

    def test_parts_count_together(self, found):
        found.lines(found.run(), found.begin(), found.end(), name="journal-1-of-2.jsonl")
        found.lines(found.run(), found.begin(("b.wav", B)), name="journal-2-of-2.jsonl")
        found.publish()
        both = history()
        assert "b.wav" in both.owned
        assert not both.clean
        assert both.outputs([OUTPUT, OUTPUT], ".", found.source) == ["a.wav"]
        assert set(both.sizes) == {".tonearm/journal-1-of-2.jsonl", ".tonearm/journal-2-of-2.jsonl"}

    def test_the_last_run_has_the_last_word_whichever_journal_was_written_last(self, found):
        """A whole run, a part that does the changed source again, and a whole run with nothing to do."""
        found.lines(found.run(time=1.0), found.begin(), found.end(state=[1, 1], hash="00"), {"record": "stop"})
        part_records = [found.run(time=2.0), found.begin(("a.wav", B)), found.end([("k", 0, [["a.wav", 4, B]])])]
        found.lines(*part_records, {"record": "stop"}, name="journal-1-of-2.jsonl")
        found.lines(found.run(time=3.0), {"record": "stop"})
        os.utime(found.folder / "journal-1-of-2.jsonl", (1, 1))
        found.publish(content=b"bbbb")
        assert found.find().complete
        assert found.find(verify=True).complete
        assert history().clean
        found.lines(found.run(time=0.5), found.begin())  # the clock was put back, and it is the last for all that
        assert not found.find().complete
        assert not history().clean

    @pytest.mark.parametrize("digest", ["", "zz", "-" + "f" * 31, "0x" + "f" * 30, "f" * 15 + "\u0664"])
    def test_a_hash_that_is_none(self, found, digest):
        """Somebody has edited the journal."""
        found.lines(found.run(), found.begin(("a.wav", digest)), found.end([["k", 0, [["a.wav", 4, digest]]]]))
        found.publish()
        assert not found.find().complete
        assert not found.find(verify=True).items

    def test_no_journal(self, folder):
        none = history("none")
        assert none.clean
        assert not len(none.owned)
