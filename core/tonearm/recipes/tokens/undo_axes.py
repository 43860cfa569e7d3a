"""The axes of an array of codec tokens: any order, folded ones, and those that an array leaves out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tonearm.errors import ItemError, SetOption
from tonearm.recipes.tokens.layout_checks import AXES, TOKEN, axis_names, axis_parts

if TYPE_CHECKING:
    from tonearm.typing import Array

_TAKES_REST = ("book", "batch", "segment", "channel", "frame")
"""Axes within a folded one whose size is unknown: the first takes what the known ones leave, the others have size 1."""


def arranged(array: Array, axes: Sequence[str], sizes: Mapping[str, int]) -> Array:
    """Return a view of an array with the axes batch, channel, segment, book and frame, in this order.

    Axes that are not named have size 1. An array may have more axes of size 1, and it may lack the first ones that are
    named, such as the batch.

    Parameters
    ----------
    array
        Array.
    axes
        Names of the axes in the array's order, folded ones among them.
    sizes
        Known sizes of axes that folded ones hold.

    Raises
    ------
    ItemError
        If the array has other axes.
    """
    axes, array = _matched(array, axes, sizes)
    shape: list[int] = []
    for name, size in zip(axes, array.shape, strict=True):
        shape += _unfolded(name, size, sizes, array.shape)
    names = axis_names(axes)
    array = array.reshape(shape)
    order = [names.index(name) for name in AXES if name in names]
    array = array.transpose(order)
    whole = tuple(array.shape[order.index(names.index(name))] if name in names else 1 for name in AXES)
    return array.reshape(whole)


def rows_of_ids(array: Array, axes: Sequence[str] | None) -> Array:
    """Return a view of an array of flat ids of shape (batch, tokens).

    Raises
    ------
    ItemError
        If it has more than two axes that are longer than 1.
    """
    if axes is None:
        squeezed = array.reshape([size for size in array.shape if size != 1] or [1])
        axes = (TOKEN,) if squeezed.ndim < 2 else ("batch", TOKEN)
        if squeezed.ndim > 2:
            raise ItemError(
                f"flat ids are one sequence or a batch of them, not an array of shape {array.shape}",
                code="axes-mismatch",
                hint="the layout is of flat ids; choose one with axes",
            )
        array = squeezed
    matched, array = _matched(array, axes, {})
    return array if len(matched) > 1 and matched[0] == "batch" else array.T if len(matched) > 1 else array[None]


def _matched(array: Array, axes: Sequence[str], sizes: Mapping[str, int]) -> tuple[tuple[str, ...], Array]:
    """Return names and an array with as many axes.

    Spare axes of size 1 go, and so do names of axes that an array may lack. A spare first axis is a batch if the one of
    the books has their known number.
    """
    named, spare = tuple(axes), array.ndim - len(axes)
    ones = [axis for axis, size in enumerate(array.shape) if size == 1]
    if 0 < spare <= len(ones):
        return named, array.squeeze(axis=tuple(ones[:spare]))
    may_be_batch = spare == 1 and "batch" not in axis_names(axes)
    if may_be_batch and "book" in named and array.shape[1 + named.index("book")] == sizes.get("book"):
        return ("batch", *named), array
    for optional in ("batch", "segment", "channel", "book"):
        if len(named) > array.ndim:
            named = tuple(name for name in named if name != optional)
    if "batch" in axes and "batch" not in named and named[0] == "segment" and array.shape[0] > 1:
        raise _batch_or_segments(named, array.shape)
    if len(named) != array.ndim:
        raise ItemError(
            f"the axes are {', '.join(axes)}, but the array has {array.ndim} axes: its shape is {array.shape}",
            code="axes-mismatch",
            remedies=(SetOption("axes", ["batch", *axes], "if the first axis is a batch"),) if may_be_batch else (),
            hint="" if may_be_batch else "name each axis of the array, in its order",
        )
    return named, array


def _batch_or_segments(named: Sequence[str], shape: tuple[int, ...]) -> ItemError:
    """Return the error for an array whose first axis may be its batch or its segments: what they mean is not alike."""
    rest = named[1:]
    return ItemError(
        f"the first axis of shape {shape} may be {shape[0]} elements of a batch, or {shape[0]} segments of one sound",
        code="axes-mismatch",
        remedies=(
            SetOption("axes", ["batch", *rest], "if it is a batch"),
            SetOption("axes", ["segment", *rest], "if segments follow one another in time"),
        ),
    )


def _unfolded(name: str, size: int, sizes: Mapping[str, int], shape: tuple[int, ...]) -> list[int]:
    """Return the sizes of the axes that an axis holds."""
    parts = axis_parts(name)
    if len(parts) == 1:
        return [size]
    unknown = [part for part in _TAKES_REST if part in parts and part not in sizes]
    known = math.prod(sizes.get(part, 1) for part in parts)
    if size % known or (not unknown and size != known):
        told = " × ".join(f"{sizes[part]} ({part})" for part in parts if part in sizes)
        raise ItemError(
            f"the axis {name} of shape {shape} has {size} rows, which are not whole sets of {told}",
            code="wrong-books",
            hint="check the number of books in the layout, and the order of the axes",
        )
    rest = {part: size // known if part == unknown[0] else 1 for part in unknown}
    return [rest[part] if part in rest else sizes[part] for part in parts]
