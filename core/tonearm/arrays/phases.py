"""Doubts about phases: whether they are in radians, and whether those of neighbouring frames fit the grid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from tonearm.errors import Advice, Remedy, SetOption
from tonearm.plugins.context import Context

if TYPE_CHECKING:
    from tonearm.signals import StftGrid
    from tonearm.typing import Array

FEW = 256
"""Number of complex values, or of phases, below which nothing shows."""

MAX_UNEVEN = 0.15
"""Largest deviation of the spread of phases from that of an even one."""


class _Unit(NamedTuple):
    """A unit of phases: the range of a circle, its size in radians, and the factor in words."""

    low: float
    high: float
    radians: float
    factor: str


_UNITS = (
    _Unit(-180.0, 180.0, math.pi / 180, "np.pi / 180"),
    _Unit(0.0, 360.0, math.pi / 180, "np.pi / 180"),
    _Unit(-1.0, 1.0, math.pi, "np.pi"),
    _Unit(-0.5, 0.5, 2 * math.pi, "2 * np.pi"),
    _Unit(0.0, 1.0, 2 * math.pi, "2 * np.pi"),
)

_EVEN_SPREAD = math.pi / math.sqrt(3)
"""Standard deviation of values that are spread evenly over ±π."""


def doubt_phases(phase: Array, context: Context) -> None:
    """Note a doubt if phases are in degrees, or in parts of a circle, and not in radians.

    Parameters
    ----------
    phase
        Finite phases of any shape.
    context
        Context of the item.
    """
    from tonearm.findings.layout import MIN_PHASE, PHASE_LIMIT

    low, high = float(phase.min()), float(phase.max())
    peak = max(-low, high)
    if phase.size < FEW or peak == 0 or MIN_PHASE <= peak <= PHASE_LIMIT:
        return
    unit = next((one for one in _UNITS if _fills(low, high, one.low, one.high)), None)
    if unit is None or abs(float(phase.std()) * unit.radians / _EVEN_SPREAD - 1) > MAX_UNEVEN:
        return
    message = f"phases from {low:.4g} to {high:.4g} seem not to be in radians"
    context.doubt(message, code="kind-doubtful", remedies=(Advice(f"save phase * {unit.factor}"),))


def _fills(low: float, high: float, least: float, most: float) -> bool:
    """Return whether values reach both ends of a range, and do not go beyond."""
    edge = 0.1 * (most - least)
    return least - 0.01 * edge <= low <= least + edge and most - edge <= high <= most + 0.01 * edge


def doubt_frames(values: Array, grid: StftGrid, context: Context) -> None:
    """Note a doubt if neighbouring frames do not overlap as the grid says, and do by another one.

    Parameters
    ----------
    values
        Complex values of shape (bins, frames).
    grid
        Grid of the analysis; one whose values are not those of one side with all bins passes.
    context
        Context of the item.
    """
    if grid.sides != "one" or grid.end_bins != "both" or grid.phase_origin != "frame-start":
        return
    from tonearm.findings.frames import other_grid

    found = other_grid(values, grid)
    if found is None:
        return
    if found.parts:
        if found.parts == "conjugate":
            message, advice = "the imaginary parts seem to have the opposite sign", "save np.conj(array)"
        else:
            message, advice = "real and imaginary parts seem to be exchanged", "save the real parts first"
        message = f"{message}: neighbouring frames fit each other only then"
        context.doubt(message, code="grid-doubtful", remedies=(Advice(advice),))
        return
    shown: dict[str, Any] = found.options
    words = " and ".join(f"{name} {_given(grid, name)}" for name in shown)
    message = f"neighbouring frames do not overlap as they do with {words}"
    remedies: tuple[Remedy, ...] = tuple(SetOption(name, value) for name, value in shown.items())
    if "phase_origin" in shown:
        rest = tuple(SetOption(name, value) for name, value in shown.items() if name != "phase_origin")
        remedies = (SetOption("convention", "scipy-short-time-fft"), *rest)
    if shown.get("window_position") == "start":
        which = "scipy" if float(abs(values).max()) < 1 else "tensorflow"
        others = tuple(remedy for remedy in remedies if getattr(remedy, "option", "") != "window_position")
        remedies = (SetOption("convention", which), *others)
    context.doubt(message, code="grid-doubtful", remedies=remedies)


def _given(grid: StftGrid, name: str) -> str:
    value = getattr(grid, name)
    return str(value) if isinstance(value, (int, str)) else "of a file"
