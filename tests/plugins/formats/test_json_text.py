"""JSON within memory: what it takes is never more than what is judged."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from tonearm.api import ItemError, limited_memory
from tonearm_plugins.formats.json_text import parse_json

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
