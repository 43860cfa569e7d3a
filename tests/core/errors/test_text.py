"""Text of messages is one printable line, and the nearest known word is suggested."""

import pytest

from tonearm.errors import did_you_mean, one_line
from tonearm.errors.text import (
    counted,
    describe_exception,
    edit_distance,
    escape_controls,
    nearest,
    safe_repr,
    safe_text,
)


def test_control_characters_are_escaped():
    assert one_line("a\x1b[2J\nb") == "a\\x1b[2J\\nb"


@pytest.mark.parametrize("character", ["\x1b", "\r", "\x7f", "\x9b", "\u200f", "\u202e", "\u2028", "\ufeff", "\udc80"])
def test_what_a_terminal_obeys_is_escaped(character):
    escaped = escape_controls(f"a{character}é\n", "\n")
    assert escaped.isascii() is False
    assert escaped.removesuffix("\n").isprintable()
    assert escape_controls(escaped, "\n") == escaped
    assert character not in escape_controls(character)


def test_long_text_is_cut():
    assert one_line("x" * 301) == "x" * 299 + "…"
    assert one_line("x" * 300) == "x" * 300


def test_the_nearest_word_is_suggested():
    assert did_you_mean("iteratons", ["iterations", "seed"]) == "did you mean 'iterations'?"
    assert did_you_mean("zzz", ["iterations", "seed"]) == ""


def test_numbers_have_their_nouns():
    assert [counted(count, "sample") for count in (0, 1, 2000)] == ["0 samples", "1 sample", "2,000 samples"]


class MuteError(Exception):
    def __str__(self):
        raise ZeroDivisionError

    __repr__ = __str__


def test_foreign_objects_that_cannot_be_printed():
    assert safe_text(MuteError()) == "(ZeroDivisionError in its own __str__)"
    assert safe_repr(MuteError()) == "<MuteError>"
    assert describe_exception(MuteError()) == "MuteError: (ZeroDivisionError in its own __str__)"


def test_exceptions_in_words():
    assert describe_exception(ValueError("a\nb")) == r"ValueError: a\nb"
    assert describe_exception(MemoryError()) == "MemoryError"
    assert describe_exception(SystemExit("no licence")) == "SystemExit: it calls sys.exit('no licence')"


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("npy-raeder", "npy-reader"), ("itsft", "istft"), ("hifgian", "hifigan"), ("npyreader", "npy-reader"),
        ("wav-writter", "wav-writer"), ("NPY-Reader", "npy-reader"), ("gian", "gain"), ("griffinlim", "griffin-lim"),
        ("tirm", "trim"), ("acme-x", None), ("zz", None), ("", None),
    ],
)  # fmt: skip
def test_letters_that_are_missing_wrong_or_transposed(word, wanted):
    known = ["npy-reader", "npz-reader", "istft", "hifigan", "wav-writer", "gain", "griffin-lim", "trim", "pad"]
    assert nearest(word, known) == wanted


def test_of_two_that_are_as_near_the_more_alike_is_meant():
    assert nearest("npz-raeder", ["npy-reader", "npz-reader"]) == "npz-reader"
    assert nearest("reader", ["reeder", 3, None]) == "reeder"


@pytest.mark.parametrize(
    ("word", "other", "distance"),
    [
        ("ab", "ba", 1),
        ("abc", "abc", 0),
        ("abc", "abd", 1),
        ("abc", "ab", 1),
        ("kitten", "sitting", 3),
        ("a", "xyz", 3),
    ],
)
def test_edit_distance(word, other, distance):
    assert edit_distance(word, other, 9) == edit_distance(other, word, 9) == distance
    assert edit_distance(word, other, 1) == min(distance, 2)
