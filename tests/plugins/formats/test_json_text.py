"""JSON within memory: what it takes is never more than what is judged."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from tonearm.api import ItemError, limited_memory
from tonearm_plugins.formats.json_text import MAX_LINES, find_field, parse_documents, parse_json, sound_fields

COUNT = 20_000
TEXTS = {
    "text": b'{"a": "' + b"QUJD" * COUNT + b'"}',
    "empty lists": b"[" + b",".join([b"[]"] * COUNT) + b"]",
    "empty mappings": b"[" + b",".join([b"{}"] * COUNT) + b"]",
    "mappings of one": b"[" + b",".join([b'{"a":{}}'] * COUNT) + b"]",
    "names": b"{" + b",".join(b'"%d":0' % number for number in range(COUNT)) + b"}",
    "texts": b"[" + b",".join(b'"%d"' % number for number in range(COUNT)) + b"]",
    "numbers": b"[" + b",".join(b"%d.5" % number for number in range(COUNT)) + b"]",
}


@pytest.mark.parametrize("name", TEXTS)
def test_values_take_no_more_than_what_is_judged(name: str) -> None:
    data = TEXTS[name]
    tracemalloc.start()
    try:
        assert parse_json(data, "a.json") == json.loads(data)
        tracemalloc.clear_traces()
        tracemalloc.reset_peak()
        found = parse_json(data, "a.json")
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found
    with limited_memory(taken - 1), pytest.raises(ItemError) as caught:
        parse_json(data, "a.json")
    assert caught.value.code == "too-large"
    with limited_memory(12 * taken):
        parse_json(data, "a.json")


@pytest.mark.parametrize(
    ("data", "judged"),
    [
        (b"0", 3),
        (b'"abc"', 15),
        (b"[0]", 9 + 50),
        (b"[0,0,0]", 21 + 3 * 50),
        (b'{"a":0}', 21 + 2 * 50),
        (b'[{"a":[]}]', 30 + 4 * 50),
    ],
)
def test_each_byte_and_each_value_is_judged(data: bytes, judged: int) -> None:
    with limited_memory(2 * judged):
        assert parse_json(data, "a.json") == json.loads(data)
    with limited_memory(2 * judged - 1), pytest.raises(ItemError, match=r"^'a.json' would take"):
        parse_json(data, "a.json")


@pytest.mark.parametrize("data", [b"", b"[", b"{1: 2}", b"\xff", b"nonsense"])
def test_what_is_no_json_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^(Expecting|'utf-8' codec)"):
        parse_json(data, "a.json")


def test_what_is_nested_too_deeply_is_an_error() -> None:
    with pytest.raises(RecursionError):
        parse_json(b"[" * 200_000, "a.json")


def refused(data: bytes) -> ItemError:
    with pytest.raises(ItemError) as caught:
        parse_documents(data, "a.json")
    return caught.value


def test_documents_of_every_form() -> None:
    one = {"a": [1]}
    assert parse_documents(json.dumps(one, indent=2).encode(), "a.json") == [one]
    assert parse_documents(b'\n{"a": [1]}\r\n\n{"a": [1]}', "a.json") == [one, one]
    assert parse_documents(b': hi\nid: 1\ndata: {"a": [1]}\n\ndata:{"a": [1]}\ndata: [DONE]\n', "a.json") == [one, one]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "broken-file"),
        (b"\xff\xfe{\0}\0" * 3, "broken-file"),
        (b'{"a": ' * 100_000, "broken-file"),
        (b'{"a": 1}\n{"a": ', "broken-file"),
        (b"{}\n" * (MAX_LINES + 1), "too-large"),
        (b"RIFF\0\0\0\0WAVEfmt ", "wrong-format"),
    ],
    ids=["empty", "utf-16", "nested", "cut", "lines", "wav"],
)
def test_what_is_refused(data: bytes, code: str) -> None:
    assert refused(data).code == code


def test_fields_lead_through_lists() -> None:
    documents = [{"rate": 1, "a": [{"b": 1, "c": 2}, {"c": 3}, {"b": 4}]}, {"a": []}]
    assert [found.value for found in find_field(documents, "a.b", "a.json")] == [1, 4]
    assert [found.value for found in find_field(documents, "a.2.b", "a.json")] == [4]
    assert [found.value for found in find_field([[1, 2]], "*", "a.json")] == [1, 2]
    (found,) = find_field(documents, "a.0.c", "a.json")
    assert found.beside == (documents[0]["a"][0], documents[0])
    with pytest.raises(ItemError, match="has no 'd' under 'a'") as caught:
        find_field(documents, "a.d", "a.json")
    assert caught.value.hint == "it has 'b', 'c'"


def test_fields_that_may_hold_sound() -> None:
    sound = "UklGR" * 40
    chunks = [{"b": sound}, {"b": sound}]
    documents = [{"id": "x" * 20, "text": "a word " * 30, "a": chunks, "c": [0.5] * 16, "d": [1, 2]}]
    assert sound_fields(documents) == ["a.b", "c"]
    assert sound_fields([[sound]]) == [""]
    assert sound_fields([{str(index): sound} for index in range(20)], most=3) == ["0", "1", "2"]
