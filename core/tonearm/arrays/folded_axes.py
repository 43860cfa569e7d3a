"""Axes that hold two axes in one, such as ``(complex bin)``: the real parts of all bins, then the imaginary parts.

The names are written as in einops: the first one changes slowest. ``(bin complex)`` has the real and the imaginary part
of each bin side by side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tonearm.errors import ItemError

if TYPE_CHECKING:
    from tonearm.typing import Array

COMPLEX = "complex"
"""Axis of real and imaginary parts, which the host makes complex values of."""

POLAR = "polar"
"""Axis of magnitudes and phases, which the host makes complex values of."""

REVERSED_POLAR = "reversed-polar"
"""Layout of an axis of phases and magnitudes, which has to be reversed."""

PARTS = (COMPLEX, POLAR)
"""Axes of two values that are the parts of one complex value."""

_FOLDED = re.compile(r"\(\s*(\w+)[\s,]+(\w+)\s*\)")


def flat_names(axes: Sequence[str]) -> list[str]:
    """Return the names of axes, with the two names of each folded axis.

    Examples
    --------
    >>> flat_names(["batch", "(complex bin)", "frame"])
    ['batch', 'complex', 'bin', 'frame']
    """
    names: list[str] = []
    for name in axes:
        folded = _FOLDED.fullmatch(name)
        names += folded.groups() if folded else [name]
    return names


def unfold(array: Array, axes: Sequence[str], sizes: Mapping[str, int]) -> tuple[Array, list[str]]:
    """Return a view of an array in which every folded axis is two axes, and the names of all axes.

    Parameters
    ----------
    array
        Array with as many axes as are named, or with more axes of size 1.
    axes
        Names of the axes in the array's order.
    sizes
        Known sizes of axes; ``complex`` and ``polar`` have two values.

    Raises
    ------
    ItemError
        If a folded axis cannot be divided into its two axes.
    """
    flat = flat_names(axes)
    if len(flat) == len(axes):
        return array, flat
    spare = [axis for axis, size in enumerate(array.shape) if size == 1][: max(array.ndim - len(axes), 0)]
    array = array.squeeze(axis=tuple(spare))
    if array.ndim != len(axes):
        raise ItemError(
            f"axes names {len(axes)} axes, but the array has {array.ndim}: its shape is {array.shape}",
            code="axes-mismatch",
            hint="name each axis of the array, in its order",
        )
    known = {**sizes, COMPLEX: 2, POLAR: 2}
    shape: list[int] = []
    for name, size in zip(axes, array.shape, strict=True):
        folded = _FOLDED.fullmatch(name)
        if folded is None:
            shape.append(size)
            continue
        outer, inner = (known.get(part, 0) for part in folded.groups())
        outer, inner = outer or size // max(inner, 1), inner or size // max(outer, 1)
        if outer * inner != size:
            raise ItemError(
                f"the axis {name} of shape {array.shape} has {size} values, not {outer} × {inner}",
                code="axes-mismatch",
                hint="check n_fft and the axis" if "bin" in folded.groups() else "check the order of the axes",
            )
        shape += [outer, inner]
    return array.reshape(shape), flat
