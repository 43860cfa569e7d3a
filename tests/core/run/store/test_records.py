import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.errors import UsageError
from tonearm.run.prepared import Failure
from tonearm.run.store.records import (
    BeginRecord,
    EndRecord,
    ErrRecord,
    MeasuredItem,
    OtherJournalError,
    OutputItems,
    OutRecord,
    PublishedItem,
    Record,
    RunRecord,
    StopRecord,
    SyncRecord,
    decode_record,
    encode_record,
    line_start,
)

SOURCE = {"source": "/in/a.npy", "folder": "."}
ITEMS = [OutputItems("f1", [PublishedItem("k", 0, [("a.wav", 4, "aa")])]), OutputItems("f2", [])]
MEASURED = MeasuredItem("k", 0, "f1", [("a.wav", 4)], {"peak_db": -1.5}, ["loud"])
RECORDS = [
    RunRecord(
        time=1.5,
        pipeline="f00d",
        file="/p.yaml",
        plugins=[("npy-reader", "tonearm 1")],
        outputs=["f1", "f2"],
        part=(1, 2),
        sources=2,
        jobs=1,
    ),
    BeginRecord(**SOURCE, state=(3, 5), outputs=ITEMS),
    OutRecord(**SOURCE, items=[MEASURED]),
    ErrRecord(**SOURCE, key="k", index=1, code="empty", message="nothing", hint="", kept="q/a.wav"),
    EndRecord(**SOURCE, state="aa", hash="bb", outputs=ITEMS, failed=1, seconds=0.5),
    SyncRecord(),
    StopRecord(time=2.5, converted=1, failed=1, reason="failures"),
]


def test_every_record_is_read_as_it_was_written():
    assert {type(record) for record in RECORDS} == set(Record.__args__)
    assert [decode_record(encode_record(record)) for record in RECORDS] == RECORDS


def test_names_on_the_disk_do_not_change():
    """Journals outlive releases: another release must be able to read them."""
    lines = [json.loads(encode_record(record)) for record in RECORDS]
    assert {line["record"]: sorted(line) for line in lines} == {
        "run": ["file", "jobs", "journal", "outputs", "part", "pipeline", "plugins", "record", "skipped", "sources",
                "time"],
        "begin": ["folder", "outputs", "record", "source", "state"],
        "out": ["folder", "items", "record", "source"],
        "err": ["code", "folder", "hint", "index", "kept", "key", "message", "record", "source"],
        "end": ["failed", "folder", "hash", "outputs", "record", "seconds", "source", "state"],
        "sync": ["record"],
        "stop": ["converted", "failed", "reason", "record", "time"],
    }  # fmt: skip
    assert lines[0]["journal"] == 2
    assert lines[1]["outputs"] == [["f1", [["k", 0, [["a.wav", 4, "aa"]]]]], ["f2", []]]
    assert sorted(lines[2]["items"][0]) == ["files", "fingerprint", "index", "key", "measured", "warnings"]


@pytest.mark.parametrize("record", [*RECORDS, *ITEMS, *ITEMS[0].items, MEASURED], ids=lambda one: type(one).__name__)
def test_a_record_does_not_change_and_names_its_fields(record):
    for name in record.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(record, name, getattr(record, name))
    values = [getattr(record, name) for name in record.__struct_fields__]
    if isinstance(record, RunRecord | BeginRecord | OutRecord | ErrRecord | EndRecord | StopRecord):
        with pytest.raises(TypeError):
            type(record)(*values)
    else:
        assert type(record)(*values) == record


@pytest.mark.parametrize(
    ("line", "record"),
    [
        (
            b'{"record":"run","journal":2,"time":1.5,"pipeline":"f","sources":3}',
            RunRecord(journal=2, time=1.5, pipeline="f", file="", plugins=[], outputs=[], part=None, sources=3,
                      skipped=0, jobs=0),
        ),
        (b'{"record":"stop"}', StopRecord(time=0.0, converted=0, failed=0, reason="")),
        (
            b'{"record":"end","source":"s","folder":".","state":null,"hash":"","outputs":[],"failed":0,"seconds":1}',
            EndRecord(source="s", folder=".", state=None, hash="", outputs=[], failed=0, seconds=1.0, renewed=False),
        ),
        (
            b'{"record":"out","source":"s","folder":".","items":[{"key":"k","index":0,"fingerprint":"f","files":[]}]}',
            OutRecord(source="s", folder=".", items=[MeasuredItem("k", 0, "f", [], {}, [])]),
        ),
    ],
)  # fmt: skip
def test_what_a_line_leaves_out_has_its_default(line, record):
    """Releases that write fewer fields exist already: their lines must go on to mean the same."""
    assert decode_record(line) == record
    assert line_start(type(record)) == line[: line.index(b'"', 11) + 1]
    assert encode_record(record).startswith(line_start(type(record)))
    given = {name for name in json.loads(line) if name not in ("record", "journal")}
    assert type(record)(**{name: getattr(record, name) for name in given}) == record


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (SyncRecord(), '{"record":"sync"}'),
        (StopRecord(reason="é"), '{"record":"stop","time":0.0,"converted":0,"failed":0,"reason":"\\u00e9"}'),
        (StopRecord(reason="e"), '{"record":"stop","time":0.0,"converted":0,"failed":0,"reason":"e"}'),
    ],
)
def test_the_bytes_of_a_line(record, line):
    assert encode_record(record) == f"{line}\n".encode("ascii")


def test_a_repeated_end_says_so():
    again = msgspec.structs.replace(RECORDS[4], renewed=True)
    assert json.loads(encode_record(again))["renewed"] is True
    assert decode_record(encode_record(again)) == again


def test_a_record_is_one_line_of_ascii():
    line = encode_record(msgspec.structs.replace(RECORDS[3], source="a\n\x1b\udcff é"))
    assert line.startswith(b'{"record":"err","source":"a\\n\\u001b\\udcff \\u00e9",')
    assert line.count(b"\n") == 1
    assert line.isascii()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
@pytest.mark.parametrize("name", ["\udcff", "é", "a\n\x1b\x7f"])
def test_any_name_is_read_as_it_was_written(record, name):
    fields = [field for field in record.__struct_fields__ if isinstance(getattr(record, field), str)]
    changed = msgspec.structs.replace(record, **dict.fromkeys(fields, name))
    assert encode_record(changed).isascii()
    assert decode_record(encode_record(changed)) == changed


@pytest.mark.parametrize("value", ["plain", "é", "\udcff", 1 << 70, -1.5])
def test_any_measurement_is_read_as_it_was_written(value):
    record = OutRecord(**SOURCE, items=[msgspec.structs.replace(MEASURED, measured={"m": value})])
    assert decode_record(encode_record(record)) == record


def test_a_number_that_json_lacks_is_null():
    measured = {"a": float("inf"), "b": float("nan"), "c": 1.5}
    record = OutRecord(**SOURCE, items=[msgspec.structs.replace(MEASURED, measured=measured)])
    assert decode_record(encode_record(record)).items[0].measured == {"a": None, "b": None, "c": 1.5}


@pytest.mark.parametrize("name", ["plain", "\udcff"])
def test_a_number_that_json_lacks_is_null_whatever_the_names(name):
    item = msgspec.structs.replace(MEASURED, key=name, measured={"a": float("-inf"), "b": float("nan")})
    line = encode_record(OutRecord(**SOURCE, items=[item]))
    assert b"NaN" not in line
    assert b"Infinity" not in line
    assert decode_record(line).items[0].measured == {"a": None, "b": None}


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"null", b"[]", b"{}", b"\xff\xfe", b"\0" * 5000, b'{"record":' * 5000, b'{"record":"note"}',
     b'{"record":"begin"}',
     b'{"record":"end","source":1}', b'{"record":"sync"', b'{"record":"err","source":"\\udcff"}',
     b'{"record":"run","time":1e999}', b'{"record":"run","time":-Infinity}', b'{"record":"stop","time":NaN}',
     b'{"record":["run"]}', b'{"record":"run","journal":true}', b'{"record":"run","journal":"2"}'],
)  # fmt: skip
def test_a_line_that_is_no_record(line):
    assert decode_record(line) is None


@given(st.binary(max_size=100))
def test_no_line_raises(line):
    decode_record(line)
    decode_record(b'{"record":"out",' + line)


START_AGAIN = "choose another output folder; or remove its folder .tonearm and convert everything again, by force"
UPDATE = "update tonearm, or choose another output folder"


@pytest.mark.parametrize("name", ["plain", "\\udcff"])
@pytest.mark.parametrize(
    ("version", "message", "hint"),
    [
        ("", "the journal was written by tonearm 0.1.0", START_AGAIN),
        ('"journal":-1,', "the journal was written by tonearm 0.1.0", START_AGAIN),
        ('"journal":1,', "the journal was written by tonearm 0.1.0", START_AGAIN),
        ('"journal":3,', "the journal has format 3, and this tonearm reads format 2", UPDATE),
        ('"journal":4,"sources":{},', "the journal has format 4, and this tonearm reads format 2", UPDATE),
    ],
)
def test_a_run_of_another_version_is_refused(version, name, message, hint):
    line = f'{{"record":"run",{version}"file":"{name}","pipeline":"f00d","time":1.5,"sources":1}}\n'
    with pytest.raises(OtherJournalError) as caught:
        decode_record(line.encode())
    assert (caught.value.code, caught.value.message, caught.value.hint) == ("other-journal", message, hint)
    assert isinstance(caught.value, UsageError)


def test_a_failure_is_recovered():
    assert RECORDS[3].failure() == Failure("/in/a.npy", "k", 1, "empty", "nothing", kept="q/a.wav")
