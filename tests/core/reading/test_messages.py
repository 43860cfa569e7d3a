"""Quoted names and lists in messages: one line, printable and bounded, whatever they hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tonearm.reading.messages import listed, quoted, quoted_array


def test_a_name_is_quoted() -> None:
    assert quoted("a.npy") == "'a.npy'"
    assert quoted("it's") == '"it\'s"'
    assert quoted("a\n\x1b[2J\udcff") == r"'a\n\x1b[2J\udcff'"


def test_a_long_name_is_cut_off() -> None:
    assert quoted("x" * 120) == "'" + "x" * 120 + "'"
    assert quoted("x" * 121) == "'" + "x" * 119 + "…'"
    assert quoted("abcdef", 3) == "'ab…'"


@given(st.text(max_size=300))
def test_every_name_fits_on_a_line(name: str) -> None:
    assert quoted(name).isprintable()
    assert len(quoted(name)) <= 120 * len("\\U0010ffff") + 2


def test_an_array_is_named_after_its_file() -> None:
    assert quoted_array("a.h5", "group/wav") == "'a.h5': 'group/wav'"
    assert quoted_array("a.zarr", "") == "'a.zarr'"


def test_names_are_listed_up_to_a_number() -> None:
    assert listed([]) == "nothing"
    assert listed(["a"]) == "'a'"
    assert listed({"a": 1, "b": 2}) == "'a', 'b'"
    assert listed("abcdefgh") == "'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'"
    assert listed("abcd", 2) == "'a', 'b' and 2 more"
