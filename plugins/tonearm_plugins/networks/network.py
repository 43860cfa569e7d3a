"""One call of a network: arrays for its inputs by their roles, and what its outputs make together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError
from tonearm_plugins.networks.spectrum import complex_columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonearm_plugins.networks.onnx_session import OnnxModel
    from tonearm_plugins.networks.plan import Axis, NetworkPlan, OutputRole, PlannedInput, PlannedOutput

Place = tuple[int, int]
"""Channel of an item, and its first frame."""

States = Mapping[str, "NDArray[Any]"]
"""Values of the states by the names of the inputs that take them."""

_WAVEFORM_AXES: Mapping[int, tuple[Axis, ...]] = {
    1: ("sample",),
    2: ("batch", "sample"),
    3: ("batch", "channel", "sample"),
    4: ("batch", "one", "channel", "sample"),
}
_CHECK_ROLES = "check the roles of its inputs and outputs, and give those that are wrong under inputs: and outputs:"
_MOST_CHANNELS = 8
_SPECTRUM_AXES: Mapping[int, tuple[Axis, ...]] = {2: ("bin", "frame"), 3: ("batch", "bin", "frame")}


class Network:
    """A network with its plan, and what it is given beside the frames of a signal.

    Frames are arrays (items, rows, frames), whatever they hold: codes of all books, those of levels side by side as
    `Signal.block_array` has them, bands of a mel spectrogram or latents. What it gives is (items, rows, columns) as
    well: a column is a sample of each channel, or a frame of a spectrum.

    Parameters
    ----------
    plan
        Plan.
    model
        Loaded model.
    counts
        Codes that each level has in a frame; empty if all books have one rate.
    given
        Arrays for the inputs that the options name, by input, as `given_arrays` makes them. Their first axis is the
        channels of the signal, or has size 1; the last axis of those that follow the signal is its frames.
    """

    def __init__(
        self,
        plan: NetworkPlan,
        model: OnnxModel,
        *,
        counts: Sequence[int] = (),
        given: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        self.plan = plan
        self.model = model
        self.given = dict(given or {})
        self._outputs = [one for one in plan.outputs if one.role != "unused"]
        ends = [sum(counts[: number + 1]) for number in range(len(counts))]
        self._rows = [slice(end - count, end) for end, count in zip(ends, counts, strict=True)]

    @property
    def question(self) -> tuple[Any, ...]:
        """What tells this work from other work of the same model: roles of inputs and outputs, and rows of levels."""
        roles = tuple((one.tensor.name, one.role, one.level) for one in self.plan.inputs)
        return roles, self.plan.form, tuple((one.start, one.stop) for one in self._rows)

    @property
    def takes_items_apart(self) -> bool:
        """Whether each call gets one item, because an input that differs between items has no room for several."""
        return any(self._has_one_item(one) for one in self.plan.inputs)

    def _has_one_item(self, planned: PlannedInput) -> bool:
        """Return whether an input differs between items, and has no room for as many as the signal has."""
        room = dict(zip(planned.axes, planned.tensor.shape or (), strict=False)).get("batch", 1)
        if not isinstance(room, int) or room == self.plan.static_batch:
            return False
        if planned.role == "given":
            return "frame" in planned.axes or len(self.given[planned.tensor.name]) > 1
        return planned.role in ("scale", "state") and self.plan.static_batch is None

    def columns(
        self,
        values: NDArray[Any],
        places: Sequence[Place] = ((0, 0),),
        scales: Sequence[float] = (),
        states: States | None = None,
    ) -> tuple[NDArray[Any], States]:
        """Return what the network gives for some frames, and its states after them.

        Parameters
        ----------
        values
            (items, rows, frames).
        places
            Channel of each item, and its first frame.
        scales
            Factors of the items, for a network that takes them; 1 if there are none.
        states
            States before these frames; those of silence if None.

        Returns
        -------
        tuple
            Array (items, rows, columns), float32 or complex64, and states.

        Raises
        ------
        ItemError
            If the network fails, or gives something else than its header says.
        """
        import numpy as np

        items = values.shape[0]
        fixed = self.plan.static_batch
        if fixed and fixed > items:  # copies of the last item fill the batch, and what they give is dropped
            last = np.full(fixed - items, items - 1)
            order = np.concatenate((np.arange(items), last))
            values, places = values[order], [*places, *(places[-1] for _ in last)]
            scales = [*scales, *(scales[-1] for _ in last)] if scales else ()
        feeds = {one.tensor.name: self._feed(one, values, places, scales, states or {}) for one in self.plan.inputs}
        found = self.model.run(feeds, [one.tensor.name for one in self._outputs])
        by_name = {one.tensor.name: array for one, array in zip(self._outputs, found, strict=True)}
        columns = self._together(by_name)[:items]
        after = {one.tensor.name: by_name[one.state] for one in self.plan.inputs if one.role == "state"}
        return columns, after

    def _feed(
        self,
        planned: PlannedInput,
        values: NDArray[Any],
        places: Sequence[Place],
        scales: Sequence[float],
        states: States,
    ) -> NDArray[Any]:
        """Return the array for an input."""
        import numpy as np

        items, _, frames = values.shape
        tensor, dtype = planned.tensor, np.dtype(planned.tensor.dtype)
        rows = None if planned.level is None or not self._rows else self._rows[planned.level]
        if planned.role == "codes" and planned.level is not None:
            level = values[:, planned.level] if rows is None else values[:, rows].transpose(0, 2, 1)
            made = arranged(level.reshape(items, -1), ("batch", "frame"), planned.axes)
        elif planned.role == "codes":
            made = arranged(values, ("batch", "book", "frame"), planned.axes)
        elif planned.role == "values":
            made = arranged(values, ("batch", "band", "frame"), planned.axes)
        elif planned.role == "length":
            number = frames * (rows.stop - rows.start if rows is not None else 1)
            made = np.full([items if axis == "batch" else 1 for axis in planned.axes], number)
        elif planned.role == "scale":
            made = arranged(np.asarray([*scales] or [1.0] * items), ("batch",), planned.axes)
        elif planned.role == "state":
            if tensor.name in states:
                return states[tensor.name]
            made = np.zeros(_state_shape(planned, items))
        else:
            made = _given_part(self.given[tensor.name], planned, places, frames)
        if planned.role == "codes" and (most := int(made.max())) > np.iinfo(dtype).max:
            raise ItemError(
                f"the input {tensor.name} of the model is of {dtype}, which cannot hold the code {most}",
                code="bad-token",
                hint="check that the model decodes the codec of the tokens",
            )
        return np.ascontiguousarray(made, dtype).reshape(made.shape)  # an array without axes keeps none

    def _together(self, by_name: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return what the outputs make together, (items, rows, columns)."""
        import numpy as np

        parts: dict[OutputRole, NDArray[Any]] = {}
        length = None
        for one in self._outputs:
            array = by_name[one.tensor.name]
            if one.role == "waveform":
                return _samples(one, array, self._outputs, by_name)
            if one.role == "length":
                length = int(np.max(array))
            elif one.role != "state":
                axes = _axes_of(one, array, _SPECTRUM_AXES)
                parts[one.role] = _part(array, axes, is_complex=one.role in ("complex", "log_polar"))
        made = complex_columns(self.plan.form, parts)
        return made if length is None else made[..., :length]

    def for_trial(self, frames: int, changed: int | None = None) -> Network:
        """Return the same network for a trial signal, which is given what follows the signal over and over.

        Parameters
        ----------
        frames
            Frames of the trial signal.
        changed
            Frame at which what is given differs; None if nowhere.
        """
        import numpy as np

        made = Network(self.plan, self.model, given=self.given)
        made._rows = self._rows
        for planned in self.plan.inputs:
            if planned.role == "given" and "frame" in planned.axes:
                array = self.given[planned.tensor.name]
                array = array[..., np.arange(frames) % array.shape[-1]].copy()
                if changed is not None:
                    array[..., changed] = array[..., changed] * 2 + 1
                made.given[planned.tensor.name] = array
        return made


def arranged(array: NDArray[Any], have: Sequence[Axis], want: Sequence[Axis]) -> NDArray[Any]:
    """Return an array with its axes in another order; axes that it lacks get size 1.

    Parameters
    ----------
    array
        Array.
    have
        Names of its axes. Axes of size 1 may be named ``one``.
    want
        Names of the axes of the result.

    Raises
    ------
    ItemError
        If an axis that is not wanted has more than one element.
    """
    named = [axis for axis in have if axis != "one"]
    array = array.reshape([size for size, axis in zip(array.shape, have, strict=True) if axis != "one"])
    for axis in [axis for axis in named if axis not in want]:
        at = named.index(axis)
        if array.shape[at] != 1:
            raise ItemError(
                f"there are {array.shape[at]} in axis {axis}, where the model has room for one",
                code="bad-model",
                hint=_CHECK_ROLES,
            )
        array = array.reshape(array.shape[:at] + array.shape[at + 1 :])
        named.remove(axis)
    array = array.transpose([named.index(axis) for axis in want if axis in named])
    sizes = iter(array.shape)
    return array.reshape([next(sizes) if axis in named else 1 for axis in want])


def _part(array: NDArray[Any], axes: Sequence[Axis], *, is_complex: bool) -> NDArray[Any]:
    """Return a part of a spectrum, (items, bins, frames), with both parts of a complex one as the last axis."""
    if "complex-bin" in axes:
        array = arranged(array, axes, ("batch", "complex-bin", "frame"))
        both = array.reshape(array.shape[0], 2, -1, array.shape[-1])
        return both.transpose(0, 2, 3, 1)
    return arranged(array, axes, ("batch", "bin", "frame", "complex") if is_complex else ("batch", "bin", "frame"))


def _axes_of(planned: PlannedOutput, array: NDArray[Any], usual: Mapping[int, tuple[Axis, ...]]) -> tuple[Axis, ...]:
    """Return the axes of an output: those of the plan, or the usual ones if the header does not know its rank."""
    axes = planned.axes or usual.get(array.ndim, ())
    if len(axes) != array.ndim:
        raise ItemError(
            f"the model gives {planned.tensor.name} of shape {array.shape}, not a {planned.role}",
            code="bad-model",
            hint=_CHECK_ROLES,
        )
    return axes


def _samples(
    planned: PlannedOutput,
    array: NDArray[Any],
    outputs: Sequence[PlannedOutput],
    by_name: Mapping[str, NDArray[Any]],
) -> NDArray[np.float32]:
    """Return the samples of a waveform, (items, channels, samples), without those behind the lengths that are given."""
    import numpy as np

    axes = _axes_of(planned, array, _WAVEFORM_AXES)
    if not planned.axes and math.prod(array.shape[1:-1]) > _MOST_CHANNELS:
        raise ItemError(
            f"the model gives {array.dtype} of shape {array.shape}, not a waveform", code="bad-model", hint=_CHECK_ROLES
        )
    if array.dtype.kind not in "fi":
        raise ItemError(f"the model gives a waveform of {array.dtype}", code="bad-model", hint=_CHECK_ROLES)
    samples = arranged(array, axes, ("batch", "channel", "sample"))
    if array.dtype.kind == "i":
        samples = samples / np.float32(2.0 ** (8 * array.dtype.itemsize - 1))
    lengths = [int(np.max(by_name[one.tensor.name])) for one in outputs if one.role == "length"]
    return samples[..., : min(lengths, default=samples.shape[-1])].astype(np.float32, copy=False)


def _state_shape(planned: PlannedInput, items: int) -> list[int]:
    """Return the shape of a state before the first frame: what grows with time is empty."""
    shape: list[int] = []
    axes = planned.axes or (None,) * len(planned.tensor.shape or ())
    for axis, size in zip(axes, planned.tensor.shape or (), strict=True):
        is_items = axis == "batch" or (isinstance(size, str) and "batch" in size.lower())
        shape.append(size if isinstance(size, int) else items if is_items else 0)
    return shape


def _given_part(array: NDArray[Any], planned: PlannedInput, places: Sequence[Place], frames: int) -> NDArray[Any]:
    """Return the part of a given array that belongs to the frames of some items.

    The array has the channels first, then the axes of the input without ``batch``, with ``frame`` as the last one.
    """
    import numpy as np

    axes = planned.axes
    order: list[Any] = [axis for axis in axes if axis not in ("batch", "frame")]
    of_items = [array[channel if len(array) > 1 else 0] for channel, _ in places]
    if "frame" in axes:
        order.append("frame")
        beyond = max(first for _, first in places) + frames - array.shape[-1]
        if beyond > 0:  # a window that is longer than the signal repeats its last frame
            of_items = [np.pad(one, [(0, 0)] * (one.ndim - 1) + [(0, beyond)], mode="edge") for one in of_items]
        of_items = [one[..., first : first + frames] for one, (_, first) in zip(of_items, places, strict=True)]
    if "batch" not in axes:
        return _turned(of_items[0], order, axes)
    size = dict(zip(axes, planned.tensor.shape or (), strict=False)).get("batch")
    most = size if isinstance(size, int) else len(of_items)  # one vector for all items, which the model spreads
    return _turned(np.stack(of_items[:most]), ["batch", *order], axes)


def _turned(array: NDArray[Any], have: Sequence[Any], want: Sequence[Any]) -> NDArray[Any]:
    """Return an array with the same axes in another order, several of which may be named ``one``."""
    left = list(have)
    order = []
    for axis in want:
        at = left.index(axis)
        order.append(at)
        left[at] = None
    return array.transpose(order)
