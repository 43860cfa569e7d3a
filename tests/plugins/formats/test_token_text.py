"""Raw tokens in text and JSON: their forms, places and bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonearm.api import ItemError, limited_memory
from tonearm_plugins.formats import json_text
from tonearm_plugins.formats.token_text import RawTokens, is_ids, items_of, parse


def parsed(text: str, field: str | None = None, *, is_json: bool = False) -> list[tuple[str, Any]]:
    found = parse(text.encode(), "a.txt", field, lambda given: "<" in given, is_json=is_json)
    return [tuple(one) for one in found]  # type: ignore[misc]


def refused(text: str, field: str | None = None, *, is_json: bool = False) -> ItemError:
    with pytest.raises(ItemError) as caught:
        parsed(text, field, is_json=is_json)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<1> and", [("", "<1> and")]),
        ("[sighs] <1>", [("", "[sighs] <1>")]),
        ("{laughs} <1>", [("", "{laughs} <1>")]),
        ("5 -6", [("", [5, -6])]),
        ("1 2\n3 4", [("", [[1, 2], [3, 4]])]),
        ('{"a": "<1>"}\n\n{"a": "<2>"}', [("line 1", "<1>"), ("line 3", "<2>")]),
        ('[{"a": "<1>"}, {"a": "<2>"}]', [("element 0", "<1>"), ("element 1", "<2>")]),
        ('{"a": [{"b": "<1>"}, {"b": "<2>"}]}', [("element 0", "<1>"), ("element 1", "<2>")]),
        ("[1]\n[2]", [("line 1", [1]), ("line 2", [2])]),
    ],
)
def test_forms_and_places(text: str, expected: list[tuple[str, Any]]) -> None:
    assert parsed(text) == expected


def test_a_text_of_words_and_numbers_is_text() -> None:
    assert parsed("take 5\n6 7") == [("", "take 5\n6 7")]


def test_text_in_another_encoding() -> None:
    with pytest.raises(ItemError) as caught:
        list(parse(("<1> " * 20 + "é").encode("latin-1"), "a.txt", None, lambda _: True, is_json=False))
    assert caught.value.message == "'a.txt' is not text in UTF-8"


def test_json_that_is_cut_off() -> None:
    assert refused('{"a": [1, 2', is_json=True).code == "broken-file"
    assert "line 2" in refused('{"a": [1]}\n{"a": [1').message


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with limited_memory(1000):
        assert refused("1 " * 600).code == "too-large"
        assert refused("[" + "[]," * 30 + "[]]").code == "too-large"
    monkeypatch.setattr("tonearm_plugins.formats.token_text.MAX_LINES", 3)
    assert refused("[1]\n" * 5).code == "too-large"
    monkeypatch.setattr("tonearm_plugins.formats.token_text.MAX_JSON", 3)
    assert refused("[1, 2]").code == "too-large"


def test_deep_json_is_no_list_of_ids() -> None:
    deep = "[" * 5000 + "1" + "]" * 5000
    assert refused(deep, is_json=True).code in ("broken-file", "not-numbers")
    assert not is_ids([[[[[[[1]]]]]]])
    assert json_text.MAX_DEPTH > 5


def test_truth_values_are_no_ids() -> None:
    assert not is_ids([True, 1])
    assert not is_ids([])
    assert not is_ids([[1], [2.0]])


@pytest.mark.parametrize(
    ("raw", "is_ragged", "expected"),
    [
        ([[1, 2], [3, 4]], False, [("x", [[1, 2], [3, 4]])]),
        ([[1], [3, 4]], False, [("x, element 0", [1]), ("x, element 1", [3, 4])]),
        ([[[1], [2]], [[3, 4], [5, 6]]], False, [("x, element 0", [[1], [2]]), ("x, element 1", [[3, 4], [5, 6]])]),
    ],
)
def test_nested_lists_are_arrays_or_batches(raw: Any, is_ragged: bool, expected: Any) -> None:
    found = items_of(RawTokens("x", raw), is_ragged=is_ragged)
    assert [(place, array.tolist()) for place, array in found] == expected
    assert all(array.dtype == np.int64 for _, array in found)


def test_nested_lists_are_levels() -> None:
    ((place, levels),) = items_of(RawTokens("", [[1], [3, 4]]), is_ragged=True)
    assert (place, [level.tolist() for level in levels]) == ("", [[1], [3, 4]])
    ((_, levels),) = items_of(RawTokens("", [[[1], [2]], [[3, 4], [5, 6]]]), is_ragged=True)
    assert [level.tolist() for level in levels] == [[[1], [2]], [[3, 4], [5, 6]]]
    found = items_of(RawTokens("", [[[1], [3, 4]], [[1, 2], [3, 4, 5, 6]]]), is_ragged=True)
    assert [place for place, _ in found] == ["element 0", "element 1"]
