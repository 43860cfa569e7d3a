"""Inputs of a network: which take the signal, and which need a value from the options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from tonearm.api import GiveOption
from tonearm_plugins.networks.plan import Axis, InputRole, PlannedInput, TensorInfo
from tonearm_plugins.networks.planning import names
from tonearm_plugins.networks.planning.axes import CODES, LEVEL, VALUES, Axes, axes_of, frames_first
from tonearm_plugins.networks.planning.faults import Faults
from tonearm_plugins.networks.planning.names import axis_named, words
from tonearm_plugins.networks.planning.signature import listed, tensor_in_words
from tonearm_plugins.networks.planning.wanted import Wanted

INTEGERS = frozenset("int8 uint8 int16 uint16 int32 uint32 int64 uint64".split())
FLOATS = frozenset("float16 float32 float64".split())
ROLES = ("codes", "values", "length", "scale", "state")
"""Roles that options can give to an input; anything else that they give is its value."""


def plan_inputs(
    inputs: Sequence[TensorInfo], roles: Mapping[str, Any], wanted: Wanted, faults: Faults
) -> dict[str, PlannedInput]:
    """Return the inputs that are no states with their roles, by name.

    Parameters
    ----------
    inputs
        Inputs that are no states.
    roles
        Roles and values that the options give, by name.
    wanted
        What is known of the signal.
    faults
        Collection of faults to add to.
    """
    main: InputRole = "codes" if wanted.kind == "tokens" else "values"
    found: dict[str, PlannedInput] = {}
    likely: list[TensorInfo] = []
    for one in inputs:
        if one.name not in roles:
            role = _role(one, wanted)
            if role == "main":
                likely.append(one)
            elif role == "mask":
                found[one.name] = PlannedInput(tensor=one, role="given", given=1)
            elif role in ("length", "scale"):
                found[one.name] = PlannedInput(tensor=one, role="length" if role == "length" else "scale")
            continue
        given = roles[one.name]
        if isinstance(given, str) and given in ROLES:
            role = main if given in ("codes", "values") else given
            if role == main:
                likely.append(one)
            else:
                found[one.name] = PlannedInput(tensor=one, role=role)
        else:
            found[one.name] = PlannedInput(tensor=one, role="given", given=given)
    chosen = _chosen(likely, roles, wanted)
    if not chosen:
        _add_no_input(inputs, wanted, faults)
    found |= _signal_inputs(chosen, wanted, faults)
    frames = _frame_names(found.values())
    lacking: dict[str, Any] = {}
    for one in inputs:
        if one.name not in found:
            lacking[one.name] = _example(one)
        elif not found[one.name].axes:
            found[one.name] = replace(found[one.name], axes=_other_axes(found[one.name], found.values(), frames))
    if lacking and chosen:
        named = [tensor_in_words(one) for one in inputs if one.name in lacking]
        faults.ask(f"nothing gives {listed(named)}", "inputs", lacking)
    return found


def _role(tensor: TensorInfo, wanted: Wanted) -> str:
    """Return what an input may be by its name and type: ``main`` if it can take the signal, ``given`` if none is known."""
    found, rank = words(tensor.name), -1 if tensor.shape is None else len(tensor.shape)
    if found & names.MASKS:
        return "mask" if tensor.dtype != "bool" or "padding" not in found else "given"
    if found & names.LENGTHS and rank in (-1, 0, 1) and not found & (names.SCALES | names.NOISES):
        return "length"
    if found & names.SCALES and wanted.kind == "tokens" and not found & (names.NOISES | names.LENGTHS | names.SPEEDS):
        return "scale" if tensor.dtype in FLOATS else "given"
    if found & (names.PITCHES | names.NOISES | names.SPEAKERS | names.SPEEDS | names.SCALES):
        return "given"
    fitting, ranks = (INTEGERS, CODES) if wanted.kind == "tokens" else (FLOATS, VALUES)
    return "main" if tensor.dtype in fitting and (rank == -1 or rank in ranks) else "given"


def _chosen(likely: Sequence[TensorInfo], roles: Mapping[str, Any], wanted: Wanted) -> list[TensorInfo]:
    """Return the inputs that take the signal, out of those that may."""
    if given := [one for one in likely if one.name in roles]:
        return given
    count = len(wanted.strides) or 1
    meant = names.CODES if wanted.kind == "tokens" else names.VALUES
    named = [one for one in likely if words(one.name) & meant]
    if len(likely) > 1 and named and (len(likely) != count or len(named) == count):
        return _of_one_kind(named, wanted)
    return list(likely)


def _of_one_kind(named: Sequence[TensorInfo], wanted: Wanted) -> list[TensorInfo]:
    """Return the one of several inputs of floats whose bands fit, if there is one."""
    fitting = [one for one in named if wanted.bands is not None and wanted.bands in (one.shape or ())]
    return fitting if wanted.kind != "tokens" and len(fitting) == 1 else list(named)


def _add_no_input(inputs: Sequence[TensorInfo], wanted: Wanted, faults: Faults) -> None:
    """Add the fault of a network that does not take the signal at all."""
    of = "whole numbers" if wanted.kind == "tokens" else "floats, with bands and frames"
    number = "its one input is not" if len(inputs) == 1 else "none of its inputs is"
    faults.add(
        f"the model does not take {wanted.noun}: {number} of {of}",
        GiveOption("model", f"an ONNX file that takes {wanted.noun}"),
        code="model-mismatch",
    )


def _signal_inputs(chosen: Sequence[TensorInfo], wanted: Wanted, faults: Faults) -> dict[str, PlannedInput]:
    """Return the inputs that take the signal with their axes and levels."""
    if wanted.kind != "tokens":
        if len(chosen) > 1:
            _ask_which(chosen, "values", wanted, faults)
        return {one.name: _values(one, wanted, faults) for one in chosen[:1]}
    if not wanted.strides and len(chosen) == 1:
        return {chosen[0].name: _codes(chosen[0], wanted, faults)}
    levels = len(wanted.strides) or wanted.books
    if levels is not None and len(chosen) != levels:
        if not wanted.strides and levels == 1:
            _ask_which(chosen, "codes", wanted, faults)
        elif chosen:
            part = "levels" if wanted.strides else "books"
            takes = "one input of codes" if len(chosen) == 1 else f"{len(chosen)} {part} of codes"
            faults.add(
                f"the model takes {takes}, but the tokens have {levels} {part}",
                GiveOption("model", f"the decoder of a codec of {levels} {part}"),
                code="model-mismatch",
            )
        return {}
    return {
        one.name: PlannedInput(tensor=one, role="codes", axes=axes_of(one, LEVEL, {}) or (), level=level)
        for level, one in enumerate(_in_order(chosen))
    }


def _in_order(chosen: Sequence[TensorInfo]) -> list[TensorInfo]:
    """Return the inputs of levels by the numbers in their names; in the order of the header if these do not tell."""
    found = {names.numbers(one.name) for one in chosen}
    if len(found) == len(chosen) and len({len(one) for one in found}) == 1:
        return sorted(chosen, key=lambda one: names.numbers(one.name))
    return list(chosen)


def _ask_which(chosen: Sequence[TensorInfo], role: str, wanted: Wanted, faults: Faults) -> None:
    several = listed([one.name for one in chosen])
    lacking = {chosen[0].name: role} | {one.name: _example(one) for one in chosen[1:]}
    faults.ask(f"{several} can each take {wanted.noun}", "inputs", lacking)


def _codes(tensor: TensorInfo, wanted: Wanted, faults: Faults) -> PlannedInput:
    """Return the input that takes the codes of all books."""
    axes = axes_of(tensor, _code_orders(wanted), {"book": wanted.books})
    if axes is None:
        _add_wrong_size(tensor, axes_of(tensor, CODES, {}), "book", wanted.books, wanted, faults)
    elif "book" not in axes and wanted.books not in (None, 1):
        _add_wrong_size(tensor, axes, "book", wanted.books, wanted, faults)
    return PlannedInput(tensor=tensor, role="codes", axes=axes or ())


def _code_orders(wanted: Wanted) -> Mapping[int, tuple[Axes, ...]]:
    """Return the axes that codes can have, by rank; several books need an axis of books."""
    if wanted.books in (None, 1):
        return CODES
    return {**CODES, 2: tuple(axes for axes in CODES[2] if "book" in axes) + (("batch", "frame"),)}


def _values(tensor: TensorInfo, wanted: Wanted, faults: Faults) -> PlannedInput:
    """Return the input that takes a mel spectrogram or latents."""
    orders = frames_first(VALUES) if wanted.frames_first else VALUES
    axes = axes_of(tensor, orders, {"band": wanted.bands})
    if axes is None:
        _add_wrong_size(tensor, axes_of(tensor, orders, {}), "band", wanted.bands, wanted, faults)
    return PlannedInput(tensor=tensor, role="values", axes=axes or ())


def _add_wrong_size(
    tensor: TensorInfo, axes: Axes | None, axis: Axis, size: int | None, wanted: Wanted, faults: Faults
) -> None:
    """Add the fault of an input of another number of books or bands."""
    sizes = dict(zip(axes or (), tensor.shape or (), strict=False))
    number = sizes.get(axis, 1 if axes else None)
    part = f"{axis}s"
    if not isinstance(number, int) or size is None:
        faults.add(
            f"the input {tensor_in_words(tensor)} has no axes for {wanted.noun}",
            GiveOption("model", f"an ONNX file that takes {wanted.noun}"),
            code="model-mismatch",
        )
        return
    counted = part if number != 1 else axis
    code = "dialect-mismatch" if wanted.kind == "mel" else "model-mismatch"
    what = {"mel": "a model", "tokens": "the decoder of a codec", "latent": "the decoder"}[wanted.kind]
    faults.add(
        f"the input {tensor.name} takes {number} {counted}, but {wanted.noun} {'has' if wanted.kind == 'mel' else 'have'} {size}",
        GiveOption("model", f"{what} of {size} {part if size != 1 else axis}"),
        code=code,
    )


def _frame_names(found: Any) -> set[str]:
    """Return the names of the axes of frames of inputs that take the signal."""
    return {
        size
        for one in found
        for size, axis in zip(one.tensor.shape or (), one.axes, strict=False)
        if axis == "frame" and isinstance(size, str)
    }


def _other_axes(planned: PlannedInput, found: Any, frames: set[str]) -> Axes:
    """Return the axes of an input that does not take the signal."""
    shape = planned.tensor.shape or ()
    statics = {
        size
        for one in found
        for size, axis in zip(one.tensor.shape or (), one.axes, strict=False)
        if axis == "frame" and isinstance(size, int)
    }
    has_segments = any("segment" in one.axes for one in found)
    pitch = bool(words(planned.tensor.name) & names.PITCHES)
    axes: list[Axis] = []
    for place, size in enumerate(shape):
        meant = axis_named(size) if isinstance(size, str) else None
        if planned.role in ("length", "scale"):
            first: Axis = "segment" if has_segments and planned.role == "scale" else "batch"
            axes.append("one" if size == 1 and place else first if place == 0 else "batch")
        elif isinstance(size, str) and size in frames or size in statics or meant == "frame":
            axes.append("frame")
        elif meant in ("batch", "sample"):
            axes.append(meant)
        elif not isinstance(size, int):
            last = place == len(shape) - 1
            axes.append("frame" if (pitch and last) else "batch" if place == 0 and len(shape) > 1 else "fixed")
        else:
            axes.append("batch" if place == 0 and len(shape) > 1 and size == 1 else "one" if size == 1 else "fixed")
    return tuple(axes)


def _example(tensor: TensorInfo) -> Any:
    """Return a value to write for an input that needs one."""
    found = words(tensor.name)
    if found & names.PITCHES:
        return {"file": "f0/{stem}.npy"}
    if tensor.dtype in INTEGERS or found & names.NOISES or len(tensor.shape or ()) == 0:
        return 0
    if found & (names.SPEEDS | names.SCALES):
        return 1
    return {"file": f"{'speakers' if found & names.SPEAKERS else tensor.name}/{{stem}}.npy"}
