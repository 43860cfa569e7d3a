"""Tags of source and user are merged; names and texts are valid in every format."""

from __future__ import annotations

import pytest

from tonearm.writing.tags import is_tag_name, merged_tags, valid_tag


def test_tags_of_the_user_come_first_and_an_empty_text_removes_one() -> None:
    found = {"Title": "old", "artist": "A", "a=b": "x", "tonearm_source": "of the source's own"}
    assert merged_tags(found, {"title": "new", "ARTIST": "", "year": 2024}) == {"title": "new", "year": "2024"}


@pytest.mark.parametrize(
    ("text", "valid"), [("a\0b", "a b"), ("  x ", "x"), ("\udcff", "\\udcff"), ("日本", "日本"), ("", "")]
)
def test_texts_are_valid_in_every_format(text: str, valid: str) -> None:
    assert valid_tag(text) == valid


@pytest.mark.parametrize(
    ("name", "is_name"), [("title", True), ("a b", True), ("a=b", False), ("~", False), ("ä", False)]
)
def test_names_are_those_of_vorbis_comments(name: str, is_name: bool) -> None:
    assert is_tag_name(name) == is_name
