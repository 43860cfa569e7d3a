"""The order of samples: whether one row holds two channels that take turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tonearm.findings.mapped_files import copy_mapped

if TYPE_CHECKING:
    from tonearm.typing import Array

GLANCE = 1024
"""Number of samples whose steps are measured first, in the middle. Most sounds need no more."""

EXAMINED = 8192
"""Number of samples that are examined if their steps are unusual."""

MAX_STEP = 0.25
"""Largest step over two samples, squared, as a fraction of that over one. Those of sound grow with the distance."""

MIN_LIKENESS = -0.3
"""Least correlation of the two rows; that of a tone near half the sample rate is -1."""

MIN_SMOOTHNESS = 0.5
"""Least correlation of neighbours in each row, as sound has it and noise has not."""

REPEATED = 0.02
"""Largest deviation from 2 of the ratio of both steps, squared, if each sample stands twice."""

MIN_CHANGES = 0.5
"""Least fraction of samples that differ from the one before, of samples that stand twice; those of a pulse are few."""


def seems_interleaved(samples: Array) -> bool:
    """Return whether a row of samples seems to hold two channels in turns, or each sample twice.

    Parameters
    ----------
    samples
        Real floats of shape (time,).
    """
    if len(samples) < 2 * GLANCE:
        return False
    first = (len(samples) - GLANCE) // 2
    near, far = _steps(samples[first : first + GLANCE])
    is_repeated = abs(far - 2 * near) <= 2 * REPEATED * near
    if not near > 0 or not (far < 2 * MAX_STEP * near or is_repeated):
        return False
    part = _middle(samples, min(len(samples), EXAMINED) & ~1)
    near, far = _steps(part)
    if is_repeated:
        one, other = (part[::2], part[1::2]) if (part[::2] == part[1::2]).all() else (part[1:-1:2], part[2::2])
        return bool((one == other).all()) and float((one[1:] != one[:-1]).mean()) > MIN_CHANGES
    part = part - part.mean()
    power = 2 * float(part @ part)
    return far < MAX_STEP * near and near < (1 - MIN_LIKENESS) * power and far < (1 - MIN_SMOOTHNESS) * power


def _middle(samples: Array, count: int) -> Array:
    """Return some samples in the middle, which begin at an even place."""
    first = (len(samples) - count) // 2 & ~1
    return copy_mapped(samples[first : first + count])


def _steps(part: Array) -> tuple[float, float]:
    """Return the sums of the squares of the steps to the next sample, and to the one after that."""
    to_next, to_second = part[1:] - part[:-1], part[2:] - part[:-2]
    return float(to_next @ to_next), float(to_second @ to_second)
