"""States of a network: pairs of an input and an output, by which it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tonearm_plugins.networks.plan import PlannedInput, PlannedOutput, TensorInfo
from tonearm_plugins.networks.planning.axes import Axes
from tonearm_plugins.networks.planning.faults import Faults
from tonearm_plugins.networks.planning.names import axis_named, numbers, state_key
from tonearm_plugins.networks.planning.signature import tensor_in_words


def pair_states(
    inputs: Sequence[TensorInfo],
    outputs: Sequence[TensorInfo],
    roles: Mapping[str, object],
    output_roles: Mapping[str, str],
    faults: Faults,
) -> tuple[dict[str, PlannedInput], dict[str, PlannedOutput]]:
    """Return the inputs and outputs that are states, by name.

    Parameters
    ----------
    inputs, outputs
        Inputs and outputs of the network.
    roles, output_roles
        What the options say of inputs and outputs, by name.
    faults
        Collection of faults to add to.
    """
    given = [one for one in inputs if roles.get(one.name) == "state"]
    open_inputs = [*given, *(one for one in inputs if one.name not in roles)]
    open_outputs = [one for one in outputs if output_roles.get(one.name, "state") == "state"]
    found: dict[str, PlannedInput] = {}
    taken: dict[str, PlannedOutput] = {}
    for one in open_inputs:
        is_given = roles.get(one.name) == "state"
        partner = next((out for out in open_outputs if out.name not in taken and _are_pair(one, out)), None)
        if partner is None and is_given:
            free = (out for out in open_outputs if out.name not in taken and _have_same_shape(one, out))
            partner = next((out for out in free if output_roles.get(out.name) == "state"), None)
        if partner is None:
            if is_given:
                faults.ask(f"no output gives the next value of the state {one.name}", "outputs", {"NAME": "state"})
            continue
        axes = _axes(one)
        if axes is None:
            faults.add(f"the state {tensor_in_words(one)} has a size that is not fixed")
            axes = ()
        found[one.name] = PlannedInput(tensor=one, role="state", axes=axes, state=partner.name)
        taken[partner.name] = PlannedOutput(tensor=partner, role="state", axes=axes)
    return found, taken


def _are_pair(one: TensorInfo, other: TensorInfo) -> bool:
    """Return whether the name and shape of an output are those of an input's next value."""
    if one.name == other.name or not _have_same_shape(one, other):
        return False
    return state_key(one.name) == state_key(other.name) and numbers(one.name) in (numbers(other.name), (0,), ())


def _have_same_shape(one: TensorInfo, other: TensorInfo) -> bool:
    if one.shape is None or other.shape is None or one.dtype != other.dtype:
        return False
    if len(one.shape) != len(other.shape):
        return False
    sizes = zip(one.shape, other.shape, strict=True)
    return all(first == second or not (isinstance(first, int) and isinstance(second, int)) for first, second in sizes)


def _axes(tensor: TensorInfo) -> Axes | None:
    """Return the axes of a state: a batch, and others of fixed size; None if others vary."""
    sizes = tensor.shape or ()
    open_axes = [place for place, size in enumerate(sizes) if not isinstance(size, int)]
    named = [place for place in open_axes if axis_named(str(sizes[place])) == "batch"]
    if len(open_axes) > 1 or (
        open_axes and not named and sizes[open_axes[0]] is not None and axis_named(str(sizes[open_axes[0]]))
    ):
        return None
    return tuple("batch" if place in open_axes else "fixed" for place in range(len(sizes)))
