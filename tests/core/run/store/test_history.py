"""What journals say of sources: each rule of resuming, from records written by hand."""

import json
import os
import random

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from tonearm.errors import OutputError
from tonearm.run.store.history import History
from tonearm.run.store.records import EndRecord

A, B = xxhash.xxh3_128_hexdigest(b"aaaa"), xxhash.xxh3_128_hexdigest(b"bbbb")
PIPELINE = "f00d"


class Journals:
    """Writes journals by hand, and asks what they say of the source ``in.txt``."""

    def __init__(self, root):
        self.root = root
        self.folder = root / "out" / ".tonearm"
        self.folder.mkdir(parents=True)
        self.source = str(root / "in.txt")
        (root / "in.txt").write_text("k 1")
        self.state = [3, (root / "in.txt").stat().st_mtime_ns]

    def lines(self, *lines, name="journal.jsonl"):
        with (self.folder / name).open("ab") as file:
            for line in lines:
                file.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")

    def run(self, pipeline=PIPELINE, time=1.0):
        return {"record": "run", "pipeline": pipeline, "time": time, "sources": 1}

    def begin(self, output="a.wav", digest=A, **more):
        return {
            "record": "begin", "output": output, "size": 4, "hash": digest, "source": self.source, "folder": ".",
            "state": self.state, "key": "k", "index": 0, "files": 1, **more,
        }  # fmt: skip

    def out(self, output="a.wav", **more):
        where = {"source": self.source, "folder": ".", "key": "k", "index": 0}
        return {"record": "out", **where, "outputs": [[output, 4]], "measured": {}, "warnings": [], **more}

    def end(self, items=(("k", 0, [["a.wav", 4, A]]),), **more):
        return {
            "record": "end", "source": self.source, "folder": ".", "state": self.state,
            "hash": xxhash.xxh3_128_hexdigest(b"k 1"), "items": items, "failed": 0, "seconds": 0.5, **more,
        }  # fmt: skip

    def publish(self, name="a.wav", content=b"aaaa"):
        (self.root / "out" / name).write_bytes(content)

    def find(self, verify=False, pipeline=PIPELINE):
        history = History("out")
        status = os.stat(self.source)
        return history.find(pipeline, ".", self.source, (status.st_size, status.st_mtime_ns), verify=verify)


@pytest.fixture
def found(folder):
    return Journals(folder)


@pytest.fixture
def done(found):
    """A source that a run got through with."""
    found.lines(found.run(), found.begin(), found.out(), found.end(), {"record": "stop"})
    found.publish()
    return found


class TestSourcesThatAreThrough:
    def test_nothing_is_left_to_do(self, done):
        assert done.find().complete
        assert done.find(verify=True).complete
        assert done.find().items == {("k", 0): [("a.wav", 4, A)]}
        assert done.find().renewed is None

    def test_another_pipeline(self, done):
        assert done.find(pipeline="beef") == History("out").find("beef", ".", "x", (1, 1), verify=False)

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
        done.lines(done.run("beef"), done.begin(digest=B, source="/else"), done.out(source="/else"))
        done.publish(content=b"bbbb")
        assert not done.find().complete

    def test_only_the_time_of_the_source_changed(self, done):
        os.utime(done.source, ns=(5, 5))
        assert done.find().complete
        assert done.find().renewed == EndRecord(
            source=done.source, folder=".", state=(3, 5), hash=xxhash.xxh3_128_hexdigest(b"k 1"),
            items=[("k", 0, [("a.wav", 4, A)])], failed=0, seconds=0.5, renewed=True,
        )  # fmt: skip

    @pytest.mark.parametrize("content", ["k 2", "k 10"])
    def test_the_source_changed(self, done, content):
        with open(done.source, "w") as file:
            file.write(content)
        assert (done.find().complete, done.find().reason, done.find().items) == (False, "it has changed", {})

    def test_the_source_is_not_there(self, done):
        assert History("out").find(PIPELINE, ".", done.source, None, verify=False).items == {}

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
        found.lines(found.run(), found.begin(files=2), found.begin("a.json", B, files=2), found.end([["k", 0, files]]))
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
    def test_a_begin_without_its_out_is_settled_by_the_content(self, found, content, there):
        """An older file of the same size must not pass for the new one."""
        found.lines(found.run(), found.begin())
        if content is not None:
            found.publish(content=content)
        assert bool(found.find().items) == there

    def test_one_of_two_files_has_its_name(self, found):
        found.lines(found.run(), found.begin(files=2), found.begin("a.json", B, files=2))
        found.publish()
        assert found.find().items == {}
        found.publish("a.json", b"bbbb")
        assert found.find().items == {("k", 0): [("a.wav", 4, A), ("a.json", 4, B)]}

    def test_only_one_of_two_records_was_written(self, found):
        found.lines(found.run(), found.begin(files=2))
        found.publish()
        assert found.find().items == {}

    def test_the_source_changed_since(self, found):
        found.lines(found.run(), found.begin(), found.out())
        found.publish()
        os.utime(found.source, ns=(5, 5))
        assert found.find().items == {}

    def test_a_later_attempt_replaces_an_earlier_one(self, found):
        found.lines(found.run(), found.begin(), found.run(), found.begin(digest=B), found.out())
        found.publish(content=b"aaaa")  # the earlier one's: same size, not the same
        assert found.find(verify=True).items == {}
        found.publish(content=b"bbbb")
        assert found.find(verify=True).items == {("k", 0): [("a.wav", 4, B)]}


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
        assert "a.wav" in History("out").owned
        assert "b.wav" not in History("out").owned

    @pytest.mark.parametrize(
        ("last", "clean"), [("stop", True), ("run", False), ("end", False)],
    )  # fmt: skip
    def test_whether_the_last_run_ended_by_itself(self, found, last, clean):
        found.lines(found.run(), {"record": "stop"})
        found.lines({"stop": {"record": "stop"}, "run": found.run(), "end": found.end()}[last])
        if last == "end":
            found.lines(found.run(), found.end())
        assert History("out").clean == clean

    def test_parts_count_together(self, found):
        found.lines(found.run(), found.begin(), found.end(), name="journal-1-of-2.jsonl")
        found.lines(found.run(), found.begin("b.wav"), name="journal-2-of-2.jsonl")
        found.publish()
        history = History("out")
        assert "b.wav" in history.owned
        assert not history.clean
        assert list(history.outputs(PIPELINE, ".", found.source)) == ["a.wav"]

    def test_the_last_run_has_the_last_word_whichever_journal_was_written_last(self, found):
        """A whole run, a part that does the changed source again, and a whole run with nothing to do."""
        found.lines(found.run(time=1.0), found.begin(), found.end(state=[1, 1], hash="00"), {"record": "stop"})
        part_records = [found.run(time=2.0), found.begin(digest=B), found.end([("k", 0, [["a.wav", 4, B]])])]
        found.lines(*part_records, {"record": "stop"}, name="journal-1-of-2.jsonl")
        found.lines(found.run(time=3.0), {"record": "stop"})
        os.utime(found.folder / "journal-1-of-2.jsonl", (1, 1))
        found.publish(content=b"bbbb")
        assert found.find().complete
        assert found.find(verify=True).complete
        assert History("out").clean
        found.lines(found.run(time=0.5), found.begin())  # the clock was put back, and it is the last for all that
        assert not found.find().complete
        assert not History("out").clean

    def test_a_journal_that_cannot_be_read_is_not_taken_for_none(self, found):
        (found.folder / "journal.jsonl").mkdir()
        with pytest.raises(OutputError, match="cannot read the journal: is a directory"):
            History("out")

    def test_bad_lines_are_skipped(self, done):
        bad = [
            b'{"record":' * 5000 + b"\n",
            b"\0" * 5000 + b"\n",
            b"\n",
            b"null\n",
            b"[]\n",
            b"{}\n",
            b'{"record":"begin"}\n',
            b'{"record":"end","source":1}\n',
            b"\xff\xfe\n",
        ]
        done.lines(*bad, {"record": "begin", "output": "c", "size": "x", "hash": "zz", "state": 1})
        done.lines(b'{"record":"out","source":"' + b"x" * 10)
        assert done.find().complete
        assert "c" not in History("out").owned

    def test_names_that_are_not_utf_8(self, folder, found):
        name = os.fsdecode(b"\xff.wav")
        found.lines(found.run(), found.begin(name))
        assert name in History("out").owned

    def test_no_journal(self, folder):
        history = History("none")
        assert history.clean
        assert not len(history.owned)

    @given(st.binary(max_size=200), st.integers(0, 10))
    def test_whatever_is_in_it_raises_nothing(self, tmp_path_factory, noise, seed):
        root = tmp_path_factory.mktemp("j")
        (root / ".tonearm").mkdir()
        lines = [
            {"record": "run", "pipeline": PIPELINE}, {"record": "begin", "output": 1}, {"record": "end", "state": []},
            {"record": "begin", "output": "a", "size": 1, "hash": "00", "state": [1, 1], "source": "s", "folder": ".",
             "key": "", "index": 0, "files": 1},
        ]  # fmt: skip
        content = [json.dumps(line).encode() for line in lines] + [noise, noise]
        random.Random(seed).shuffle(content)
        (root / ".tonearm" / "journal.jsonl").write_bytes(b"\n".join(content))
        History(str(root)).find(PIPELINE, ".", "s", (1, 1), verify=True)
