"""The axes of an input or output, by the sizes and names that its header gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tonearm_plugins.networks.plan import Axis, TensorInfo
from tonearm_plugins.networks.planning.names import axis_named

Axes = tuple[Axis, ...]
Size = int | str | None

CODES: Mapping[int, tuple[Axes, ...]] = {
    1: (("frame",),),
    2: (("batch", "frame"), ("book", "frame"), ("frame", "book")),
    3: (("batch", "book", "frame"), ("book", "batch", "frame"), ("batch", "frame", "book"), ("frame", "batch", "book")),
    4: (
        ("segment", "batch", "book", "frame"),
        ("batch", "segment", "book", "frame"),
        ("segment", "batch", "frame", "book"),
        ("batch", "one", "book", "frame"),
        ("batch", "book", "frame", "one"),
        ("batch", "book", "one", "frame"),
    ),
}
"""Axes that codes of all books can have, by rank, those that are likely before others."""

LEVEL: Mapping[int, tuple[Axes, ...]] = {
    1: (("frame",),),
    2: (("batch", "frame"), ("one", "frame"), ("frame", "one")),
    3: (("batch", "one", "frame"), ("one", "batch", "frame"), ("batch", "frame", "one")),
}
"""Axes that codes of one level can have, by rank."""

VALUES: Mapping[int, tuple[Axes, ...]] = {
    2: (("band", "frame"), ("frame", "band")),
    3: (("batch", "band", "frame"), ("batch", "frame", "band"), ("frame", "batch", "band")),
    4: (("batch", "one", "band", "frame"), ("batch", "one", "frame", "band"), ("batch", "band", "frame", "one")),
}
"""Axes that a mel spectrogram or latents can have, by rank."""


def frames_first(orders: Mapping[int, tuple[Axes, ...]]) -> Mapping[int, tuple[Axes, ...]]:
    """Return the same axes with those first that have frames before bands."""
    return {
        rank: tuple(sorted(found, key=lambda axes: axes.index("frame") > axes.index("band")))
        for rank, found in orders.items()
    }


def axes_of(
    tensor: TensorInfo, orders: Mapping[int, tuple[Axes, ...]], known: Mapping[Axis, int | None]
) -> Axes | None:
    """Return the axes of an input or output; None if none fit.

    Parameters
    ----------
    tensor
        Input or output.
    orders
        Axes that it can have, by rank, those that are likely before others.
    known
        Sizes of axes; None where the size is unknown.

    Examples
    --------
    >>> axes_of(TensorInfo("codes", "int64", ("batch", 9, "frames")), CODES, {"book": 9})
    ('batch', 'book', 'frame')
    >>> axes_of(TensorInfo("codes", "int64", ("batch", 9, "frames")), CODES, {"book": 4}) is None
    True
    """
    if tensor.shape is None:
        return orders[max(orders, key=lambda rank: (rank == 3, rank))][0]
    scored = [
        (score, -place, axes)
        for place, axes in enumerate(orders.get(len(tensor.shape), ()))
        if (score := _score(tensor.shape, axes, known)) is not None
    ]
    return max(scored)[2] if scored else None


def _score(shape: tuple[Size, ...], axes: Axes, known: Mapping[Axis, int | None]) -> float | None:
    """Return how well axes fit a shape; None if they do not."""
    found = [_fit(size, axis, known) for size, axis in zip(shape, axes, strict=True)]
    counted = _counted(axes)
    if counted and "frame" in axes:
        number, frames = shape[axes.index(counted)], shape[axes.index("frame")]
        if isinstance(frames, int) and not isinstance(number, int) and _meant(number) != counted:
            return None  # numbers of books and bands are fixed rather than numbers of frames
    return None if None in found else sum(one for one in found if one is not None)


def _counted(axes: Axes) -> Axis | None:
    return next((axis for axis in axes if axis in ("book", "band", "bin")), None)


def _meant(size: Size) -> Axis | None:
    return axis_named(size) if isinstance(size, str) else None


def _fit(size: Size, axis: Axis, known: Mapping[Axis, int | None]) -> float | None:
    """Return how well an axis fits a size; None if it does not."""
    if not isinstance(size, int):
        meant = _meant(size)
        if axis == "one":
            return None
        if axis == "bin" and meant == "band":
            return 0
        return 0 if meant is None else 3 if meant == axis else None
    wanted = known.get(axis)
    if wanted is not None:
        return 3 if size == wanted else None
    if axis in ("batch", "segment"):
        return 1 if size == 1 else -1
    if axis == "one":
        return 1 if size == 1 else None
    if axis in ("bin", "complex-bin"):
        bins = size if axis == "bin" else size // 2
        return None if bins < 2 or (axis == "complex-bin" and size % 2) else 1 + (bins - 1).bit_count() % 2
    if axis == "complex":
        return 2 if size == 2 else None
    return 0.5 if axis in ("book", "band") else 0


def names_in(shapes: Iterable[tuple[Size, ...] | None], axes: Iterable[Axes], axis: Axis) -> set[str]:
    """Return the names that an axis has in shapes."""
    return {
        size
        for shape, found in zip(shapes, axes, strict=True)
        if shape is not None
        for size, one in zip(shape, found, strict=False)
        if one == axis and isinstance(size, str)
    }
