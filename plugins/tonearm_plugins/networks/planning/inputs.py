"""Inputs of a network: which take the signal, and which need a value from the options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from msgspec.structs import replace

from tonearm.api import Advice, GiveOption
from tonearm_plugins.networks.plan import InputRole, PlannedInput, TensorInfo
from tonearm_plugins.networks.planning import names
from tonearm_plugins.networks.planning.faults import Faults
from tonearm_plugins.networks.planning.followers import axes_beside
from tonearm_plugins.networks.planning.names import words
from tonearm_plugins.networks.planning.signal_inputs import CODES, FLOATS, INTEGERS, VALUES, signal_inputs
from tonearm_plugins.networks.planning.signature import listed, tensor_in_words
from tonearm_plugins.networks.planning.wanted import Wanted

ROLES = ("codes", "values", "length", "scale", "state")
"""Roles that options can give to an input; anything else that they give is its value."""


def plan_inputs(
    inputs: Sequence[TensorInfo],
    roles: Mapping[str, Any],
    wanted: Wanted,
    faults: Faults,
    likely_states: Mapping[str, str],
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
    likely_states
        Inputs that may be states, each with the output of its type and shape; to propose.
    """
    found = {one.name: planned for one in inputs if (planned := _planned(one, roles, wanted))}
    likely = [one for one in inputs if _takes_signal(one, roles, wanted)]
    chosen = _chosen(likely, roles, wanted)
    if not chosen:
        _add_no_signal(inputs, wanted, faults)
    signal = signal_inputs(chosen, wanted, faults)
    beside = [one for one in inputs if one not in chosen]
    lacking = [one for one in beside if one.name not in found and roles.get(one.name) != "state"]
    if lacking and chosen:
        named = listed([tensor_in_words(one) for one in lacking])
        pairs = {
            one.name: likely_states[one.name]
            for one in lacking
            if one.name in likely_states and not _meant(one, wanted)
        }
        examples = {one.name: "state" if one.name in pairs else example_of(one) for one in lacking}
        faults.ask(f"nothing gives {named}", "inputs", examples)
        if pairs:
            faults.propose("outputs", dict.fromkeys(pairs.values(), "state"))
    for one in beside:
        if one.name in found:
            found[one.name] = replace(found[one.name], axes=axes_beside(found[one.name], signal.values()))
            _check_list(found[one.name], faults)
    return found | signal


def _check_list(planned: PlannedInput, faults: Faults) -> None:
    """Add the fault of a list that has not as many numbers as its input."""
    pairs = zip(planned.axes, planned.tensor.shape or (), strict=False)
    sizes = [size for axis, size in pairs if axis not in ("batch", "one")]
    if not isinstance(planned.given, list) or len(sizes) != 1 or not isinstance(sizes[0], int):
        return
    if len(planned.given) != sizes[0]:
        faults.add(
            f"the input {tensor_in_words(planned.tensor)} is given {len(planned.given)} numbers",
            Advice(f"give {planned.tensor.name} {sizes[0]} of them, or one number for all, under `inputs`"),
            code="model-mismatch",
            option="inputs",
        )


def example_of(tensor: TensorInfo) -> Any:
    """Return a value to write for an input that needs one.

    >>> example_of(TensorInfo("f0", "float32", ("batch", "frames")))
    {'file': 'f0/{stem}.npy'}
    """
    found = words(tensor.name)
    if found & names.PITCHES:
        return {"file": "f0/{stem}.npy"}
    if tensor.dtype in INTEGERS or found & names.NOISES:
        return 0
    if found & (names.SPEEDS | names.SCALES | names.MASKS):
        return 1
    return 0 if not tensor.shape else {"file": "speakers/{stem}.npy" if found & names.SPEAKERS else "values/{stem}.npy"}


def _planned(tensor: TensorInfo, roles: Mapping[str, Any], wanted: Wanted) -> PlannedInput | None:
    """Return an input that does not take the signal, by the options or its name; None if neither tells it."""
    if tensor.name in roles:
        given = roles[tensor.name]
        if given in ("length", "scale"):
            return PlannedInput(tensor=tensor, role=cast("InputRole", given))
        if isinstance(given, str) and given in ROLES:
            return None
        return PlannedInput(tensor=tensor, role="given", given=given)
    role = _meant(tensor, wanted)
    if role == "mask":
        return PlannedInput(tensor=tensor, role="given", given=1)
    return PlannedInput(tensor=tensor, role=cast("InputRole", role)) if role in ("length", "scale") else None


def _meant(tensor: TensorInfo, wanted: Wanted) -> str:
    """Return what an input takes by its name and type: ``given`` for what only the options know, ``""`` for no idea."""
    found = words(tensor.name)
    if found & names.MASKS:
        return "given" if tensor.dtype == "bool" and "padding" in found else "mask"
    if found & names.COUNTS and tensor.dtype in INTEGERS and tensor.shape in ((), (1,), ("batch",)):
        return "length"
    others = names.NOISES | names.SPEEDS
    if found & names.LENGTHS and len(tensor.shape or ()) < 2 and not found & (names.SCALES | others):
        return "length"
    if found & names.SCALES and wanted.kind == "tokens" and not found & (names.LENGTHS | others):
        return "scale" if tensor.dtype in FLOATS else "given"
    return "given" if found & (names.PITCHES | names.SPEAKERS | names.SCALES | others) else ""


def _takes_signal(tensor: TensorInfo, roles: Mapping[str, Any], wanted: Wanted) -> bool:
    """Return whether an input may take the signal, by the options, or else by its name, type and rank."""
    if tensor.name in roles:
        return roles[tensor.name] in ("codes", "values")
    types, ranks = (INTEGERS, CODES) if wanted.kind == "tokens" else (FLOATS, VALUES)
    fits = tensor.shape is None or len(tensor.shape) in ranks
    return not _meant(tensor, wanted) and tensor.dtype in types and fits


def _chosen(likely: Sequence[TensorInfo], roles: Mapping[str, Any], wanted: Wanted) -> list[TensorInfo]:
    """Return the inputs that take the signal, out of those that may: by the options, their names or their bands."""
    if given := [one for one in likely if one.name in roles]:
        return given
    meant = names.CODES if wanted.kind == "tokens" else names.VALUES
    named = [one for one in likely if words(one.name) & meant] or list(likely)
    if wanted.kind == "tokens":
        return list(likely) if len(likely) == len(wanted.strides) else named
    fitting = [one for one in named if wanted.bands is not None and wanted.bands in (one.shape or ())]
    return fitting if len(fitting) == 1 else named


def _add_no_signal(inputs: Sequence[TensorInfo], wanted: Wanted, faults: Faults) -> None:
    """Add the fault of a network that does not take the signal at all."""
    of = "whole numbers" if wanted.kind == "tokens" else "floats with bands and frames"
    which = "its one input is not" if len(inputs) == 1 else "none of its inputs is"
    faults.add(
        f"it does not take {wanted.article_and_noun}: {which} of {of}",
        GiveOption("model", f"an ONNX file that takes {wanted.article_and_noun}"),
        code="model-mismatch",
    )
