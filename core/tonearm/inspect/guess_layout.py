"""Guesses for spectrograms whose bins are laid out in another way: both sides, both parts in one axis, missing bins."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tonearm.findings.layout import PHASE_LIMIT, USUAL_N_FFTS
from tonearm.findings.notes import Notes
from tonearm.inspect.guess_logarithm import logarithm
from tonearm.recipes.variants import DECIBEL_SPAN

SIDES = ("two", "centered", "centered-nyquist-last")

FOLDED = {
    "complex-bin": ("complex", "(complex bin)", "the real parts of all bins, then the imaginary parts"),
    "bin-complex": ("complex", "(bin complex)", "the real and the imaginary part of each bin side by side"),
    "polar-bin": ("polar", "(polar bin)", "the magnitudes of all bins, then the phases"),
    "bin-polar": ("polar", "(bin polar)", "the magnitude and the phase of each bin side by side"),
}
"""Parts of an axis that holds both, its name, and what it holds, by the layout."""


class FoundLayout(Struct, frozen=True):
    """The layout of the bins of an array, as its values show it.

    Parameters
    ----------
    axis
        Axis of the bins.
    name
        Name of that axis.
    n_fft
        Length of the Fourier transform in samples.
    reason
        Reason for the layout.
    options
        Options that describe the layout.
    part
        ``complex`` or ``polar`` if the array has both parts of its values; empty if not.
    extra
        Names of further axes that are known.
    sure
        Whether the layout is likely, not only possible.
    """

    axis: int
    name: str
    n_fft: int
    reason: str
    options: dict[str, Any] = {}
    part: str = ""
    extra: dict[int, str] = {}
    sure: bool = True


def find_layout(notes: Notes, bins: int | None) -> FoundLayout | None:
    """Return the layout of the bins of an array of several axes; None if its values do not show one.

    Parameters
    ----------
    notes
        Notes on the array.
    bins
        Axis that may be the bins of one side; None if there is none.
    """
    for axis, count in enumerate(notes.shape):
        layout = notes.layout(axis)
        if layout in SIDES:
            reason = f"values mirror each other along {count}: both sides, and n_fft {count}"
            return FoundLayout(axis, "bin", count, reason, {"sides": layout})
        if layout in FOLDED:
            part, name, words = FOLDED[layout]
            n_fft = 2 * (count // 2 - 1)
            return FoundLayout(axis, name, n_fft, f"{words}: {count} is n_fft + 2 of {n_fft}", part=part)
        if layout in ("polar", "reversed-polar") and len(notes.shape) > 2:
            main = (
                bins if bins is not None else notes.smoothest([one for one in range(len(notes.shape)) if one != axis])
            )
            n_fft = 2 * (notes.shape[main] - 1)
            reason = "an axis of two with magnitudes, and values within ±π: phases"
            if layout != "polar":
                reason = f"{reason}, which come first: read np.flip(array, {notes.place(axis)})"
            return FoundLayout(main, "bin", n_fft, reason, part="polar", extra={axis: "polar"})
    return _missing_ends(notes) if notes.statistics.dtype.startswith("complex") and bins is None else None


def _missing_ends(notes: Notes) -> FoundLayout | None:
    """Return the layout of a complex array without the bins at one or both ends; None if it has not this length."""
    ends = {axis: notes.real_ends(axis) for axis in range(len(notes.shape))}
    shown = [axis for axis, (first, last) in ends.items() if first or last]
    fitting = [
        axis
        for axis in shown or ends
        if 2 * notes.shape[axis] in USUAL_N_FFTS or (not shown and 2 * (notes.shape[axis] + 1) in USUAL_N_FFTS)
    ]
    if not fitting or (shown and (len(shown) > 1 or all(ends[shown[0]]))):
        return None
    axis = notes.smoothest(fitting)
    count, (first, last) = notes.shape[axis], ends[axis]
    if 2 * count not in USUAL_N_FFTS:
        n_fft = 2 * (count + 1)
        reason = f"no bin is real, and {count} is n_fft / 2 - 1 of {n_fft}: without the bins at both ends"
        return FoundLayout(axis, "bin", n_fft, reason, {"end_bins": "none"}, sure=False)
    real = f"the {'last' if last else 'first'} bin is real, and" if first or last else "no bin is real, but"
    reason = f"{real} {count} is n_fft / 2 of {2 * count}: without the {'first' if last else 'highest'} bin"
    return FoundLayout(axis, "bin", 2 * count, reason, {"end_bins": "nyquist" if last else "dc"}, sure=first or last)


def polar_kind(notes: Notes) -> tuple[str, dict[str, Any], str]:
    """Return the kind, the options and the reason for magnitudes with phases in one array."""
    stats = notes.statistics
    if stats.low >= -PHASE_LIMIT:
        return "magnitude", {}, "magnitudes of at least 0, and phases within ±π"
    if stats.high - stats.low >= DECIBEL_SPAN:
        return "db", {}, f"decibels, which span {stats.high - stats.low:.4g}, and phases within ±π"
    return "magnitude", {"recipe": logarithm("ln", stats.low)}, "logarithms of magnitudes, and phases within ±π"
