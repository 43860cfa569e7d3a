"""The axes of an array: named by the user or certain, never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tonearm.arrays.kinds import KINDS, AxisName, KindName, axes_hint, possible_axes
from tonearm.errors import ChooseOption, ItemError, SetOption

if TYPE_CHECKING:
    from tonearm.typing import Array


def arrange(array: Array, kind: KindName, axes: Sequence[AxisName] | None, sizes: dict[AxisName, int]) -> Array:
    """Return a view of an array with the axes batch, channel, and the axes of its kind, in this order.

    An axis of real and imaginary parts, if named, comes right after batch.

    Parameters
    ----------
    array
        Array with at least one axis.
    kind
        Kind of the array, which determines its required axes.
    axes
        Names of the axes from the user; None to infer them.
    sizes
        Known sizes of axes: ``bin`` has n_fft // 2 + 1 values.

    Raises
    ------
    ItemError
        If the axes are ambiguous or contradict the shape. The error gives the shape and the option to write.
    """
    needed = KINDS[kind].axes
    # Without names, as many axes remain as the kind requires, or more: hints name all that remain.
    squeezed = _squeeze(array, len(axes) if axes else len(needed))
    names = list(axes) if axes else _infer(squeezed.shape, array.shape, kind, needed, sizes)
    if len(names) != squeezed.ndim:
        raise ItemError(
            f"axes names {len(names)} axes, but the array has {array.ndim}: its shape is {array.shape}",
            code="axes-mismatch",
            hint="name each axis of the array, in its order",
        )
    _check_names(names, kind, needed)
    for name, size in sizes.items():
        found = squeezed.shape[names.index(name)]
        if found != size:
            raise ItemError(
                f"the {name} axis of shape {array.shape} has {found} values, not {size}",
                code="bins-mismatch",
                remedies=_n_fft_remedies(found) if name == "bin" else (),
            )
    order: list[AxisName] = ["batch", *(("complex",) if "complex" in names else ()), "channel", *needed]
    present = [name for name in order if name in names]
    view = squeezed.transpose([names.index(name) for name in present])
    return view.reshape([view.shape[present.index(name)] if name in present else 1 for name in order])


def _check_names(names: Sequence[AxisName], kind: KindName, needed: tuple[AxisName, ...]) -> None:
    """Raise `ItemError` if the kind does not have these axes; without ``kind``, the options cannot check it."""
    wrong = [name for name in names if name not in possible_axes(kind)]
    missing = [name for name in needed if name not in names]
    if wrong or missing:
        what = f"has no {wrong[0]} axis" if wrong else f"has a {missing[0]} axis, which axes does not name"
        raise ItemError(
            f"the array is {kind}, which {what}",
            code="axes-mismatch",
            hint=axes_hint(kind),
        )


def _squeeze(array: Array, rank: int) -> Array:
    """Return the array without axes of size 1, removed from the left until it has this rank."""
    spare = [axis for axis, size in enumerate(array.shape) if size == 1][: max(array.ndim - rank, 0)]
    return array.squeeze(axis=tuple(spare))


def _infer(
    squeezed: Sequence[int],
    shape: Sequence[int],
    kind: KindName,
    needed: tuple[AxisName, ...],
    sizes: dict[AxisName, int],
) -> list[AxisName]:
    """Return the names of the axes, if only one order is possible."""
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
            hint="" if len(squeezed) == 2 else "check n_fft",
            remedies=_n_fft_remedies(max(squeezed)) if len(squeezed) == 2 else (),
        )
    if len(squeezed) > len(needed) + 2:
        raise ItemError(
            f"a {kind} array has at most {len(needed) + 2} axes, but the shape is {tuple(shape)}", code="axes-mismatch"
        )
    raise ItemError(
        f"the axes of shape {tuple(shape)} are ambiguous",
        code="ambiguous-axes",
        remedies=(ChooseOption("axes", _possible_orders(squeezed, needed, known)),),
    )


def _possible_orders(
    shape: Sequence[int], needed: tuple[AxisName, ...], known: list[tuple[int, AxisName]]
) -> tuple[list[str], ...]:
    """Return the orders of axes that fit the shape."""
    if needed == ("time",):
        pairs: list[list[str]] = [["channel", "time"], ["batch", "time"], ["time", "channel"]]
        triples: list[list[str]] = [["batch", "channel", "time"], ["batch", "time", "channel"]]
        readings = pairs if len(shape) == 2 else triples
    else:
        spare: dict[int, list[list[str]]] = {2: [[]], 3: [["batch"], ["channel"]], 4: [["batch", "channel"]]}
        ends = [list(needed), list(reversed(needed))]
        readings = [[*front, *end] for end in ends for front in spare[len(shape)]]
        readings = [reading for reading in readings if any(reading[axis] == name for axis, name in known)] or readings
    return tuple(readings)


def _n_fft_remedies(bins: int) -> tuple[SetOption, ...]:
    """Return the n_fft that gives a number of bins."""
    return (SetOption("n_fft", 2 * (bins - 1), f"if the array has {bins} bins"),) if bins > 1 else ()
