"""Inputs that take the signal: codes of all books or by level, mel spectrograms, and latents, with their axes."""

from __future__ import annotations

from collections.abc import Sequence

from tonearm.api import GiveOption
from tonearm_plugins.networks.plan import Axis, PlannedInput, TensorInfo
from tonearm_plugins.networks.planning import names
from tonearm_plugins.networks.planning.axes import Axes, Orders, axes_of
from tonearm_plugins.networks.planning.faults import Faults
from tonearm_plugins.networks.planning.signature import listed, tensor_in_words
from tonearm_plugins.networks.planning.wanted import Wanted

INTEGERS = frozenset(["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
FLOATS = frozenset(["float16", "float32", "float64"])

CODES: Orders = {
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
"""Axes that codes of all books can have."""

LEVELS: Orders = {
    1: (("frame",),),
    2: (("batch", "frame"), ("one", "frame"), ("frame", "one")),
    3: (("batch", "one", "frame"), ("one", "batch", "frame"), ("batch", "frame", "one")),
}
"""Axes that codes of one level can have."""

VALUES: Orders = {
    2: (("band", "frame"), ("frame", "band")),
    3: (("batch", "band", "frame"), ("batch", "frame", "band"), ("frame", "batch", "band")),
    4: (("batch", "one", "band", "frame"), ("batch", "one", "frame", "band"), ("batch", "band", "frame", "one")),
}
"""Axes that a mel spectrogram or latents can have."""


def signal_inputs(chosen: Sequence[TensorInfo], wanted: Wanted, faults: Faults) -> dict[str, PlannedInput]:
    """Return the inputs that take the signal with their axes and levels, by name.

    Parameters
    ----------
    chosen
        Inputs that take the signal, or that each may take all of it.
    wanted
        What is known of the signal.
    faults
        Collection of faults to add to.
    """
    one_input = wanted.kind != "tokens" or (wanted.books == 1 and not wanted.strides)
    if one_input and len(chosen) > 1:
        role = "codes" if wanted.kind == "tokens" else "values"
        several = listed([one.name for one in chosen])
        others = [GiveOption("model", "the decoder of a codec of 1 book")] if wanted.kind == "tokens" else []
        faults.ask(f"{several} can each take the {wanted.noun}", "inputs", {chosen[0].name: role}, *others)
        return {}
    if wanted.kind != "tokens":
        return {one.name: _values(one, wanted, faults) for one in chosen}
    if len(chosen) == 1 and not wanted.strides:
        return {chosen[0].name: _codes(chosen[0], wanted, faults)}
    return _levels(chosen, wanted, faults)


def _levels(chosen: Sequence[TensorInfo], wanted: Wanted, faults: Faults) -> dict[str, PlannedInput]:
    """Return the inputs that take one level or book each."""
    levels = len(wanted.strides) or wanted.books
    part = "levels" if wanted.strides else "books"
    if levels is not None and chosen and len(chosen) != levels:
        takes = "one input of codes" if len(chosen) == 1 else f"{len(chosen)} {part} of codes"
        faults.add(
            f"it takes {takes}, but the tokens have {levels} {part}",
            GiveOption("model", f"the decoder of a codec of {levels} {part}"),
            code="model-mismatch",
        )
        return {}
    found = {}
    for level, one in enumerate(_in_order(chosen)):
        axes = axes_of(one, LEVELS, {})
        if axes is None:
            faults.add(
                f"the input {tensor_in_words(one)} has no axes for the codes of one level", code="model-mismatch"
            )
        found[one.name] = PlannedInput(tensor=one, role="codes", axes=axes or (), level=level)
    return found


def _in_order(chosen: Sequence[TensorInfo]) -> list[TensorInfo]:
    """Return the inputs of levels by the numbers in their names; in the order of the header if these do not tell."""
    found = {names.numbers(one.name) for one in chosen}
    if len(found) == len(chosen) and len({len(one) for one in found}) == 1:
        return sorted(chosen, key=lambda one: names.numbers(one.name))
    return list(chosen)


def _codes(tensor: TensorInfo, wanted: Wanted, faults: Faults) -> PlannedInput:
    """Return the input that takes the codes of all books."""
    several = wanted.books not in (None, 1)
    orders = {**CODES, 2: (*CODES[2][1:], CODES[2][0])} if several else CODES  # several books need an axis of books
    axes = axes_of(tensor, orders, {"book": wanted.books})
    if axes is None or (several and "book" not in axes):
        _add_wrong_size(tensor, _likely_axes(tensor), "book", wanted, faults)
    return PlannedInput(tensor=tensor, role="codes", axes=axes or ())


def _likely_axes(tensor: TensorInfo) -> Axes | None:
    """Return the axes of codes of any number of books; a fixed size is one of books rather than of a batch."""
    with_books = {rank: tuple(one for one in found if "book" in one) for rank, found in CODES.items()}
    axes = axes_of(tensor, with_books, {})
    size = dict(zip(axes or (), tensor.shape or (), strict=False)).get("book")
    return axes if isinstance(size, int) else axes_of(tensor, CODES, {})


def _values(tensor: TensorInfo, wanted: Wanted, faults: Faults) -> PlannedInput:
    """Return the input that takes a mel spectrogram or latents."""
    orders = _frames_first(VALUES) if wanted.frames_first else VALUES
    axes = axes_of(tensor, orders, {"band": wanted.bands})
    if axes is None:
        _add_wrong_size(tensor, axes_of(tensor, orders, {}), "band", wanted, faults)
    return PlannedInput(tensor=tensor, role="values", axes=axes or ())


def _frames_first(orders: Orders) -> Orders:
    """Return the same axes, those that have frames before bands first."""
    return {
        rank: tuple(sorted(found, key=lambda axes: axes.index("frame") > axes.index("band")))
        for rank, found in orders.items()
    }


def _add_wrong_size(tensor: TensorInfo, axes: Axes | None, axis: Axis, wanted: Wanted, faults: Faults) -> None:
    """Add the fault of an input for another number of books or bands."""
    code = "dialect-mismatch" if wanted.kind == "mel" else "model-mismatch"
    what = {"mel": "a model", "tokens": "the decoder of a codec", "latent": "a decoder"}[wanted.kind]
    size = wanted.bands if axis == "band" else wanted.books
    number = dict(zip(axes or (), tensor.shape or (), strict=False)).get(axis, 1 if axes else None)
    if not isinstance(number, int) or size is None:
        faults.add(
            f"the input {tensor_in_words(tensor)} has no axes for {wanted.article_and_noun}",
            GiveOption("model", f"{what} that takes {wanted.article_and_noun}"),
            code=code,
        )
        return
    faults.add(
        f"the input {tensor.name} takes {_count(number, axis)}, but the {wanted.noun} {wanted.has} {size}",
        GiveOption("model", f"{what} of {_count(size, axis)}"),
        *([GiveOption("dialect", f"one of {_count(number, axis)}")] if wanted.kind == "mel" else []),
        code=code,
    )


def _count(number: int, axis: Axis) -> str:
    return f"{number} {axis}" if number == 1 else f"{number} {axis}s"
