"""The part of an axis that the option ``bands`` takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tonearm.errors import ChooseOption, ItemError, OptionError, SetOption

if TYPE_CHECKING:
    from tonearm.typing import Array


def bands_problems(bands: Sequence[int] | None, count: int | None, name: str) -> Iterator[OptionError]:
    """Yield the problem of bands that are no range, or not as many as a kind needs.

    Parameters
    ----------
    bands
        First band and the one after the last; None for all.
    count
        Number of bands that the kind needs; None if it is unknown.
    name
        Name of the axis.
    """
    if bands is None:
        return
    first, end = bands
    if not 0 <= first < end:
        yield OptionError(f"bands is [{first}, {end}], which is no range", option="bands", hint="such as [0, 80]")
    elif count is not None and end - first != count:
        remedies = (SetOption("bands", [first, first + count]),)
        message = f"bands [{first}, {end}] takes {end - first}, but the {name} axis needs {count}"
        yield OptionError(message, option="bands", remedies=remedies)


def take_bands(
    array: Array, axes: Sequence[str] | None, needed: Sequence[str], parts: Mapping[str, slice]
) -> tuple[Array, list[str] | None]:
    """Return a view of an array with a part of an axis, and the names of the axes.

    Parameters
    ----------
    array
        Array with the axes that are named, or with those that its kind needs.
    axes
        Names of the axes; None if the user gives none, and the array's shape must show the axis.
    needed
        Names of the axes that the kind needs, in its order.
    parts
        Part to take, by the name of the axis.

    Raises
    ------
    ItemError
        If no axis, or more than one, can be the one to take a part of.
    """
    names = None if axes is None else list(axes)
    for name, part in parts.items():
        spare = [axis for axis, size in enumerate(array.shape) if size == 1]
        rank = len(names) if names else len(needed)
        array = array.squeeze(axis=tuple(spare[: max(array.ndim - rank, 0)]))
        if names is None:
            names = _only_order(array, needed, name, part)
        if len(names) != array.ndim or name not in names:
            return array, names  # the axes have a problem of their own
        axis = names.index(name)
        if array.shape[axis] < part.stop:
            raise ItemError(
                f"bands go up to {part.stop}, but the {name} axis of shape {array.shape} has {array.shape[axis]}",
                code="bins-mismatch",
                hint="check bands and axes",
            )
        array = array[(slice(None),) * axis + (part,)]
    return array, names


def _only_order(array: Array, needed: Sequence[str], name: str, part: slice) -> list[str]:
    """Return the order of the axes that are needed, if the shape leaves one."""
    orders = [list(needed), list(reversed(needed))]
    if array.ndim != len(needed):
        orders = [["batch", *order] for order in orders]
    fitting = [order for order in orders if len(order) == array.ndim and array.shape[order.index(name)] >= part.stop]
    if len(fitting) == 1 and array.ndim == len(needed):
        return fitting[0]
    fitting.sort(key=lambda order: array.shape[order.index(name)])  # few bands are beside those that are read
    raise ItemError(
        f"the axes of shape {array.shape} are ambiguous: bands are a part of the {name} axis",
        code="ambiguous-axes",
        remedies=(ChooseOption("axes", tuple(fitting or orders)),),
    )
