"""Guesses for linear spectrograms: complex, in real and imaginary parts, magnitudes, powers or decibels."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from tonearm.findings.layout import MIN_PHASE, PHASE_LIMIT, USUAL_N_FFTS
from tonearm.findings.notes import UNKNOWN, Confidence, Notes
from tonearm.inspect.guess_layout import FoundLayout, find_layout, polar_kind
from tonearm.inspect.guess_logarithm import find_logarithm, logarithm
from tonearm.recipes.doubts import MAX_STANDARDISED
from tonearm.recipes.recipe import LOGARITHM_BASES
from tonearm.recipes.variants import DECIBEL_SPAN

MAX_MEAN = 0.01
"""Largest mean of phases and of parts of complex values, as a fraction of the peak."""

EXACT_MEAN = 1e-3
"""Largest mean of standardised values."""

MIN_CORRELATION = 0.5
"""Least correlation of the spectra of two channels; real and imaginary parts have hardly any."""


MAX_LOG2_SPAN = 55.0
"""Largest span of values that are taken for log2 of powers, 165 dB; decibels of a whole sound span 60 at least."""


def bin_axis(notes: Notes) -> int | None:
    """Return the axis whose length is n_fft / 2 + 1 of a usual n_fft, the smoothest one of several; None if none is."""
    found = [
        axis for axis, n in enumerate(notes.shape) if 2 * (n - 1) in USUAL_N_FFTS and not notes.resembles_batch(axis)
    ]
    return notes.smoothest(found) if found else None


def resembles_magnitudes(notes: Notes) -> bool:
    """Return whether the values of an array are magnitudes, powers or decibels rather than another logarithm."""
    stats = notes.statistics
    return not stats.negative or stats.high - stats.low >= DECIBEL_SPAN


def note_complex(notes: Notes) -> None:
    """Note a complex array, which is a complex spectrogram or nothing that can be told."""
    stats = notes.statistics
    notes.add("values", "complex", "certain", f"the type is {stats.dtype}")
    if len(notes.shape) == 1:
        reason = "a complex spectrogram has bins and frames, but there is one axis: a single frame, or no spectrogram"
        notes.add("kind", UNKNOWN, "unknown", reason)
        notes.options |= {"kind": "complex", "sample_rate": UNKNOWN, "n_fft": UNKNOWN, "hop_length": UNKNOWN}
        return
    ends = [axis for axis in range(len(notes.shape)) if notes.real_ends(axis)[0]]
    axis = bin_axis(notes)
    if found := find_layout(notes, axis):
        notes.add("kind", "complex", "likely" if found.sure else "possible", f"complex values; {found.reason}")
        _note_found(notes, found, "complex")
    elif len(ends) == 1:
        (axis,) = ends
        even = notes.real_ends(axis)[1]
        n_fft = 2 * (notes.shape[axis] - 1) + (not even)
        what = "first and last bins are real" if even else "first bin is real, and the last is not"
        more = "" if even else "; or the highest bin was left out, and must be put back"
        notes.add("kind", "complex", "likely", f"the {what}, as in the transform of real samples")
        reason = f"the {what}, and there are {notes.shape[axis]}: n_fft {n_fft}{more}"
        _note_grid(notes, axis, "complex", reason, n_fft=n_fft)
    elif axis is not None:
        notes.add(
            "kind", "complex", "likely", f"complex values, and {notes.shape[axis]} is n_fft / 2 + 1 of a usual n_fft"
        )
        _note_grid(notes, axis, "complex")
    else:
        notes.add(
            "kind",
            "complex",
            "possible",
            "complex values along several axes; but no length is n_fft / 2 + 1 of a usual n_fft",
        )
        notes.add("axes", UNKNOWN, "unknown", "bins and frames cannot be told apart")
        notes.options |= {"kind": "complex", "sample_rate": UNKNOWN, "n_fft": UNKNOWN, "hop_length": UNKNOWN}


def _note_found(notes: Notes, found: FoundLayout, kind: str) -> None:
    """Note the grid of a spectrogram whose bins are laid out as the values show it."""
    axis, n_fft = found.axis, found.n_fft
    _note_grid(notes, axis, kind, found.reason, n_fft=n_fft, extra=found.extra, sure=found.sure, name=found.name)
    for option, value in found.options.items():
        notes.add(option, value, "likely" if found.sure else "possible", found.reason)
    notes.options |= found.options


def note_parts(notes: Notes) -> bool:
    """Note both parts of complex values in one axis, or both sides; return whether the array seems to hold them."""
    found = find_layout(notes, bin_axis(notes))
    if found is None:
        return False
    if not found.part and note_real_and_imaginary(notes):
        return True
    if found.part == "complex":
        notes.add("kind", "complex", "likely", found.reason)
        _note_found(notes, found, "complex")
    elif found.part == "polar":
        kind, options, reason = polar_kind(notes)
        notes.add("kind", kind, "likely", f"{reason}; both make a complex spectrogram")
        _note_found(notes, found, kind)
        notes.options |= options
    else:
        _note_levels(notes, found.n_fft)
        _note_found(notes, found, notes.options["kind"])
    return True


def note_real_and_imaginary(notes: Notes) -> bool:
    """Note real and imaginary parts along an axis of two; return whether the array seems to hold them."""
    axis = bin_axis(notes)
    found = find_layout(notes, axis)
    if len(notes.shape) < 3 or not notes.statistics.centred or (found and found.part):
        return False
    pairs = [one for one, n in enumerate(notes.shape) if n == 2 and notes.correlation(one) < MIN_CORRELATION]
    if len(pairs) != 1 or (axis is None and found is None):
        return False
    reason = "bins, and an axis of two with uncorrelated values around 0: real and imaginary parts"
    notes.add("kind", "complex", "likely", reason)
    parts = {pairs[0]: "complex"}
    if found:
        _note_found(notes, structs.replace(found, extra=parts), "complex")
    elif axis is not None:
        _note_grid(notes, axis, "complex", extra=parts)
    return True


def note_magnitudes(notes: Notes, axis: int, rival: str = "") -> None:
    """Note magnitudes, powers or decibels with bins along an axis.

    Parameters
    ----------
    notes
        Notes that get the findings.
    axis
        Axis of the bins.
    rival
        Something else that the array may be, as part of a sentence; empty if there is nothing.
    """
    _note_levels(notes, 2 * (notes.shape[axis] - 1), rival)
    _note_grid(notes, axis, notes.options["kind"], sure=not rival)


def _note_levels(notes: Notes, n_fft: int, rival: str = "") -> None:
    """Note whether values are magnitudes, powers, decibels, or another logarithm; see `note_magnitudes`."""
    stats = notes.statistics
    doubt = f"; but {rival}" if rival else ""
    if found := find_logarithm(notes, n_fft):
        kind = "magnitude"
        notes.add("kind", kind, "possible" if rival else "likely", f"bins, and logarithms: {found.reason}{doubt}")
        named = found.recipe if isinstance(found.recipe, str) else _words(found.recipe)
        notes.add("recipe", named, "possible" if rival else "likely", found.reason)
        notes.options["recipe"] = found.recipe
    elif reason := _no_levels(notes):
        kind = UNKNOWN
        notes.add("kind", UNKNOWN, "unknown", f"bins, but {reason}{doubt}")
    elif stats.negative and stats.high - stats.low >= DECIBEL_SPAN:
        kind = "db"
        span = stats.high - stats.low
        reason = f"bins, and values below 0 that span {span:.4g}, as decibels do"
        if span < MAX_LOG2_SPAN:
            figures = _words(logarithm("log2", stats.low) | {"exponent": 2})
            doubt = f"{doubt}; or log2 of powers: kind magnitude with recipe {figures}"
        notes.add("kind", kind, "possible" if doubt else "likely", reason + doubt)
    elif stats.negative:
        kind = "magnitude"
        reason = (
            f"bins, and values below 0 that span {stats.high - stats.low:.4g}, too little for decibels:"
            " another logarithm"
        )
        notes.add("kind", kind, "possible", reason + doubt)
        choices = [_words(logarithm(log, stats.low)) for log in LOGARITHM_BASES]
        notes.add("recipe", " or ".join(choices), "possible", "values do not show the base of the logarithm")
        notes.options["recipe"] = UNKNOWN
        notes.choices["recipe"] = choices
    else:
        kind = UNKNOWN
        reason = "bins, and no value below 0; the values do not show which of the two they are"
        notes.add("kind", "magnitude or power", "possible", reason + doubt)
    notes.options["kind"] = kind


def _no_levels(notes: Notes) -> str:
    """Return what values around 0 are in place of levels: phases, one part of complex values; empty if levels."""
    stats = notes.statistics
    low, high = -stats.low, stats.high
    if min(low, high) >= MIN_PHASE and stats.peak <= PHASE_LIMIT and abs(stats.mean) <= 0.1:
        return "the values fill ±π: phases, which belong to magnitudes (phase names them)"
    either = "standardised values, or one part of complex values"
    if 0 < low <= MAX_STANDARDISED and 0 < high <= MAX_STANDARDISED and abs(stats.mean) <= EXACT_MEAN:
        return f"their mean is 0: {either}"
    if not abs(stats.mean) <= MAX_MEAN * stats.peak or not low / 2 < high < 2 * low:
        return ""
    if not 0.45 * stats.finite < stats.negative < 0.55 * stats.finite:
        return ""
    if stats.peak <= MAX_STANDARDISED:
        return f"as many values are below 0 as above: {either}"
    return "as many values are below 0 as above: one part of complex values (imag names the imaginary parts)"


def _words(recipe: dict[str, Any]) -> str:
    """Return the figures of a recipe as YAML has them."""
    return f"{{{', '.join(f'{name}: {value}' for name, value in recipe.items())}}}"


def note_unknown(notes: Notes) -> None:
    """Note an array of several axes about which nothing can be told."""
    notes.add("kind", UNKNOWN, "unknown", "no axis has a telling length")
    notes.add("axes", UNKNOWN, "unknown", "the axes cannot be told apart")
    notes.options |= {"kind": UNKNOWN, "sample_rate": UNKNOWN, "n_fft": UNKNOWN, "hop_length": UNKNOWN}


def _note_grid(
    notes: Notes,
    axis: int,
    kind: str,
    reason: str = "",
    *,
    n_fft: int = 0,
    extra: dict[int, str] | None = None,
    sure: bool = True,
    name: str = "bin",
) -> None:
    """Note the axes and the n_fft of a spectrogram.

    Parameters
    ----------
    notes
        Notes that get the findings.
    axis
        Axis of the bins.
    kind
        Kind of the array, for the options.
    reason
        Reason for the axes, if there is one beside their lengths.
    n_fft
        n_fft in samples; 0 for that of an even one.
    extra
        Names of further axes that are known.
    sure
        Whether the kind is likely, not only possible.
    name
        Name of the axis of the bins.
    """
    names = notes.axis_names(axis, name, extra)
    count = notes.shape[axis]
    n_fft = n_fft or 2 * (count - 1)
    rivals = [n for other, n in enumerate(notes.shape) if other != axis and 2 * (n - 1) in USUAL_N_FFTS]
    alone = UNKNOWN not in names and "batch" not in names
    confidence: Confidence = "likely" if sure and alone and (reason or not rivals) else "possible"
    doubt = f"; the smoother of {' and '.join(map(str, (count, *rivals)))}" if rivals and not reason else ""
    notes.add("axes", f"[{', '.join(names)}]", confidence, reason or f"{count} is n_fft / 2 + 1 of {n_fft}{doubt}")
    odd = "; or the highest was left out" if n_fft % 2 and count < n_fft else ""
    sure = confidence == "likely" and not odd
    what = f"{count} bins{odd}" if name == "bin" else f"{count} values of {count // 2} bins"
    notes.add("n_fft", str(n_fft), "likely" if sure else "possible", what)
    notes.add("hop_length", UNKNOWN, "unknown", f"frames do not show it; often {max(n_fft // 4, 1)}")
    notes.options |= {"kind": kind, "axes": names, "sample_rate": UNKNOWN, "n_fft": n_fft, "hop_length": UNKNOWN}
