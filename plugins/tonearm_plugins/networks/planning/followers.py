"""Axes of inputs that stand beside the signal: those that follow its frames, its batch or its segments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tonearm_plugins.networks.plan import Axis, PlannedInput
from tonearm_plugins.networks.planning.axes import Axes, Size, axis_meant
from tonearm_plugins.networks.planning.names import PITCHES, words


def axes_beside(planned: PlannedInput, signal: Iterable[PlannedInput]) -> Axes:
    """Return the axes of an input that does not take the signal.

    Parameters
    ----------
    planned
        Input with its role.
    signal
        Inputs that take the signal, with their axes.
    """
    shape = planned.tensor.shape or ()
    if planned.role == "length":
        return tuple("one" if size == 1 else "batch" for size in shape)
    if planned.role == "scale":
        return _axes_of_scale(shape)
    frames = {
        size
        for one in signal
        for size, axis in zip(one.tensor.shape or (), one.axes, strict=False)
        if axis == "frame" and size is not None
    }
    axes = [_axis(size, place, len(shape), frames) for place, size in enumerate(shape)]
    if "frame" not in axes and words(planned.tensor.name) & PITCHES:
        is_open = [not isinstance(size, int) for size in shape]
        if is_open and any(is_open):
            axes[len(axes) - 1 - is_open[::-1].index(True)] = "frame"
    return tuple(axes)


def _axes_of_scale(shape: tuple[Size, ...]) -> Axes:
    """Return the axes of the factor of a segment."""
    known: Mapping[int, Axes] = {0: (), 1: ("batch",), 2: ("segment", "batch"), 3: ("segment", "batch", "one")}
    return ("batch", "one") if len(shape) == 2 and shape[1] == 1 else known.get(len(shape), ())


def _axis(size: Size, place: int, rank: int, frames: set[int | str]) -> Axis:
    """Return an axis of a value that the options give."""
    meant = axis_meant(size)
    if size in frames or meant == "frame":
        return "frame"
    if meant in ("batch", "sample"):
        return meant
    if place == 0 and rank > 1 and (size == 1 or (meant is None and not isinstance(size, int))):
        return "batch"
    return "one" if size == 1 and rank > 1 else "fixed"
