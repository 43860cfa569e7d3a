"""What journals say of sources: each rule of resuming, from records written by hand."""

import json
import os
import random

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from tonearm.content_hash import hash_path
from tonearm.errors import OutputError
from tonearm.run.store.history import NO_PRIOR_WORK, History
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.records import EndRecord, OtherJournalError, OutputItems, PublishedItem

A, B = xxhash.xxh3_128_hexdigest(b"aaaa"), xxhash.xxh3_128_hexdigest(b"bbbb")
OUTPUT = "f00d"
"""Fingerprint of the output."""


OPENED = []


def history(root="out"):
    OPENED.append(LocalStore(str(root)))
    return History(OPENED[-1])


@pytest.fixture(autouse=True)
def closed():
    yield
    while OPENED:
        OPENED.pop().close()


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

    def run(self, time=1.0):
        return {"record": "run", "journal": 2, "pipeline": "beef", "time": time, "sources": 1}

    def begin(self, *files, fingerprint=OUTPUT, **more):
        """One item with files, each a name and a hash."""
        files = [[name, 4, digest] for name, digest in files or [("a.wav", A)]]
        return {
            "record": "begin", "source": self.source, "folder": ".", "state": self.state,
            "outputs": [[fingerprint, [["k", 0, files]]]], **more,
        }  # fmt: skip

    def out(self, output="a.wav", **more):
        item = {"key": "k", "index": 0, "fingerprint": OUTPUT, "files": [[output, 4]]}
        return {"record": "out", "source": self.source, "folder": ".", "items": [item], **more}

    def end(self, items=(("k", 0, [["a.wav", 4, A]]),), fingerprint=OUTPUT, **more):
        return {
            "record": "end", "source": self.source, "folder": ".", "state": self.state,
            "hash": xxhash.xxh3_128_hexdigest(b"k 1"), "outputs": [[fingerprint, items]], "failed": 0, "seconds": 0.5,
            **more,
        }  # fmt: skip

    def publish(self, name="a.wav", content=b"aaaa"):
        (self.root / "out" / name).write_bytes(content)

    def find(self, verify=False, fingerprint=OUTPUT, is_path=lambda item, path: True, state=None):
        status = os.stat(self.source)
        return history().find(
            fingerprint,
            ".",
            self.source,
            state or (status.st_size, status.st_mtime_ns),
            verify=verify,
            is_path=is_path,
            content_hash=lambda: hash_path(self.source),
        )


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
    def test_a_begin_without_its_out_is_settled_by_the_content(self, found, content, there):
        """An older file of the same size must not pass for the new one."""
        found.lines(found.run(), found.begin())
        if content is not None:
            found.publish(content=content)
        assert bool(found.find().items) == there

    def test_one_of_two_files_has_its_name(self, found):
        found.lines(found.run(), found.begin(("a.wav", A), ("a.json", B)))
        found.publish()
        assert found.find().items == {}
        found.publish("a.json", b"bbbb")
        assert found.find().items == {("k", 0): [("a.wav", 4, A), ("a.json", 4, B)]}

    def test_one_output_of_two_was_finished(self, found):
        found.lines(found.run(), found.begin(), found.begin(("b.wav", B), fingerprint="beef"), found.end())
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

    def test_a_journal_that_cannot_be_read_is_not_taken_for_none(self, found):
        (found.folder / "journal.jsonl").mkdir()
        with pytest.raises(OutputError, match=r"cannot read the journal: \.tonearm/journal\.jsonl is no regular file"):
            history()

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
        done.lines(*bad, done.begin(("c", 1)), done.begin(state=1))
        done.lines(b'{"record":"end","source":"' + b"x" * 10)
        assert done.find().complete
        assert "c" not in history().owned
        assert history().nonsense == len(bad) - 1 + 3  # an empty line is none

    @pytest.mark.parametrize("digest", ["", "zz", "-" + "f" * 31, "0x" + "f" * 30, "f" * 15 + "\u0664"])
    def test_a_hash_that_is_none(self, found, digest):
        """Somebody has edited the journal."""
        found.lines(found.run(), found.begin(("a.wav", digest)), found.end([["k", 0, [["a.wav", 4, digest]]]]))
        found.publish()
        assert not found.find().complete
        assert not found.find(verify=True).items

    def test_another_versions_journal_is_refused(self, found):
        found.lines({"record": "run", "pipeline": "f00d", "time": 1.0, "sources": 1})
        with pytest.raises(OtherJournalError):
            history()

    def test_names_that_are_not_utf_8(self, folder, found):
        name = os.fsdecode(b"\xff.wav")
        found.lines(found.run(), found.begin((name, A)))
        assert name in history().owned

    def test_no_journal(self, folder):
        none = history("none")
        assert none.clean
        assert not len(none.owned)

    @given(st.binary(max_size=200), st.integers(0, 10))
    def test_whatever_is_in_it_raises_nothing(self, tmp_path_factory, noise, seed):
        root = tmp_path_factory.mktemp("j")
        (root / ".tonearm").mkdir()
        lines = [
            {"record": "run", "journal": 2, "pipeline": "f00d", "time": 1, "sources": 1},
            {"record": "begin", "outputs": 1}, {"record": "end", "state": []},
            {"record": "begin", "outputs": [[OUTPUT, [["", 0, [["a", 1, A]]]]]], "state": [1, 1], "source": "s",
             "folder": "."},
        ]  # fmt: skip
        content = [json.dumps(line).encode() for line in lines] + [noise, noise]
        random.Random(seed).shuffle(content)
        (root / ".tonearm" / "journal.jsonl").write_bytes(b"\n".join(content))
        more = {"verify": True, "is_path": lambda item, path: True, "content_hash": lambda: ""}
        history(root).find(OUTPUT, ".", "s", (1, 1), **more)
