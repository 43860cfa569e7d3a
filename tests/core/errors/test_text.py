"""Text of messages is one printable line, and the nearest known word is suggested."""

import functools
import itertools

import pytest

from tonearm.errors import TonearmError, did_you_mean, one_line
from tonearm.errors.text import (
    counted,
    describe_exception,
    edit_distance,
    escape_controls,
    item_name,
    nearest,
    safe_repr,
    safe_text,
    without_credentials,
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
    assert one_line("abcd", 3) == "ab…"
    assert one_line("abc", 3) == "abc"
    assert one_line("\n\n", 4) == "\\n\\n"
    assert one_line("\n\n!", 4) == "\\n\\…"


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
    assert describe_exception(SystemExit(MuteError())) == "SystemExit: it calls sys.exit(<MuteError>)"
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
    for known in (["abxd", "abcde"], ["abcde", "abxd"]):
        assert nearest("abcd", known) == "abcde"
    assert nearest("abcd", ["abcx", "abxd"]) == "abcx"


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


@functools.cache
def reference(word, other):
    """Return the distance by its definition: the last letter is removed, inserted, replaced or transposed."""
    if not word or not other:
        return len(word) + len(other)
    last = [
        reference(word[:-1], other) + 1,
        reference(word, other[:-1]) + 1,
        reference(word[:-1], other[:-1]) + (word[-1] != other[-1]),
    ]
    if len(word) > 1 and word[-2:] == other[-2:][::-1]:
        last.append(reference(word[:-2], other[:-2]) + 1)
    return min(last)


WORDS = ["".join(letters) for length in range(5) for letters in itertools.product("ab", repeat=length)]


@pytest.mark.parametrize("limit", range(4))
def test_edit_distance_by_its_definition(limit):
    for word, other in itertools.product([*WORDS, "abcab", "cabba"], repeat=2):
        assert edit_distance(word, other, limit) == min(reference(word, other), limit + 1), (word, other)


class Read(str):
    """Text that counts the letters that are read of it."""

    letters = 0

    def __iter__(self):
        for letter in super().__iter__():
            self.letters += 1
            yield letter


@pytest.mark.parametrize(
    ("word", "other", "letters"),
    [
        ("a" * 100, "a" * 97, 0), ("a" * 97, "a" * 100, 0), ("a" * 100, "a" * 98, 100), ("a" * 98, "a" * 100, 98),
        ("a" * 100, "b" * 100, 4), ("a" * 40 + "b" * 60, "a" * 100, 44),
    ],
)  # fmt: skip
def test_no_more_letters_are_read_than_the_limit_needs(word, other, letters):
    word = Read(word)
    edit_distance(word, other, 2)
    assert word.letters == letters


@pytest.mark.parametrize(
    ("letters", "limit"), [(3, 1), (6, 1), (7, 2), (10, 2), (11, 3), (14, 3), (15, 4), (18, 4), (19, 5)]
)
def test_one_letter_in_four_may_be_wrong(letters, limit):
    """A longer word that begins alike is meant only if the others have more wrong letters than that."""
    word = "abcdefghijklmnopqrst"[:letters]
    longer = word + "_" * (limit + 2)
    near, far = (word[:-wrong] + "_" * wrong for wrong in (limit, limit + 1))
    assert nearest(word, [longer, near, far]) == near
    assert nearest(word, [far, longer]) == longer


def test_words_of_two_letters_are_not_corrected():
    assert nearest("ab", ["ax", "ba"]) is None
    assert nearest("abc", ["acb"]) == "acb"
    assert nearest("abc", []) is None


def test_items_have_their_key_or_index_in_brackets():
    names = [item_name("a\n.npz", *identity) for identity in (("", 0), ("", 3), ("x\x1b", 0), ("x", 3))]
    assert names == ["a\\n.npz", "a\\n.npz [3]", "a\\n.npz [x\\x1b]", "a\\n.npz [x]"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot reach tcp://far:1", "cannot reach tcp://far:1"),
        ("cannot reach tcp://me:pass@far:1/x@y", "cannot reach tcp://…@far:1/x@y"),
        ("token https://abc@far, then ssh+git://u:p@w@b", "token https://…@far, then ssh+git://…@b"),
        ("mail me@far, see http://far/me@far", "mail me@far, see http://far/me@far"),
        ("'amqp://u:p%40@h'", "'amqp://…@h'"),
    ],
)
def test_no_message_has_the_credentials_of_an_address(text, shown):
    assert without_credentials(text) == one_line(text) == shown
    error = TonearmError(text, hint=text)
    assert (error.message, error.hint) == (shown, shown)
