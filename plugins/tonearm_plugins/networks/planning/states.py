"""States of a network: pairs of an input and an output, by which it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tonearm_plugins.networks.plan import PlannedInput, PlannedOutput, TensorInfo
from tonearm_plugins.networks.planning.axes import Axes
from tonearm_plugins.networks.planning.faults import Faults
from tonearm_plugins.networks.planning.names import axis_named, state_key
from tonearm_plugins.networks.planning.signature import tensor_in_words

Pairs = tuple[dict[str, PlannedInput], dict[str, PlannedOutput]]


def pair_states(
    inputs: Sequence[TensorInfo],
    outputs: Sequence[TensorInfo],
    roles: Mapping[str, object],
    output_roles: Mapping[str, str],
    faults: Faults,
) -> Pairs:
    """Return the inputs and outputs that are states, by name.

    An input is a state if the options say so, or if an output of the same type and shape has a name such as
    ``state_out`` for ``state_in``, ``new_cache`` for ``cache``, or ``hn`` for ``h0``.

    Parameters
    ----------
    inputs, outputs
        Inputs and outputs of the network.
    roles, output_roles
        What the options say of inputs and outputs, by name.
    faults
        Collection of faults to add to.
    """
    left = [one for one in outputs if output_roles.get(one.name, "state") == "state"]
    found: Pairs = ({}, {})
    for one in inputs:
        is_given = roles.get(one.name) == "state"
        if one.name in roles and not is_given:
            continue
        partner = _partner(one, left, output_roles, is_given=is_given)
        if partner is None:
            if is_given:
                asked = _ask(one, left, faults)
                left = [other for other in left if other is not asked]
            continue
        left.remove(partner)
        axes = _axes(one)
        if axes is None:
            faults.add(f"the state {tensor_in_words(one)} has more than one size that is not fixed")
        found[0][one.name] = PlannedInput(tensor=one, role="state", axes=axes or (), state=partner.name)
        found[1][partner.name] = PlannedOutput(tensor=partner, role="state", axes=axes or ())
    return found


def likely_states(
    inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo], roles: Mapping[str, object]
) -> dict[str, str]:
    """Return the inputs that may be states, though no name says so, each with the output of its type and shape.

    Parameters
    ----------
    inputs, outputs
        Inputs and outputs that are no states.
    roles
        What the options say of inputs, by name.

    Examples
    --------
    >>> a = TensorInfo("a", "float32", (2, "batch", 16))
    >>> likely_states([a], [TensorInfo("wav", "float32", ("batch", 1, "n")), TensorInfo("b", "float32", a.shape)], {})
    {'a': 'b'}
    """
    left, found = list(outputs), {}
    for one in inputs:
        same = [other for other in left if other.dtype == one.dtype and other.shape == one.shape and one.shape]
        if one.name not in roles and same:
            found[one.name] = same[0].name
            left.remove(same[0])
    return found


def _partner(
    one: TensorInfo, left: Sequence[TensorInfo], output_roles: Mapping[str, str], *, is_given: bool
) -> TensorInfo | None:
    """Return the output that gives the next value of an input; None if there is none."""
    fitting = [other for other in left if one.name != other.name and _have_same_shape(one, other)]
    named = [other for other in fitting if state_key(one.name) == state_key(other.name)]
    said = [other for other in fitting if is_given and output_roles.get(other.name) == "state"]
    return next(iter((*named, *said)), None)


def _ask(one: TensorInfo, left: Sequence[TensorInfo], faults: Faults) -> TensorInfo | None:
    """Add the fault of a state without an output, and return the output that it may be."""
    same = sorted((other for other in left if _have_same_shape(one, other)), key=lambda other: other.shape != one.shape)
    message = f"no output has the name of the state {one.name}"
    if same:
        faults.ask(message, "outputs", {same[0].name: "state"})
        return same[0]
    faults.ask(f"{message}, nor its type and shape", "inputs", {one.name: 0})
    return None


def _have_same_shape(one: TensorInfo, other: TensorInfo) -> bool:
    """Return whether two tensors have one type, and shapes that can be the same."""
    if one.shape is None or other.shape is None or one.dtype != other.dtype:
        return False
    sizes = zip(one.shape, other.shape, strict=False)
    same = (first == second or not (isinstance(first, int) and isinstance(second, int)) for first, second in sizes)
    return len(one.shape) == len(other.shape) and all(same)


def _axes(tensor: TensorInfo) -> Axes | None:
    """Return the axes of a state: ``batch``, ``frame`` for one that grows from nothing, and others of fixed size."""
    axes: list[str] = []
    for size in tensor.shape or ():
        meant = axis_named(size) if isinstance(size, str) else None
        if isinstance(size, int):
            axes.append("fixed")
        elif meant == "frame":
            axes.append("frame")
        else:
            axes.append("batch")
    is_clear = axes.count("batch") <= 1 and axes.count("frame") <= 1
    return tuple(axes) if is_clear else None  # type: ignore[arg-type]
