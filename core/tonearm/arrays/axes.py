"""The axes of an array: named by the user or certain, never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tonearm.arrays.folded_axes import COMPLEX, PARTS, POLAR, REVERSED_POLAR
from tonearm.errors import Advice, ChooseOption, ItemError, SetOption
from tonearm.plugins.context import Context
from tonearm.plugins.kind import Kind

if TYPE_CHECKING:
    from tonearm.typing import Array

MIN_FFT = 16
"""Smallest length of a Fourier transform, in samples, that is proposed."""


def arrange(
    array: Array,
    kind: Kind[Any, Any],
    axes: Sequence[str] | None,
    sizes: Mapping[str, int],
    context: Context,
    *,
    needs_parts: bool = False,
    lengths: Array | None = None,
) -> Array:
    """Return a view of an array with the axes batch, channel, and those of its kind, in this order.

    An axis of real and imaginary parts, or of magnitudes and phases, comes right after batch if it is named.

    Parameters
    ----------
    array
        Array with at least one axis.
    kind
        Kind of the array, which determines its axes.
    axes
        Names of the axes from the user; None to infer them.
    sizes
        Known sizes of axes: ``bin`` has n_fft // 2 + 1 values.
    context
        Context of the item.
    needs_parts
        Whether one axis must hold real and imaginary parts, because the values are real and the kind is complex.
    lengths
        True lengths of the elements of a batch, which tell which axis is the batch; None if there are none.

    Raises
    ------
    ItemError
        If the axes are ambiguous or contradict the shape. The error gives the shape and the option to write.
    """
    needed = kind.axes
    # Without names, as many axes remain as the kind requires, or more: hints name all that remain.
    squeezed = _squeeze(array, len(axes) if axes else len(needed))
    names = list(axes) if axes else _infer(squeezed.shape, array, kind, sizes, context, needs_parts, lengths)
    if len(names) != squeezed.ndim:
        raise ItemError(
            f"axes names {len(names)} axes, but the array has {array.ndim}: its shape is {array.shape}",
            code="axes-mismatch",
            hint="name each axis of the array, in its order",
        )
    if axes:
        _check_names(names, kind)
    for name, size in sizes.items():
        found = squeezed.shape[names.index(name)] if name in names else size
        if found != size:
            message = f"the {name} axis of shape {array.shape} has {found} values, not {size}"
            if name not in needed:
                raise ItemError(message, code="bins-mismatch")
            error = kind.size_error(message, array, found, context)
            if squeezed.shape.count(size) == 1:
                swapped = _swapped(names, names.index(name), squeezed.shape.index(size))
                raise ItemError(message, code=error.code, remedies=(SetOption("axes", swapped),))
            raise error
    spare = [name for name in kind.optional_axes if name not in PARTS]
    order = ["batch", *[part for part in PARTS if part in names], "channel", *spare, *needed]
    present = [name for name in order if name in names]
    view = squeezed.transpose([names.index(name) for name in present])
    return view.reshape([view.shape[present.index(name)] if name in present else 1 for name in order])


def inferred_axes(array: Array, kind: Kind[Any, Any], sizes: Mapping[str, int], context: Context) -> list[str]:
    """Return the names of an array's axes, without axes of size 1 beyond those that its kind needs.

    Parameters
    ----------
    array, kind, sizes, context
        As for `arrange`.

    Raises
    ------
    ItemError
        If more than one order is possible.
    """
    squeezed = _squeeze(array, len(kind.axes))
    needs_parts = "complex" in kind.optional_axes and array.dtype.kind != "c"
    return _infer(squeezed.shape, array, kind, sizes, context, needs_parts, None)


def _swapped(names: Sequence[str], one: int, other: int) -> list[str]:
    """Return the names with two of them exchanged."""
    swapped = list(names)
    swapped[one], swapped[other] = names[other], names[one]
    return swapped


def _check_names(names: Sequence[str], kind: Kind[Any, Any]) -> None:
    """Raise `ItemError` if the kind does not have these axes; without ``kind``, the options cannot check it."""
    wrong = [name for name in names if name not in kind.possible_axes]
    missing = [name for name in kind.axes if name not in names]
    if wrong or missing:
        what = f"has no {wrong[0]} axis" if wrong else f"has a {missing[0]} axis, which axes does not name"
        raise ItemError(
            f"the array is {kind.name}, which {what}",
            code="axes-mismatch",
            hint=kind.axes_hint,
        )


def _squeeze(array: Array, rank: int) -> Array:
    """Return the array without axes of size 1, removed from the left until it has this rank."""
    spare = [axis for axis, size in enumerate(array.shape) if size == 1][: max(array.ndim - rank, 0)]
    return array.squeeze(axis=tuple(spare))


def _infer(
    squeezed: Sequence[int],
    array: Array,
    kind: Kind[Any, Any],
    sizes: Mapping[str, int],
    context: Context,
    needs_parts: bool,
    lengths: Array | None,
) -> list[str]:
    """Return the names of the axes, if only one order is possible."""
    needed, shape = kind.axes, array.shape
    if len(squeezed) < len(needed):
        message = f"a {kind.name} array has the axes {' and '.join(needed)}, but the shape is {shape}"
        remedies = (SetOption("kind", "waveform", when="if these are samples"),) if len(squeezed) == 1 else ()
        raise ItemError(message, code="axes-mismatch", remedies=remedies)
    if len(squeezed) == len(needed) == 1:
        return list(needed)
    sizes = {name: size for name, size in sizes.items() if name in needed}
    known = [(axis, name) for name, size in sizes.items() for axis, found in enumerate(squeezed) if found == size]
    if len(squeezed) == len(needed) and (names := _certain(needed, known)):
        return names
    if sizes and not known:
        wanted = " and ".join(f"{size} ({name})" for name, size in sizes.items())
        likely = [size for size in squeezed if is_fft_length(2 * (size - 1))] or squeezed
        most_likely = max(likely) if len(squeezed) == len(needed) else None
        raise kind.size_error(f"no axis of shape {shape} has {wanted} values", array, most_likely, context)
    orders = _orders_with_parts(squeezed, needed, known) if needs_parts else ()
    if lengths is not None and lengths.size > 1:
        batches = _of_batches(orders or _possible_orders(squeezed, needed, known), squeezed, needed, lengths)
        if len(batches) == 1:
            return batches[0]
        orders = tuple(batches) or orders
    if len(squeezed) > len(needed) and (polar := _polar_orders(array, squeezed, kind, known)):
        if POLAR in kind.possible_axes:
            raise ItemError(
                f"the axes of shape {shape} are ambiguous",
                code="ambiguous-axes",
                remedies=(ChooseOption("axes", polar),),
            )
        raise ItemError(
            f"the axis of two values of shape {shape} has magnitudes and phases, not real and imaginary parts",
            code="axes-mismatch",
            remedies=tuple(SetOption("kind", "magnitude", also={"axes": order}) for order in polar),
        )
    if not orders and len(squeezed) > len(needed) + 2:
        raise ItemError(
            f"a {kind.name} array has at most {len(needed) + 2} axes, but the shape is {shape}", code="axes-mismatch"
        )
    raise ItemError(
        f"the axes of shape {shape} are ambiguous",
        code="ambiguous-axes",
        remedies=(ChooseOption("axes", _plausible(orders or _possible_orders(squeezed, needed, known), squeezed)),),
    )


MIN_SAMPLES = 32
"""Number of samples up to which an axis beside a far longer one is rather that of channels than of time."""


def _plausible(orders: Sequence[Sequence[str]], shape: Sequence[int]) -> tuple[Sequence[str], ...]:
    """Return the orders with a plausible time axis, or all orders if there are none.

    No channel axis is longer than the time axis, and no axis is far longer than a time axis of a few samples.
    """
    return tuple(order for order in orders if "time" not in order or _is_time(order, shape)) or tuple(orders)


def _is_time(order: Sequence[str], shape: Sequence[int]) -> bool:
    """Return whether the size of the time axis is plausible."""
    samples = shape[order.index("time")]
    if "channel" in order and shape[order.index("channel")] > samples:
        return False
    return samples > MIN_SAMPLES or max(shape) < MIN_SAMPLES * samples


def is_fft_length(length: int) -> bool:
    """Return whether a number is a length of Fourier transforms that people choose: of 16 samples or more, and smooth.

    Examples
    --------
    >>> [length for length in (14, 400, 478, 1022, 1024, 1102, 1200) if is_fft_length(length)]
    [400, 1024, 1200]
    """
    if length < MIN_FFT or length % 2:
        return False
    for prime in (2, 3, 5, 7):
        while length % prime == 0:
            length //= prime
    return length == 1


def _certain(needed: Sequence[str], known: Sequence[tuple[int, str]]) -> list[str]:
    """Return the names of as many axes as are needed, if the known sizes leave one order; else none."""
    places = {name: axis for axis, name in known}
    left = [name for name in needed if name not in places]
    if len(places) != len(known) or len(set(places.values())) != len(places) or len(left) > 1:
        return []
    names = {axis: name for name, axis in places.items()}
    return [names.get(axis) or left[0] for axis in range(len(needed))]


def _of_batches(
    orders: Sequence[list[str]], shape: Sequence[int], needed: Sequence[str], lengths: Array
) -> list[list[str]]:
    """Return the orders of axes with a batch axis that has as many elements as there are lengths.

    Lengths count positions along the last axis that the kind needs, so none is larger than that axis.
    """
    count, longest = lengths.size, int(lengths.max())
    return [
        order
        for order in orders
        if len(order) == len(shape)
        and "batch" in order
        and shape[order.index("batch")] == count
        and shape[order.index(needed[-1])] >= longest
    ]


def _polar_orders(
    array: Array, squeezed: Sequence[int], kind: Kind[Any, Any], known: Sequence[tuple[int, str]]
) -> tuple[list[str], ...]:
    """Return the orders of axes with a polar axis, if the values of an axis of two are magnitudes and phases."""
    if POLAR not in kind.possible_axes and COMPLEX not in kind.possible_axes:
        return ()
    from tonearm.findings.layout import layout_along

    orders = _orders_with_parts(squeezed, kind.axes, known)
    found: dict[int, str] = {axis: layout_along(array, axis) for axis, size in enumerate(array.shape) if size == 2}
    if REVERSED_POLAR in found.values():
        raise reversed_error()
    polar = {axis for axis, layout in found.items() if layout == POLAR}
    if not polar:
        return ()
    places = [sum(size > 1 for size in array.shape[:place]) for place in polar]
    return tuple(
        [POLAR if name == COMPLEX else name for name in order]
        for order in orders
        if sum(size > 1 for size in squeezed[: order.index(COMPLEX)]) in places
    )


def _orders_with_parts(
    shape: Sequence[int], needed: Sequence[str], known: Sequence[tuple[int, str]]
) -> tuple[list[str], ...]:
    """Return the orders of axes that fit the shape, with real and imaginary parts in an axis of two values."""
    orders: list[list[str]] = []
    for place, size in enumerate(shape):
        if size == 2 and 0 < len(shape) - len(needed) <= 3:
            rest = [*shape[:place], *shape[place + 1 :]]
            others = [(axis - (axis > place), name) for axis, name in known if axis != place]
            found = _possible_orders(rest, needed, others)
            orders += ([*order[:place], COMPLEX, *order[place:]] for order in found)
    return tuple(orders)


MAGNITUDES_FIRST = Advice("save the magnitudes first, and read them as kind magnitude with an axis polar")
"""Remedy for phases that come before magnitudes."""


def reversed_error() -> ItemError:
    """Return the error for phases that come before magnitudes along an axis of two."""
    return ItemError(
        "the axis of two values has phases first, then magnitudes",
        code="axes-mismatch",
        remedies=(MAGNITUDES_FIRST,),
    )


_MOST_CHANNELS = 1024
"""Largest number of channels for which an order is proposed."""


def _is_plausible(shape: Sequence[int], order: Sequence[str]) -> bool:
    """Return whether the channels of an order are as few as those of sounds."""
    return "channel" not in order or shape[order.index("channel")] <= _MOST_CHANNELS


def _possible_orders(
    shape: Sequence[int], needed: Sequence[str], known: Sequence[tuple[int, str]]
) -> tuple[list[str], ...]:
    """Return the orders of axes that fit the shape."""
    if len(needed) == 1:
        (name,) = needed
        pairs: list[list[str]] = [["channel", name], ["batch", name], [name, "channel"]]
        triples: list[list[str]] = [["batch", "channel", name], ["batch", name, "channel"]]
        orders = pairs if len(shape) == 2 else triples
        return tuple(order for order in orders if _is_plausible(shape, order)) or tuple(orders)
    spare: list[list[list[str]]] = [[[]], [["batch"], ["channel"]], [["batch", "channel"]]]
    ends = [list(needed), list(reversed(needed))]
    orders = [[*front, *end] for end in ends for front in spare[len(shape) - len(needed)]]
    fitting = [order for order in orders if any(order[axis] == name for axis, name in known)]
    return tuple(fitting or orders)
