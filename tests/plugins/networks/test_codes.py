"""Codes against the codebooks of their rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonearm.api import ItemError
from tonearm_plugins.networks.codes import check_block_codes, sizes_of_rows


def codes(**wrong: Any) -> Any:
    made = np.zeros((2, 7, 9), np.int32)
    for place, value in wrong.values():
        made[place] = value
    return made


def test_codes_within_their_books_pass() -> None:
    check_block_codes(codes(one=((1, 6, 8), 63)), (64,) * 7)
    check_block_codes(codes(one=((1, 6, 8), 1 << 20)), ())
    check_block_codes(codes(one=((0, 3, 2), 99)), (64, 64, 64, 100, 64, 64, 64))
    check_block_codes(codes()[..., :0], (64,) * 7)


@pytest.mark.parametrize(
    ("wrong", "sizes", "counts", "message"),
    [
        ({"a": ((0, 3, 2), 64)}, (64,) * 7, (), "code 64 in channel 0, book 3, frame 12 is not one of 0 to 63"),
        ({"a": ((1, 3, 2), -1)}, (), (), "code -1 in channel 1, book 3, frame 12 is not one of 0 or more"),
        (
            {"a": ((0, 6, 2), 70), "b": ((0, 5, 1), 80)}, (64,) * 7, (1, 2, 4),
            "code 80 in channel 0, level 2, frame 46 is not one of 0 to 63; nor are 1 others",
        ),
        ({"a": ((0, 2, 0), 70)}, (64,) * 7, (1, 2, 4), "code 70 in channel 0, level 1, frame 21 is"),
    ],
)  # fmt: skip
def test_the_first_one_in_time_is_named(wrong: Any, sizes: Any, counts: Any, message: str) -> None:
    with pytest.raises(ItemError) as caught:
        check_block_codes(codes(**wrong), sizes, counts, first=10)
    assert caught.value.message.startswith(message)
    assert caught.value.code == "bad-token"
    assert "layout" in caught.value.hint


def test_one_channel_is_not_named() -> None:
    with pytest.raises(ItemError, match="code 9 in book 0, frame 1 is not"):
        check_block_codes(np.array([[[0, 9]]]), (8,))


def test_sizes_of_rows() -> None:
    assert sizes_of_rows((8, 16, 32), (1, 2, 4)) == (8, 16, 16, 32, 32, 32, 32)
    assert sizes_of_rows((8, 16), ()) == (8, 16)
    assert sizes_of_rows((), (1, 2)) == ()
