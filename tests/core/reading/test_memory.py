"""Tests of the bound on the memory of one source."""

from __future__ import annotations

import pytest

from tonearm.errors import ItemError, SetLimit
from tonearm.reading.memory import DEFAULT_MEMORY, check_memory, in_gigabytes, limited_memory, memory_limit


def test_array_that_fits_twice_is_allowed() -> None:
    check_memory("a.npz", "wav", DEFAULT_MEMORY // 2)
    with pytest.raises(ItemError, match=r"would take 1\.1GB of memory; one source may take 1GB"):
        check_memory("a.npz", "wav", DEFAULT_MEMORY // 2 + 1)


def test_limit_of_the_hint_is_enough() -> None:
    size = 1_234_567_890
    with pytest.raises(ItemError) as raised:
        check_memory("a.npz", "", size)
    assert raised.value.remedies == (SetLimit("memory", "2.5GB", "if this is intended"),)
    with limited_memory(2_500_000_000):
        check_memory("a.npz", "", size)


def test_limit_ends_with_its_block() -> None:
    with limited_memory(7):
        assert memory_limit() == 7
        with limited_memory(8):
            assert memory_limit() == 8
        assert memory_limit() == 7
    with pytest.raises(ItemError), limited_memory(9):
        check_memory("a.npz", "", 5)
    assert memory_limit() == DEFAULT_MEMORY


@pytest.mark.parametrize(("size", "text"), [(1, "0.1GB"), (10**9, "1GB"), (10**9 + 1, "1.1GB"), (25 * 10**8, "2.5GB")])
def test_sizes_are_rounded_up(size: int, text: str) -> None:
    assert in_gigabytes(size) == text
