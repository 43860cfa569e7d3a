"""Mappings that load arrays: each on access, and none before."""

from __future__ import annotations

import numpy as np
import pytest

from tonearm.reading.lazy_arrays import LazyArrays


def test_arrays_are_loaded_on_access_alone() -> None:
    loaded: list[str] = []

    def load(key: str) -> np.ndarray:
        loaded.append(key)
        return np.array([ord(key)])

    arrays = LazyArrays("cab", load)
    assert list(arrays) == ["c", "a", "b"]
    assert len(arrays) == 3
    assert "a" in arrays
    assert "d" not in arrays
    assert loaded == []
    assert arrays["a"] == [97]
    assert loaded == ["a"]


def test_a_name_that_is_missing_is_a_key_error_and_not_loaded() -> None:
    arrays = LazyArrays("a", lambda key: pytest.fail("loaded"))
    with pytest.raises(KeyError, match="b"):
        arrays["b"]
    assert arrays.get("b") is None


def test_a_name_given_twice_counts_once() -> None:
    assert len(LazyArrays(["a", "a"], lambda key: np.zeros(1))) == 1
