"""Arrays that seem to be mel spectrograms, and the dialects that they may be in."""

from __future__ import annotations

import math

from msgspec import Struct

from tonearm.errors import OptionError
from tonearm.inspect.guess_waveform import resembles_batch
from tonearm.inspect.notes import UNKNOWN, Notes

MAX_DIALECTS = 8  # dialects that are named
MIN_CORRELATION = 0.5
"""Likeness of neighbouring bands; those of latents, which have the shape of a mel, have hardly any."""

MAX_STANDARDISED = 8.0
"""Standard deviations beyond which hardly a value lies."""


class DialectMatch(Struct, frozen=True):
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


def matching_dialects(notes: Notes) -> list[DialectMatch]:
    """Return the dialects that values and shape may be in, the most telling first."""
    sizes = [n for axis, n in enumerate(notes.shape) if not resembles_batch(notes, axis)]
    names = notes.catalogue.matching(sizes, notes.statistics.low, notes.statistics.high)
    matches = sorted((_match(notes, name) for name in names), key=lambda match: match.rank)
    same = [match for match in matches if notes.catalogue.find(match.name).sample_rate == notes.sample_rate]
    return same or matches


def _match(notes: Notes, name: str) -> DialectMatch:
    dialect = notes.catalogue.find(name)
    stats, limits = notes.statistics, dialect.range
    close = 1e-5 * (1 + abs(limits.low))
    rank, reason = 2, "shape and range match"
    if dialect.last_frame == "mask" and any(stats.trailing_zeros):
        rank, reason = 1, "its last frames are 0, as this one masks them"
    elif stats.constant:
        pass
    elif stats.low_count >= 3 and math.isfinite(limits.low) and abs(stats.low - limits.low) <= close:
        rank, reason = 0, f"{stats.low_count:,} values are exactly its floor {limits.low:.6g}"
    elif (
        stats.low_count >= 3 and limits.span < 1e30 and abs(stats.high - stats.low - limits.span) <= 1e-4 * limits.span
    ):
        rank, reason = 0, f"values span exactly {limits.span:.6g}, with {stats.low_count:,} at the least one"
    return DialectMatch(rank, name, reason, dialect.n_mels)


def note_mel(notes: Notes, matches: list[DialectMatch], rival: int | None) -> None:
    """Note a mel spectrogram.

    Parameters
    ----------
    notes
        Takes it.
    matches
        The dialects, at least one.
    rival
        An axis that may be bins.
    """
    best = matches[0].rank
    bands = {match.bands for match in matches if match.rank == best}
    axes = [axis for axis, n in enumerate(notes.shape) if n in bands]
    axis = notes.smoothest(axes)
    told = [match for match in matches if match.rank == best and match.bands == notes.shape[axis]]
    named = [match.name for match in told]
    count = f"{len(named)} dialects have" if len(named) > 1 else "one dialect has"
    doubt = _doubt(notes, axis, rival if best else None)
    reason = f"{notes.shape[axis]} bands, and a range that {count}"
    if doubt:
        notes.add("kind", "mel", "possible", f"{reason}; but {doubt}")
    else:
        notes.add("kind", "mel", "likely", reason)
    names = notes.axis_names(axis, "mel")
    alone = len(axes) == 1 and not doubt and UNKNOWN not in names and "batch" not in names
    reason = "the only axis with a dialect's number of bands" if len(axes) == 1 else "the smoother of two axes"
    notes.add("axes", f"[{', '.join(names)}]", "likely" if alone else "possible", reason)
    _note_dialects(notes, matches, told, best, doubt)
    notes.options |= {"kind": "mel", "axes": names, "dialect": UNKNOWN}


def _doubt(notes: Notes, axis: int, rival: int | None) -> str:
    """Return why it may be no mel; an empty text if nothing speaks against it."""
    if "int" in notes.statistics.dtype:
        return f"{notes.statistics.dtype} is a type of pictures and token numbers rather than of mels"
    if rival is not None and rival != axis:
        return f"{notes.shape[rival]} would be the bins of n_fft {2 * (notes.shape[rival] - 1)}, too"
    if notes.statistics.constant:
        return "nothing is in it"
    frames = [other for other in range(len(notes.shape)) if other != axis and notes.shape[other] > 1]
    if notes.correlation(axis) < MIN_CORRELATION or not frames:
        return "neighbouring bands have little in common, as in latents"
    return ""


def _standardised(notes: Notes, bands: int) -> list[str]:
    """Return the dialects of so many bands whose values are standardised, if these may be."""
    if notes.statistics.peak > MAX_STANDARDISED:
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


def _note_dialects(notes: Notes, matches: list[DialectMatch], told: list[DialectMatch], best: int, doubt: str) -> None:
    named = [match.name for match in told]
    more = f", and {len(named) - MAX_DIALECTS} more" if len(named) > MAX_DIALECTS else ""
    sure = best == 0 and not doubt
    notes.add("dialect", ", ".join(named[:MAX_DIALECTS]) + more, "likely" if sure else "possible", told[0].reason)
    notes.dialects = [match.name for match in matches]
    if others := [match.name for match in matches if match not in told]:
        more = f", and {len(others) - MAX_DIALECTS} more" if len(others) > MAX_DIALECTS else ""
        reason = "shape and range match, with less to show for it"
        notes.add("dialect", ", ".join(others[:MAX_DIALECTS]) + more, "possible", reason)
    if best and (standardised := _standardised(notes, told[0].bands)):
        reason = "standardised values do not show what they were, and need their statistics"
        notes.add("dialect", ", ".join(standardised[:MAX_DIALECTS]), "possible", reason)
    rates = sorted({notes.catalogue.find(name).sample_rate for name in named})
    if notes.sample_rate is None:
        notes.add("sample_rate", " or ".join(map(str, rates)), "possible", "comes with the dialect")
    if len(named) > 1:
        first, second = (notes.catalogue.find(name) for name in named[:2])
        differs = "; ".join(first.differences(second)[:3]) or "little"
        reason = f"what tells them apart is not in the values: {named[1]} has {differs} of {named[0]}"
        notes.add("dialect", UNKNOWN, "unknown", reason)
