"""Segments and factors that a file states beside codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonearm.arrays.stated_segments import with_stated_segments
from tonearm.signals import CodecTokens

CODES = np.zeros((1, 4, 9), np.int32)


@pytest.mark.parametrize("segments", ["[7, 2]", [7, 2], (7, 2)])
@pytest.mark.parametrize("scales", ["[0.5, 2]", (0.5, 2.0)])
def test_both_are_taken(segments: Any, scales: Any) -> None:
    found = with_stated_segments(CodecTokens(codes=CODES), {"segments": segments, "scales": scales})
    assert (found.segments, found.scales) == ((7, 2), (0.5, 2.0))


def test_what_was_given_stays() -> None:
    tokens = CodecTokens(codes=CODES, segments=(5, 4))
    found = with_stated_segments(tokens, {"segments": [7, 2], "scales": [0.5, 2]})
    assert (found.segments, found.scales) == ((5, 4), (0.5, 2.0))


@pytest.mark.parametrize("says", [{}, {"segments": "[7,"}, {"segments": ["a"]}, {"segments": [7, 3]}, {"scales": 1.0}])
def test_what_does_not_fit_is_of_something_else(says: Any) -> None:
    tokens = CodecTokens(codes=CODES)
    assert with_stated_segments(tokens, says) is tokens
