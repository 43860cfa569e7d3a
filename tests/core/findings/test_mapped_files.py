"""Parts of mapped files are copied, and their pages released."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonearm.findings import mapped_files
from tonearm.findings.mapped_files import copy_mapped, release_pages

RNG = np.random.default_rng(9)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kept", [0, 1 << 20])
def test_a_copy_of_a_mapped_view_is_the_view_however_it_lies(
    order: str, kept: int, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(mapped_files, "MAX_MAPPED_BYTES", 64)  # many parts
    monkeypatch.setattr(mapped_files, "KEPT_BYTES", kept)
    array = np.asarray(RNG.integers(0, 99, (7, 12, 5)), order=order)
    np.save(tmp_path / "a.npy", array)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert np.array_equal(copy_mapped(mapped[1:, ::5, -2:]), array[1:, ::5, -2:])
    assert copy_mapped(mapped[2, 3, 4]) == array[2, 3, 4]


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_released_pages_are_read_again_and_private_changes_stay(mode: str, tmp_path: Any) -> None:
    np.save(tmp_path / "a.npy", np.arange(100_000))
    mapped = np.load(tmp_path / "a.npy", mmap_mode=mode)
    if mode != "r":
        mapped[5] = -1
    release_pages(mapped[::2])
    assert mapped[5] == (5 if mode == "r" else -1)
    assert mapped[99_999] == 99_999
    release_pages(np.arange(3))  # of no file
