"""Output that commands share: durations, tables, failures, warnings, and the form of remedies."""

from collections import Counter

import pytest

from tonearm.cli.printing import (
    align_columns,
    code_lines,
    error_fields,
    failure_lines,
    format_count,
    format_duration,
    remedies_as_flags,
    warning_lines,
)
from tonearm.errors import ItemError, Place, SetOption, UsageError
from tonearm.run.prepared import Failure


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (60, "1.0 min"),
        (3569, "59.5 min"),
        (3570, "1 h 0 min"),
        (7325, "2 h 2 min"),
        (90_000, "25 h 0 min"),
        (float("inf"), "an unknown time"),
        (float("nan"), "an unknown time"),
    ],
)
def test_durations_have_the_unit_that_suits_them(seconds, text):
    assert format_duration(seconds) == text


def test_columns_are_as_wide_as_their_widest_cell():
    rows = [("name", "Hz", "kind"), ("a", "22050", "mel"), ("long name", "8", "")]
    assert align_columns(rows, left=(0, 2)) == ["name          Hz  kind", "a          22050  mel", "long name      8"]
    assert align_columns([], left=()) == []


def failure(code, source, hint=""):
    return Failure(source=source, key="", index=0, code=code, message=f"no {source}", hint=hint)


def test_failures_are_counted_by_code_and_shown_by_their_first():
    failures = [failure("a", "1"), failure("b", "2\n", "do"), failure("b", "3")]
    assert list(failure_lines(Counter(a=1, b=2, c=1), failures)) == [
        "    2 × b, first 2\\n: no 2\\n",
        "        hint: do",
        "    1 × a, first 1: no 1",
        "    1 × c",
    ]


def test_failures_that_have_been_printed_are_only_counted():
    assert list(code_lines(Counter({"a": 1, "b\x1b": 2}))) == ["    2 × b\\x1b", "    1 × a"]


def test_the_most_frequent_warning_comes_first():
    assert list(warning_lines({"x": (1, "a\x1b"), "y": (3, "b")})) == ["    3 × y, first b", "    1 × x, first a\\x1b"]


def test_fields_of_errors_and_failures_are_the_same():
    fields = {"code": "x", "message": "no", "hint": "do"}
    assert error_fields(ItemError("no", code="x", hint="do")) == fields
    assert error_fields(Failure(source="", key="", index=0, **fields)) == fields


def test_remedies_read_as_flags_unless_a_stage_has_set_their_form():
    with pytest.raises(UsageError) as caught, remedies_as_flags():
        raise UsageError("no", remedies=(SetOption("sample_rate", 8000),))
    assert caught.value.hint == "--sample-rate 8000"
    error = UsageError("no", remedies=(SetOption("peak_db", 0),))
    error.place = Place("steps.1", "flags")
    with pytest.raises(UsageError), remedies_as_flags():
        raise error
    assert error.hint == "--set steps.1.with.peak_db=0"


def test_counts_have_their_noun_in_the_right_number():
    assert [format_count(count, "item") for count in (0, 1, 2)] == ["0 items", "1 item", "2 items"]
