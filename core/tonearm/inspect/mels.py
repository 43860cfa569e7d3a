"""Arrays that seem to be mel spectrograms, and the dialects that they may be in."""

from __future__ import annotations

import math

from msgspec import Struct

from tonearm.errors import OptionError
from tonearm.inspect.notes import UNKNOWN, Notes
from tonearm.inspect.waves import is_batch

SHOWN = 8  # dialects that are named
ALIKE = 0.5
"""Likeness of neighbouring bands; those of latents, which have the shape of a mel, have hardly any."""

STANDARD = 8.0
"""Standard deviations beyond which hardly a value lies."""


class Fit(Struct, frozen=True):
    """A dialect that values and shape may be in.

    Parameters
    ----------
    rank
        How little gives it away: 0 is its floor or span exactly, 1 its masked end, 2 nothing.
    name
        Of the dialect.
    reason
        What gives it away.
    bands
        How many it has.
    """

    rank: int
    name: str
    reason: str
    bands: int


def fitting(notes: Notes) -> list[Fit]:
    """Return the dialects that values and shape may be in, the most telling first."""
    sizes = [n for axis, n in enumerate(notes.shape) if not is_batch(notes, axis)]
    names = notes.catalogue.matching(sizes, notes.seen.low, notes.seen.high)
    fits = sorted((_fit(notes, name) for name in names), key=lambda fit: fit.rank)
    same = [fit for fit in fits if notes.catalogue.find(fit.name).sample_rate == notes.sample_rate]
    return same or fits


def _fit(notes: Notes, name: str) -> Fit:
    dialect = notes.catalogue.find(name)
    seen, limits = notes.seen, dialect.range
    close = 1e-5 * (1 + abs(limits.low))
    rank, reason = 2, "shape and range fit"
    if dialect.last_frame == "mask" and any(seen.zero_end):
        rank, reason = 1, "its last frames are 0, as this one masks them"
    elif seen.constant:
        pass
    elif seen.at_low >= 3 and math.isfinite(limits.low) and abs(seen.low - limits.low) <= close:
        rank, reason = 0, f"{seen.at_low:,} values are exactly its floor {limits.low:.6g}"
    elif seen.at_low >= 3 and limits.span < 1e30 and abs(seen.high - seen.low - limits.span) <= 1e-4 * limits.span:
        rank, reason = 0, f"values span exactly {limits.span:.6g}, with {seen.at_low:,} at the least one"
    return Fit(rank, name, reason, dialect.n_mels)


def mel(notes: Notes, fits: list[Fit], rival: int | None) -> None:
    """Note a mel spectrogram.

    Parameters
    ----------
    notes
        Takes it.
    fits
        The dialects, at least one.
    rival
        An axis that may be bins.
    """
    best = fits[0].rank
    bands = {fit.bands for fit in fits if fit.rank == best}
    axes = [axis for axis, n in enumerate(notes.shape) if n in bands]
    axis = notes.smoother(axes)
    told = [fit for fit in fits if fit.rank == best and fit.bands == notes.shape[axis]]
    named = [fit.name for fit in told]
    count = f"{len(named)} dialects have" if len(named) > 1 else "one dialect has"
    doubt = _doubt(notes, axis, rival if best else None)
    reason = f"{notes.shape[axis]} bands, and a range that {count}"
    if doubt:
        notes.add("kind", "mel", "possible", f"{reason}; but {doubt}")
    else:
        notes.add("kind", "mel", "likely", reason)
    names = notes.named(axis, "mel")
    alone = len(axes) == 1 and not doubt and UNKNOWN not in names and "batch" not in names
    reason = "the only axis with a dialect's number of bands" if len(axes) == 1 else "the smoother of two axes"
    notes.add("axes", f"[{', '.join(names)}]", "likely" if alone else "possible", reason)
    _dialects(notes, fits, told, best, doubt)
    notes.options |= {"kind": "mel", "axes": names, "dialect": UNKNOWN}


def _doubt(notes: Notes, axis: int, rival: int | None) -> str:
    """Return why it may be no mel; an empty text if nothing speaks against it."""
    if "int" in notes.seen.dtype:
        return f"{notes.seen.dtype} is a type of pictures and token numbers rather than of mels"
    if rival is not None and rival != axis:
        return f"{notes.shape[rival]} would be the bins of n_fft {2 * (notes.shape[rival] - 1)}, too"
    if notes.seen.constant:
        return "nothing is in it"
    frames = [other for other in range(len(notes.shape)) if other != axis and notes.shape[other] > 1]
    if notes.likeness(axis) < ALIKE or not frames:
        return "neighbouring bands have little in common, as in latents"
    return ""


def _standardised(notes: Notes, bands: int) -> list[str]:
    """Return the dialects of so many bands whose values are standardised, if these may be."""
    if notes.seen.peak > STANDARD:
        return []
    found = []
    for name in notes.catalogue:
        try:
            dialect = notes.catalogue.find(name)
        except OptionError:
            continue
        if dialect.standardised and dialect.n_mels == bands and not notes.catalogue.entry(name).alias:
            found.append(name)
    return found


def _dialects(notes: Notes, fits: list[Fit], told: list[Fit], best: int, doubt: str) -> None:
    named = [fit.name for fit in told]
    more = f", and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    sure = best == 0 and not doubt
    notes.add("dialect", ", ".join(named[:SHOWN]) + more, "likely" if sure else "possible", told[0].reason)
    notes.dialects = [fit.name for fit in fits]
    if others := [fit.name for fit in fits if fit not in told]:
        more = f", and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        reason = "shape and range fit, with less to show for it"
        notes.add("dialect", ", ".join(others[:SHOWN]) + more, "possible", reason)
    if best and (standardised := _standardised(notes, told[0].bands)):
        reason = "standardised values do not show what they were, and need their statistics"
        notes.add("dialect", ", ".join(standardised[:SHOWN]), "possible", reason)
    rates = sorted({notes.catalogue.find(name).sample_rate for name in named})
    if notes.sample_rate is None:
        notes.add("sample_rate", " or ".join(map(str, rates)), "possible", "comes with the dialect")
    if len(named) > 1:
        first, second = (notes.catalogue.find(name) for name in named[:2])
        differs = "; ".join(first.differences(second)[:3]) or "little"
        reason = f"what tells them apart is not in the values: {named[1]} has {differs} of {named[0]}"
        notes.add("dialect", UNKNOWN, "unknown", reason)
