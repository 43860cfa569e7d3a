"""Messages, as people first met them: one takes three lines at most, in each test of the suite.

`message_lines` notes the text of each error and problem, and the tests' root fails a test that has formed a longer one.
"""

from __future__ import annotations

import pytest
from at_the_prompt import MOST_LINES, longest_message

import message_lines
from tonearm.errors import ItemError, UsageError


@pytest.mark.parametrize("error", [UsageError, ItemError])
def test_a_message_of_four_lines_is_noted(error: type[UsageError] | type[ItemError]) -> None:
    long = error("one\ntwo\nthree", hint="four")
    assert str(error("one\ntwo", hint="three")).count("\n") == 2
    assert message_lines.LONG == []
    assert str(long).endswith("hint: four")
    assert str(long.problem)
    assert len(message_lines.LONG) == 2
    message_lines.LONG.clear()


def test_lines_are_counted_for_each_message_alone() -> None:
    two = "a.npy: not-finite: it is NaN\n    hint: nan: zero\n"
    assert longest_message(two) == 2
    assert longest_message(two + two + "3 converted, 2 failed in 0.1 s\n    a\n    b\n    c\n    d\n") == 2
    assert longest_message(f"{two}    kept: q/a.wav\n    and more\n") == 4 > MOST_LINES
    assert longest_message("warning: too-quiet: it is quiet\n") == 1
    assert longest_message("") == 0
