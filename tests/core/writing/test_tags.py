"""Tags of source and user are merged; names and texts are valid in every format."""

from __future__ import annotations

import pytest

from tonearm.writing.tags import (
    WELL_KNOWN_TAGS,
    is_tag_name,
    merged_tags,
    number_and_total,
    number_expected,
    repeated_tags,
    tag_name,
    tags_by_name,
    valid_tag,
)


def test_tags_of_the_user_come_first_and_an_empty_text_removes_one() -> None:
    found = {"Title": "old", "artist": "A", "a=b": "x", "tonearm_source": "of the source's own"}
    assert merged_tags(found, {"title": "new", "ARTIST": "", "year": 2024}) == {"title": "new", "date": "2024"}


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


def test_names_that_mean_the_same_are_one_tag() -> None:
    assert [tag_name(name) for name in ("AlbumArtist", "year", "TRACKNUMBER", "mood")] == [
        "album_artist",
        "date",
        "track",
        "mood",
    ]
    assert merged_tags({"tracknumber": "3", "YEAR": "1999"}, {"track": "4/9"}) == {"track": "4/9", "date": "1999"}
    for found in ({"date": "2024-05-01", "year": "2024"}, {"YEAR": "2024", "DATE": "2024-05-01"}):
        assert tags_by_name(found) == merged_tags(found, {}) == {"date": "2024-05-01"}
    assert repeated_tags(["title", "date", "mood", "year", "Title"]) == [("date", "year"), ("title", "Title")]


def test_no_two_tags_share_a_place_or_an_alias() -> None:
    for field in ("id3", "vorbis", "mp4", "info", "aiff"):
        places = [place for tag in WELL_KNOWN_TAGS.values() if (place := getattr(tag, field))]
        assert len(places) == len(set(places))
        assert {len(place) for place in places} <= {4} or field == "vorbis"
    aliases = [alias for tag in WELL_KNOWN_TAGS.values() for alias in tag.aliases]
    assert len({*aliases, *WELL_KNOWN_TAGS}) == len(aliases) + len(WELL_KNOWN_TAGS)


@pytest.mark.parametrize(
    ("text", "numbers"), [("3", (3, 0)), ("3/9", (3, 9)), ("A3", None), ("3/", None), ("3/9/1", None), ("123456", None)]
)
def test_numbers_of_tracks(text: str, numbers: tuple[int, int] | None) -> None:
    assert number_and_total(text) == numbers


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("track", " 3/9 ", ""),
        ("TRACKNUMBER", "A3", "3 or 3/9"),
        ("disc", "1/", "3 or 3/9"),
        ("bpm", "99.5", ""),
        ("bpm", "", ""),
        ("bpm", "3/9", "120 or 99.5"),
        ("bpm", "1e3", "120 or 99.5"),
        ("title", "three\nlines", ""),
    ],
)
def test_tags_that_are_numbers(name: str, text: str, expected: str) -> None:
    assert number_expected(name, text) == expected
