"""The axes of an input or output, by the sizes and names that its header gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from tonearm_plugins.networks.plan import Axis, TensorInfo
from tonearm_plugins.networks.planning.names import axis_named

Axes: TypeAlias = tuple[Axis, ...]
"""Names of the axes of a tensor, in order."""

Orders: TypeAlias = Mapping[int, tuple[Axes, ...]]
"""Axes that a tensor can have, by rank, those that are likely before others."""

Size: TypeAlias = int | str | None
"""Size of an axis as a header says it."""

COUNTED: tuple[Axis, ...] = ("book", "band", "bin", "complex-bin")
"""Axes whose size a network fixes, unlike the number of frames."""


def axes_of(tensor: TensorInfo, orders: Orders, known: Mapping[Axis, int | None]) -> Axes | None:
    """Return the axes of an input or output; None if none fit.

    Parameters
    ----------
    tensor
        Input or output. Axes of unknown rank are empty.
    orders
        Axes that it can have.
    known
        Sizes of axes; None where the size is unknown.

    Examples
    --------
    >>> orders = {2: (("band", "frame"), ("frame", "band"))}
    >>> axes_of(TensorInfo("mel", "float32", ("frames", 80)), orders, {"band": 80})
    ('frame', 'band')
    >>> axes_of(TensorInfo("mel", "float32", (80, "frames")), orders, {"band": 100}) is None
    True
    """
    if tensor.shape is None:
        return ()
    likely = orders.get(len(tensor.shape), ())
    possible = frozenset(axis for axes in likely for axis in axes)
    scored = [
        (score, -place, axes)
        for place, axes in enumerate(likely)
        if (score := _score(tensor.shape, axes, known, possible)) is not None
    ]
    return max(scored)[2] if scored else None


def axis_meant(size: Size) -> Axis | None:
    """Return the axis that the size of an axis means by its name; None if it has none, or means none."""
    return axis_named(size) if isinstance(size, str) else None


def _score(
    shape: tuple[Size, ...], axes: Axes, known: Mapping[Axis, int | None], possible: frozenset[Axis]
) -> float | None:
    """Return how well axes fit a shape; None if they do not. Names of axes that are not possible tell nothing."""
    sizes = dict(zip(axes, shape, strict=True))
    for axis in COUNTED:
        is_open = axis in sizes and not isinstance(sizes[axis], int) and axis_meant(sizes[axis]) != axis
        if is_open and isinstance(sizes.get("frame"), int):
            return None  # a network fixes its books and bands before it fixes its frames
    total = 0.0
    for size, axis in zip(shape, axes, strict=True):
        fit = (
            _fit_of_name(size, axis, possible)
            if not isinstance(size, int)
            else _fit_of_number(size, axis, known.get(axis))
        )
        if fit is None:
            return None
        total += fit
    return total


def _fit_of_name(size: str | None, axis: Axis, possible: frozenset[Axis]) -> float | None:
    """Return how well an axis fits a size that may vary; None if it does not. A single letter may mean anything."""
    meant = axis_meant(size)
    if axis in ("one", "complex"):
        return None
    if axis in ("bin", "complex-bin") and meant in ("bin", "band"):
        return 2
    if meant is None or meant not in possible:
        return 0
    if meant == axis:
        return 3
    return -1 if len(size or "") == 1 else None


def _fit_of_number(size: int, axis: Axis, wanted: int | None) -> float | None:
    """Return how well an axis fits a fixed size; None if it does not."""
    fit: float | None = 0
    if wanted is not None:
        fit = 3 if size == wanted else None
    elif axis in ("batch", "segment"):
        fit = 1 if size == 1 else -1
    elif axis == "one":
        fit = 1 if size == 1 else None
    elif axis == "complex":
        fit = 2 if size == 2 else None
    elif axis == "complex-bin":
        fit = None if size % 2 or size < 4 else _fit_of_bins(size // 2)
    elif axis == "bin":
        fit = _fit_of_bins(size)
    elif axis in ("book", "band"):
        fit = 0.5
    return fit


def _fit_of_bins(bins: int) -> float | None:
    """Return how well a number is one of bins: best if the Fourier transform has a power of two."""
    return None if bins < 2 else 2 if (bins - 1).bit_count() == 1 else 1
