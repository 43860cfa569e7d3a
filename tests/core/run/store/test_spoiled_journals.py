"""Journals with lines that nobody can make sense of: the rest counts for all that."""

import json
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals_by_hand import OUTPUT, A, history

from tonearm.errors import OutputError
from tonearm.run.store.records import OtherJournalError


def test_a_journal_that_cannot_be_read_is_not_taken_for_none(found):
    (found.folder / "journal.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"cannot read the journal: \.tonearm/journal\.jsonl is no regular file"):
        history()


def test_bad_lines_are_skipped(done):
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


def test_another_versions_journal_is_refused(found):
    found.lines({"record": "run", "pipeline": "f00d", "time": 1.0, "sources": 1})
    with pytest.raises(OtherJournalError):
        history()


def test_names_that_are_not_utf_8(folder, found):
    name = os.fsdecode(b"\xff.wav")
    found.lines(found.run(), found.begin((name, A)))
    assert name in history().owned


@given(st.binary(max_size=200), st.integers(0, 10))
def test_whatever_is_in_it_raises_nothing(tmp_path_factory, noise, seed):
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
