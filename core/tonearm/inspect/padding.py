"""The padding of batches: true lengths in a second array, or positions at the end that hold exact zeros."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tonearm.arrays.stated_lengths import MAX_ELEMENTS
from tonearm.findings.mapped_files import copy_mapped
from tonearm.findings.notes import UNKNOWN, Finding
from tonearm.inspect.guess import Guess

if TYPE_CHECKING:
    from tonearm.typing import Array

BLOCK = 4096
"""Number of positions at an end that are examined at once."""

MIN_PADDING = 0.02
"""Least part of an axis that the shortest element of a padded batch leaves empty; channels may end in silence, too."""


def with_padding(guess: Guess, array: Array, lengths: Mapping[str, Array]) -> Guess:
    """Return a guess with the axis of the batch, if its elements are padded, and with the lengths that fit.

    Parameters
    ----------
    guess
        Guess of what an array holds.
    array
        Array.
    lengths
        Arrays of the same file that may hold true lengths, by name.
    """
    axes = list(guess.options.get("axes", ()))
    shape = [size for size in array.shape if size > 1]
    along = next((name for name in ("time", "frame") if name in axes), None)
    if along is None or len(axes) != len(shape):
        return guess
    end, total = axes.index(along), shape[axes.index(along)]
    for axis, name in enumerate(axes):
        if name not in (UNKNOWN, "batch") or shape[axis] > MAX_ELEMENTS:
            continue
        ends = _true_ends(array.squeeze(), axis, end)
        fitting = {key: [int(n) for n in one.flat] for key, one in lengths.items() if one.size == shape[axis]}
        fitting = {key: found for key, found in fitting.items() if max(found) <= total}
        exact = [key for key, found in fitting.items() if all(a <= b for a, b in zip(ends, found, strict=True))]
        for key in (*exact, *(key for key in fitting if max(fitting[key]) == total)):
            least, most = min(fitting[key]), max(fitting[key])
            zeros = ", and what follows is exactly 0" if key in exact and min(ends) < total else ""
            unit = "samples" if along == "time" else "frames"
            reason = f"{shape[axis]} lengths from {least:,} to {most:,} {unit}{zeros}"
            return _with_batch(guess, axes, axis, Finding("lengths", key, "likely", reason), lengths=key)
        if min(ends) <= (1 - MIN_PADDING) * total and max(ends) > (1 - MIN_PADDING) * total:
            least, most = total - max(ends), total - min(ends)
            reason = f"its {shape[axis]} elements end in {least:,} to {most:,} exact zeros; {_advice(along)}"
            return _with_batch(guess, axes, axis, Finding("padding", "zeros", "likely", reason))
    return guess


def _advice(along: str) -> str:
    """Return what to do about padding whose lengths are in no array."""
    if along == "time":
        return "trim cuts them off, or save the true lengths beside it and name them: lengths"
    return "they would sound: save the true lengths beside it, and name them: lengths"


def _with_batch(guess: Guess, axes: list[Any], axis: int, finding: Finding, **options: Any) -> Guess:
    """Return a guess with a named batch axis and another finding; the other unknown axis is a channel."""
    named = ["channel" if name in (UNKNOWN, "batch") else name for name in axes]
    named[axis] = "batch"
    reason = "the elements of a batch have lengths of their own, and channels have not"
    axes_finding = Finding("axes", f"[{', '.join(named)}]", "likely", reason)
    findings = [axes_finding if one.what == "axes" else one for one in guess.findings]
    place = next((place + 1 for place, one in enumerate(findings) if one.what == "axes"), len(findings))
    findings.insert(place, finding)
    return Guess(tuple(findings), {**guess.options, "axes": named, **options}, guess.choices)


def _true_ends(array: Array, batch: int, along: int) -> list[int]:
    """Return for each element of a batch how many positions there are up to the last one that is not exactly 0."""
    import numpy as np

    moved = np.moveaxis(array, (batch, along), (0, -1))
    ends = []
    for element in moved:
        end = element.shape[-1]
        while end > 0:
            block = copy_mapped(element[..., max(0, end - BLOCK) : end])
            sounding = np.flatnonzero(block.reshape(-1, block.shape[-1]).any(axis=0))
            if sounding.size:
                end = max(0, end - BLOCK) + int(sounding[-1]) + 1
                break
            end = max(0, end - BLOCK)
        ends.append(end)
    return ends
