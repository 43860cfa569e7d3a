"""Axes by sizes and names."""

from __future__ import annotations

import pytest
from network_headers import tensor

from tonearm_plugins.networks.planning.axes import Orders, axes_of, axis_meant

BOOKS: Orders = {3: (("batch", "book", "frame"), ("batch", "frame", "book"))}
BINS: Orders = {
    2: (("bin", "frame"), ("frame", "bin")),
    3: (("batch", "complex-bin", "frame"), ("bin", "frame", "complex")),
}


@pytest.mark.parametrize(
    ("shape", "books", "found"),
    [
        ("(batch, 8, frames)", 8, "batch book frame"),
        ("(batch, frames, 8)", 8, "batch frame book"),
        ("(1, 8, 24)", 8, "batch book frame"),
        ("(1, 24, 8)", 8, "batch frame book"),
        ("(1, 24, 8)", None, "batch book frame"),  # the likely order, where nothing tells
        ("(1, 24, codebooks)", None, "batch frame book"),
        ("(?, ?, ?)", 8, "batch book frame"),
        ("(?, time, ?)", 8, "batch frame book"),
        ("(batch, frames, n_q)", 8, "batch frame book"),
        ("(batch, 8, 8)", 8, "batch book frame"),
        ("(batch, 4, frames)", 8, None),
        ("(batch, 4, ?)", 8, None),  # no model of 4 frames at once and any number of books
        ("(1, 4, 24)", 8, None),
        ("(segments, 8, frames)", 8, "batch book frame"),  # no name of an axis that codes can have
        ("(8, frames)", 8, None),
    ],
)
def test_axes_fit_the_sizes_that_are_known_and_names(shape: str, books: int | None, found: str | None) -> None:
    made = axes_of(tensor(f"codes int64 {shape}"), BOOKS, {"book": books})
    assert (None if made is None else " ".join(made)) == found


@pytest.mark.parametrize(
    ("shape", "bins", "found"),
    [
        ("(513, frames)", None, "bin frame"),
        ("(frames, 513)", None, "frame bin"),
        ("(600, 513)", None, "frame bin"),  # 512 is a power of two
        ("(600, 513)", 600, "bin frame"),
        ("(1, frames)", None, None),
        ("(channels, frames)", None, "bin frame"),
        ("(batch, 1026, frames)", None, "batch complex-bin frame"),
        ("(batch, 1025, frames)", None, None),
        ("(513, frames, 2)", None, "bin frame complex"),
        ("(513, frames, 3)", None, None),
        ("(513, frames, ?)", None, None),
    ],
)
def test_bins_are_those_of_a_fourier_transform(shape: str, bins: int | None, found: str | None) -> None:
    made = axes_of(tensor(f"spec float32 {shape}"), BINS, {"bin": bins})
    assert (None if made is None else " ".join(made)) == found


def test_axes_of_unknown_rank_are_empty() -> None:
    assert axes_of(tensor("codes int64"), BOOKS, {}) == ()
    assert axes_of(tensor("codes int64 ()"), BOOKS, {}) is None


def test_only_names_mean_axes() -> None:
    assert axis_meant("frames") == "frame"
    assert axis_meant(8) is None
    assert axis_meant(None) is None
