"""Doubts about phases: whether they are in degrees, or in parts of a circle, and not in radians."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from tonearm.errors import Advice
from tonearm.findings.layout import MIN_PHASE, PHASE_LIMIT
from tonearm.plugins.context import Context

if TYPE_CHECKING:
    from tonearm.typing import Array

FEW = 256
"""Number of phases below which nothing shows."""

MAX_UNEVEN = 0.3
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
