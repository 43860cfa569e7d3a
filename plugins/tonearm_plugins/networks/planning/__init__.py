"""The plan of a network, from its header, the signal and the options: everything that `check` can know of it."""

from __future__ import annotations

from typing import Any

from tonearm.api import Advice, RemoveOption, SetOption, quoted
from tonearm_plugins.networks.exactness import inexact_reason
from tonearm_plugins.networks.onnx_external_data import misplaced
from tonearm_plugins.networks.onnx_operators import loading_refusals
from tonearm_plugins.networks.options import InputFile, NetworkOptions
from tonearm_plugins.networks.plan import NetworkHeader, NetworkPlan, PlannedInput
from tonearm_plugins.networks.planning.faults import Faults
from tonearm_plugins.networks.planning.figures import grid_of, sample_rate_of, samples_per_frame_of
from tonearm_plugins.networks.planning.inputs import plan_inputs
from tonearm_plugins.networks.planning.outputs import form_of, plan_outputs
from tonearm_plugins.networks.planning.signal_inputs import FLOATS, INTEGERS
from tonearm_plugins.networks.planning.signature import tensor_in_words
from tonearm_plugins.networks.planning.states import likely_states, pair_states
from tonearm_plugins.networks.planning.wanted import Wanted, wanted_by, wanted_of

__all__ = ["Wanted", "plan_of", "wanted_by", "wanted_of"]

_TAKEN = INTEGERS | FLOATS | {"bool"}


def plan_of(header: NetworkHeader, wanted: Wanted, options: NetworkOptions) -> NetworkPlan:
    """Return the plan of a network.

    Parameters
    ----------
    header
        Header of the network.
    wanted
        What is known of the signal that it is to take.
    options
        Options of the transform.

    Raises
    ------
    OptionError
        If the network cannot work, with all reasons, and with all that it takes and gives.
    """
    given = {name: {"file": one.file} if isinstance(one, InputFile) else one for name, one in options.inputs.items()}
    faults = Faults(given, options.outputs)
    _check_file(header, options, faults)
    states, state_outputs = pair_states(header.inputs, header.outputs, options.inputs, options.outputs, faults)
    numeric = [one for one in header.inputs if one.name not in states and one.dtype in _TAKEN]
    for one in header.inputs:
        if one.dtype not in _TAKEN:
            faults.add(
                f"the input {tensor_in_words(one)} takes no numbers that NumPy has",
                Advice("export the model with inputs of float32 or int64"),
            )
    rest = [one for one in header.outputs if one.name not in state_outputs]
    likely = likely_states(numeric, rest, options.inputs)
    found = plan_inputs(numeric, options.inputs, wanted, faults, likely) | states
    n_fft = options.n_fft or (wanted.grid.n_fft if wanted.grid and _has_bins(rest, wanted.grid.n_fft) else None)
    made = plan_outputs(rest, options.outputs, n_fft, faults) | state_outputs
    inputs = tuple(found[one.name] for one in header.inputs if one.name in found)
    outputs = tuple(made[one.name] for one in header.outputs if one.name in made)
    form = form_of(outputs)
    static_frames = _static_frames(inputs, wanted, faults)
    sample_rate = sample_rate_of(header, wanted, options, faults)
    samples = samples_per_frame_of(wanted, options, (static_frames, outputs), faults)
    grid = None
    if form not in (None, "waveform"):
        grid = grid_of(wanted, options, (inputs, outputs), sample_rate, faults)
    plan = NetworkPlan(
        inputs=inputs,
        outputs=outputs,
        form=form or "waveform",
        static_frames=static_frames,
        static_batch=_static_batch(inputs),
        grid=grid,
        sample_rate=sample_rate,
        samples_per_frame=samples,
        inexact=inexact_reason(header, has_state=bool(states)),
    )
    _check_sizes(plan, options, faults)
    faults.check(header)
    return plan


def _check_file(header: NetworkHeader, options: NetworkOptions, faults: Faults) -> None:
    """Add faults of the file alone: external data elsewhere, and operators that nobody knows."""
    for location, is_inside in misplaced(options.model, header.external):
        if is_inside:
            faults.add(
                f"its weights are in {quoted(location)}, which is no regular file in the model's folder",
                Advice(f"put {quoted(location)} beside the model, or save the model as one file"),
            )
        else:
            faults.add(
                f"its weights are in {quoted(location)}, which is no regular file in the model's folder",
                Advice("save the model as one file, or with its weights beside it"),
            )
    for reason, advice in loading_refusals(header):
        faults.add(reason, Advice(advice))


def _has_bins(outputs: Any, n_fft: int) -> bool:
    """Return whether outputs may have the bins of an FFT, rather than those of another one."""
    bins = n_fft // 2 + 1
    sizes = {size for one in outputs for size in one.shape or () if isinstance(size, int) and size > 2}
    return not sizes or bool(sizes & {bins, 2 * bins})


def _static_frames(inputs: tuple[PlannedInput, ...], wanted: Wanted, faults: Faults) -> int | None:
    """Return the number of frames that the network takes at once, of the coarsest level; None for any number."""
    found: dict[int, str] = {}
    for one in inputs:
        sizes = dict(zip(one.axes, one.tensor.shape or (), strict=False))
        frames = sizes.get("frame")
        if one.role not in ("codes", "values") or not isinstance(frames, int):
            continue
        per_frame = wanted.frames_of_levels[one.level] if wanted.strides and one.level is not None else 1
        if frames % per_frame or not frames:
            faults.add(
                f"the input {tensor_in_words(one.tensor)} takes {frames} frames, no multiple of the {per_frame} of its"
                " level",
                code="model-mismatch",
            )
            continue
        found.setdefault(frames // per_frame, one.tensor.name)
    if len(found) > 1:
        (first, name), (second, other) = list(found.items())[:2]
        faults.add(
            f"the input {name} takes {first} frames of the coarsest level, and {other} takes {second}",
            code="model-mismatch",
        )
    return next(iter(found), None)


def _static_batch(inputs: tuple[PlannedInput, ...]) -> int | None:
    """Return the fixed size of the batch axis; None for any size."""
    for one in inputs:
        if one.role in ("codes", "values"):
            size = dict(zip(one.axes, one.tensor.shape or (), strict=False)).get("batch", 1 if one.axes else None)
            if isinstance(size, int):
                return size
    return None


def _check_sizes(plan: NetworkPlan, options: NetworkOptions, faults: Faults) -> None:
    """Add faults of options that contradict sizes that are fixed."""
    if plan.static_batch is not None and options.batch > plan.static_batch:
        faults.add(
            f"batch is {options.batch}, but the model takes {plan.static_batch} at once",
            SetOption("batch", plan.static_batch),
            code="model-mismatch",
            option="batch",
        )
    if plan.static_frames is not None and options.chunk not in (None, plan.static_frames):
        faults.add(
            f"chunk is {options.chunk}, but the model takes exactly {plan.static_frames} frames at once",
            RemoveOption("chunk"),
            code="model-mismatch",
            option="chunk",
        )
    reach = options.receptive_field
    if plan.static_frames is not None and reach is not None and sum(reach) >= plan.static_frames:
        faults.add(
            f"the model takes {plan.static_frames} frames at once, which leave nothing between {reach[0]} before and"
            f" {reach[1]} after",
            SetOption("receptive_field", [(plan.static_frames - 1) // 2] * 2, when="or less"),
            code="model-mismatch",
            option="receptive_field",
        )
