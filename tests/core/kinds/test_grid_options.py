"""Options that kinds inherit: what is missing or given twice."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tonearm.errors import GiveOption
from tonearm.kinds.grid_options import GridOptions, missing_rate


@dataclass(frozen=True, kw_only=True)
class Inherited(GridOptions):
    """Options of a kind."""


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({}, []),
        ({"center": False}, []),
        ({"center": False, "padding": "none"}, ["center and padding are the same option"]),
    ],
)
def test_padding_is_given_once(given: dict[str, object], problems: list[str]) -> None:
    options = Inherited(sample_rate=8000, **given)  # type: ignore[arg-type]
    assert [problem.message for problem in options.padding_problems()] == problems
    assert (options.sample_rate, options.n_fft) == (8000, None)


def test_a_missing_rate_is_asked_for() -> None:
    (remedy,) = missing_rate().remedies
    assert remedy == GiveOption("sample_rate", "the rate that the model was made for, such as 22050")
