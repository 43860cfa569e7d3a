import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.errors import OutputError
from tonearm.run.prepared import Failure
from tonearm.run.store.records import (
    BeginRecord,
    EndRecord,
    ErrRecord,
    OutRecord,
    Record,
    RunRecord,
    StopRecord,
    SyncRecord,
    decode_record,
    encode_record,
    read_records,
    runs_in_order,
)

SOURCE = {"source": "/in/a.npy", "folder": "."}
RECORDS = [
    RunRecord(time=1.5, pipeline="f00d", file="/p.yaml", plugins=[("npy-reader", "tonearm 1")], sources=2, jobs=1),
    BeginRecord(**SOURCE, output="a.wav", size=4, hash="aa", state=(3, 5), key="k", index=0, files=2),
    OutRecord(**SOURCE, key="k", index=0, outputs=[("a.wav", 4)], measured={"peak_db": -1.5}, warnings=["loud"]),
    ErrRecord(**SOURCE, key="k", index=1, code="empty", message="nothing", hint=""),
    EndRecord(**SOURCE, state=(3, 5), hash="bb", items=[("k", 0, [("a.wav", 4, "aa")])], failed=1, seconds=0.5),
    SyncRecord(),
    StopRecord(time=2.5, converted=1, failed=1, reason="failures"),
]


def test_every_record_is_read_as_it_was_written():
    assert {type(record) for record in RECORDS} == set(Record.__args__)
    assert [decode_record(encode_record(record)) for record in RECORDS] == RECORDS


def test_names_on_the_disk_do_not_change():
    """Journals outlive releases: another release must be able to read them."""
    fields = {json.loads(line)["record"]: sorted(json.loads(line)) for line in map(encode_record, RECORDS)}
    assert fields == {
        "run": ["file", "jobs", "pipeline", "plugins", "record", "skipped", "sources", "time"],
        "begin": ["files", "folder", "hash", "index", "key", "output", "record", "size", "source", "state"],
        "out": ["folder", "index", "key", "measured", "outputs", "record", "source", "warnings"],
        "err": ["code", "folder", "hint", "index", "key", "message", "record", "source"],
        "end": ["failed", "folder", "hash", "items", "record", "seconds", "source", "state"],
        "sync": ["record"],
        "stop": ["converted", "failed", "reason", "record", "time"],
    }


def test_a_record_is_one_line_of_ascii():
    assert encode_record(ErrRecord(source="a\n\x1b\udcff é", folder=".", key="", index=0, code="", message="", hint=""))
    line = encode_record(msgspec.structs.replace(RECORDS[3], source="a\n\x1b\udcff é"))
    assert line.startswith(b'{"record":"err","source":"a\\n\\u001b\\udcff \\u00e9",')
    assert line.count(b"\n") == 1
    assert line.isascii()


@pytest.mark.parametrize("value", ["plain", "é", "\udcff", 1 << 70, -1.5])
def test_any_measurement_is_read_as_it_was_written(value):
    record = msgspec.structs.replace(RECORDS[2], measured={"m": value})
    assert decode_record(encode_record(record)) == record


def test_a_number_that_json_lacks_is_null():
    record = msgspec.structs.replace(RECORDS[2], measured={"a": float("inf"), "b": float("nan"), "c": 1.5})
    assert decode_record(encode_record(record)).measured == {"a": None, "b": None, "c": 1.5}


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"null", b"[]", b"{}", b"\xff\xfe", b"\0" * 5000, b'{"record":' * 5000, b'{"record":"note"}',
     b'{"record":"begin"}',
     b'{"record":"end","source":1}', b'{"record":"sync"', b'{"record":"err","source":"\\udcff"}'],
)  # fmt: skip
def test_a_line_that_is_no_record(line):
    assert decode_record(line) is None


@given(st.binary(max_size=100))
def test_no_line_raises(line):
    decode_record(line)
    decode_record(b'{"record":"out",' + line)


def test_a_failure_is_recovered():
    assert RECORDS[3].failure() == Failure("/in/a.npy", "k", 1, "empty", "nothing")


class TestReading:
    @pytest.fixture
    def journal(self, tmp_path):
        def write(name, *records):
            path = tmp_path / name
            path.write_bytes(b"".join(map(encode_record, records)))
            return str(path)

        return write

    def test_a_section(self, journal):
        path = journal("j", *RECORDS)
        pairs = list(read_records(path))
        assert [record for _, record in pairs] == [*RECORDS, None]
        offsets = [offset for offset, _ in pairs]
        assert offsets[0] == 0
        assert offsets[-1] == sum(len(encode_record(record)) for record in RECORDS)
        assert [record for _, record in read_records(path, offsets[1], offsets[3])] == [*RECORDS[1:3], None]

    def test_a_journal_that_does_not_exist_is_empty(self):
        assert list(read_records("none")) == [(0, None)]

    def test_a_journal_that_cannot_be_read(self, tmp_path):
        with pytest.raises(OutputError, match="cannot read the journal: is a directory"):
            list(read_records(str(tmp_path)))

    def test_runs_follow_one_another_by_time_but_within_a_journal_by_place(self, journal):
        def run(time):
            return RunRecord(time=time, pipeline="", sources=0)

        first = journal("1", run(1.0), run(3.0), run(0.5))
        second = journal("2", run(2.0))
        size = len(encode_record(run(1.0)))
        sections = [section for section in runs_in_order([first, second]) if section[1] != section[2]]
        assert sections == [(0, 0, size), (1, 0, None), (0, size, 2 * size), (0, 2 * size, None)]

    def test_one_journal_is_read_once(self):
        assert runs_in_order(["any"]) == [(0, 0, None)]
