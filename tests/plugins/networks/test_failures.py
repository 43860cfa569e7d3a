"""Reasons on one line, and errors of options as those of items."""

import pytest

from tonearm.api import Advice, OptionError
from tonearm_plugins.networks.failures import LONGEST, as_item_error, failure_reason


@pytest.mark.parametrize(
    ("error", "line", "expected"),
    [
        (ValueError("it has 3 axes. See the docs.\n\nMore."), 0, "ValueError: it has 3 axes"),
        (
            RuntimeError("Traceback:\n  File x\n\nRuntimeError: no such input\n"),
            -1,
            "RuntimeError: RuntimeError: no such input",
        ),
        (MemoryError(), 0, "MemoryError"),
        (KeyError("\n \n"), 0, r"KeyError: '\n \n'"),
    ],
)
def test_the_line_that_tells(error: Exception, line: int, expected: str) -> None:
    assert failure_reason(error, line=line) == expected


def test_a_long_reason_is_cut() -> None:
    shown = failure_reason(ValueError("x" * 1000))
    assert (len(shown), shown[-1]) == (LONGEST, "…")


def test_an_error_of_an_option_keeps_its_code_and_remedies() -> None:
    found = as_item_error(OptionError("no", option="model", code="no-model", remedies=(Advice("look"),), hint="again"))
    assert (found.message, found.code) == ("no", "no-model")
    assert found.remedies == (Advice("look"), Advice("again"))
