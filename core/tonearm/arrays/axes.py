"""Which axis is which: said by the user, or certain; never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tonearm.arrays.options import KINDS, AxisName, KindName
from tonearm.errors import ItemError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


def arrange(array: Array, kind: KindName, axes: Sequence[AxisName] | None, sizes: dict[AxisName, int]) -> Array:
    """Return a view of the array with axes (batch, channel, and those that the kind needs).

    Parameters
    ----------
    array
        Of any rank from 1.
    kind
        Says which axes there must be.
    axes
        What the user says; None if nothing.
    sizes
        Axes whose size is known: ``bin`` is n_fft // 2 + 1.

    Raises
    ------
    ItemError
        If the axes could be read in two ways, or are not what was said. It prints the shape and the line to write.
    """
    needed = KINDS[kind].axes
    squeezed = _squeeze(array, len(axes) if axes else len(needed))
    names = list(axes) if axes else _infer(squeezed.shape, array.shape, kind, needed, sizes)
    if len(names) != squeezed.ndim:
        raise ItemError(
            f"axes names {len(names)} axes, but the array has {array.ndim}: its shape is {array.shape}",
            code="axes-mismatch",
            hint="name each axis of the array, in its order",
        )
    for name, size in sizes.items():
        found = squeezed.shape[names.index(name)]
        if found != size:
            raise ItemError(
                f"the {name} axis of shape {array.shape} has {found} values, not {size}",
                code="bins-mismatch",
                hint=_bins_hint(found) if name == "bin" else "",
            )
    order: list[AxisName] = ["batch", "channel", *needed]
    present = [name for name in order if name in names]
    view = squeezed.transpose([names.index(name) for name in present])
    return view.reshape([view.shape[present.index(name)] if name in present else 1 for name in order])


def _squeeze(array: Array, rank: int) -> Array:
    """Return the array without axes of size 1, from the left, until it has this rank or has no more of them."""
    spare = [axis for axis, size in enumerate(array.shape) if size == 1][: max(array.ndim - rank, 0)]
    return array.squeeze(axis=tuple(spare))


def _infer(
    squeezed: Sequence[int],
    shape: Sequence[int],
    kind: KindName,
    needed: tuple[AxisName, ...],
    sizes: dict[AxisName, int],
) -> list[AxisName]:
    """Return the names of the axes if only one reading is possible."""
    if len(squeezed) < len(needed):
        raise ItemError(
            f"a {kind} array has the axes {' and '.join(needed)}, but the shape is {tuple(shape)}", code="axes-mismatch"
        )
    if len(squeezed) == 1:
        return ["time"]
    known = [(axis, name) for name, size in sizes.items() for axis, found in enumerate(squeezed) if found == size]
    if len(squeezed) == 2 and len(known) == 1:
        axis, name = known[0]
        other = next(need for need in needed if need != name)
        return [name, other] if axis == 0 else [other, name]
    if sizes and not known:
        wanted = " and ".join(f"{size} ({name})" for name, size in sizes.items())
        raise ItemError(
            f"no axis of shape {tuple(shape)} has {wanted} values",
            code="bins-mismatch",
            hint=_bins_hint(max(squeezed)) if len(squeezed) == 2 else "check n_fft",
        )
    raise ItemError(
        f"the axes of shape {tuple(shape)} can be read in more than one way",
        code="ambiguous-axes",
        hint=f"say which is which, as in {_suggestions(shape, needed, known)}",
    )


def _suggestions(shape: Sequence[int], needed: tuple[AxisName, ...], known: list[tuple[int, AxisName]]) -> str:
    """Return `axes:` lines that would fit the shape."""
    if len(shape) == 2:
        readings: list[list[str]] = (
            [["channel", "time"], ["batch", "time"], ["time", "channel"]]
            if needed == ("time",)
            else [list(needed), list(reversed(needed))]
        )
    elif len(shape) == 3:
        ends = list(needed) if len(needed) == 2 else ["channel", *needed]
        swapped = ends[::-1]
        if len(known) == 1 and known[0][0] == 1:
            readings = [["batch", *ends], ["channel", *ends]]
        elif len(known) == 1 and known[0][0] == 2:
            readings = [["batch", *swapped], ["channel", *swapped]]
        else:
            readings = [["batch", *ends], ["batch", *swapped]]
    else:
        readings = [["batch", "channel", *needed]]
    return " or ".join(f"axes: [{', '.join(reading)}]" for reading in readings)


def _bins_hint(found: int) -> str:
    return f"{found} bins would be n_fft: {2 * (found - 1)}" if found > 1 else ""
