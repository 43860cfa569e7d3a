"""Findings about mel spectrograms, and about the dialect that one may be in."""

from __future__ import annotations

from msgspec import Struct

from tonearm.errors import OptionError
from tonearm.findings.claim import Claim
from tonearm.findings.notes import MAX_CHOICES, UNKNOWN, Notes
from tonearm.recipes.doubts import MAX_STANDARDISED, exact_match, is_floor
from tonearm.recipes.mel.dialect import MelDialect
from tonearm.recipes.recipe import matching

MIN_CORRELATION = 0.5
"""Least correlation of neighbouring bands; latents, which have the shape of a mel, have hardly any."""

_UNLIMITED = "{{base: {}, steps: []}}"
"""Figures of a dialect without its steps."""

MEL_NEEDS = "a mel needs a dialect instead"
"""Note beside the kind of an array that may be a mel spectrogram, where other kinds need a grid."""


class DialectMatch(Struct, frozen=True):
    """A dialect that matches the shape and the range of an array.

    Parameters
    ----------
    rank
        Strength of the match: 0 if values have exactly its floor or span, 1 if the last frames are masked as in this
        dialect, 2 if only shape and range match.
    name
        Name of the dialect.
    reason
        Reason for the rank.
    bands
        Number of its mel bands.
    """

    rank: int
    name: str
    reason: str
    bands: int


def claim(notes: Notes) -> Claim | None:
    """Return the claim that an array is a mel spectrogram; None if it is in no dialect."""
    matches = matching_dialects(notes)
    if not matches:
        return None
    bands = ", ".join(sorted({str(match.bands) for match in matches}, key=int))
    return Claim(
        strong=matches[0].rank == 0,
        rival=f"a mel of {bands} bands would have this shape too",
        note=lambda notes, rival: note_mel(notes, matches, rival),
    )


def matching_dialects(notes: Notes) -> list[DialectMatch]:
    """Return the dialects that match the shape and the range of an array, the strongest match first."""
    sizes = [n for axis, n in enumerate(notes.shape) if not notes.resembles_batch(axis)]
    low, high = notes.statistics.low, notes.statistics.high
    names = matching(notes.catalogue(MelDialect), sizes, low, high) or _without_limits(notes, sizes, low, high)
    matches = sorted((_match(notes, name) for name in names), key=lambda match: match.rank)
    same = [match for match in matches if _find(notes, match.name).sample_rate == notes.sample_rate]
    return same or matches


def _without_limits(notes: Notes, sizes: list[int], low: float, high: float) -> list[str]:
    """Return dialects without their limit below the maximum, in whose range values are, as ``{base: NAME, steps: []}``.

    Only those whose floor values have are named: without the limit, ranges are wide.
    """
    return [
        _UNLIMITED.format(name)
        for name, dialect in notes.catalogue(MelDialect).usable()
        if dialect.row_count in sizes
        and dialect.reference != "max"
        and [step.op for step in dialect.steps] == ["below-max"]
        if is_floor(dialect.replace(steps=()), low) and not dialect.replace(steps=()).contradiction(low, high)
    ]


def _find(notes: Notes, name: str) -> MelDialect:
    """Return the dialect of a name, or of a name without its steps."""
    catalogue = notes.catalogue(MelDialect)
    before, after = _UNLIMITED.format("|").split("|")
    bare = name.removeprefix(before).removesuffix(after)
    dialect: MelDialect = catalogue.find(bare)
    return dialect if bare == name else dialect.replace(steps=())


def _match(notes: Notes, name: str) -> DialectMatch:
    dialect = _find(notes, name)
    stats = notes.statistics
    rank, reason = 2, "shape and range match"
    if dialect.last_frame == "mask" and any(stats.trailing_zeros):
        rank, reason = 1, "the last frames are 0, as this dialect masks them"
    elif exact := exact_match(dialect, stats.low, stats.high, stats.low_count):
        rank, reason = 0, exact
    return DialectMatch(rank, name, reason, dialect.n_mels)


def note_mel(notes: Notes, matches: list[DialectMatch], rival: int | None) -> None:
    """Note a mel spectrogram.

    Parameters
    ----------
    notes
        Notes that get the findings.
    matches
        Dialects that match; at least one.
    rival
        Axis that may be the bins of a linear spectrogram; None if there is none.
    """
    best = matches[0].rank
    bands = {match.bands for match in matches if match.rank == best}
    axes = [axis for axis, n in enumerate(notes.shape) if n in bands]
    axis = notes.smoothest(axes)
    strongest = [match for match in matches if match.rank == best and match.bands == notes.shape[axis]]
    names = [match.name for match in strongest]
    count = f"{len(names)} dialects have" if len(names) > 1 else "one dialect has"
    doubt = _doubt(notes, axis, rival if best else None)
    reason = f"{notes.shape[axis]} bands, and a range that {count}"
    if doubt:
        notes.add("kind", "mel", "possible", f"{reason}; but {doubt}")
    else:
        notes.add("kind", "mel", "likely", reason)
    axis_names = notes.axis_names(axis, "mel")
    alone = len(axes) == 1 and not doubt and UNKNOWN not in axis_names and "batch" not in axis_names
    reason = "the only axis with a dialect's number of bands" if len(axes) == 1 else "the smoother of two axes"
    notes.add("axes", f"[{', '.join(axis_names)}]", "likely" if alone else "possible", reason)
    _note_dialects(notes, matches, strongest, sure=best == 0 and not doubt)
    notes.options |= {"kind": "mel", "axes": axis_names, "dialect": UNKNOWN}


def _doubt(notes: Notes, axis: int, rival: int | None) -> str:
    """Return a reason to doubt that an array is a mel spectrogram; empty if there is none."""
    if "int" in notes.statistics.dtype:
        return f"{notes.statistics.dtype} is a type for images and token numbers rather than for mels"
    if rival is not None and rival != axis:
        return f"{notes.shape[rival]} would be the bins of n_fft {2 * (notes.shape[rival] - 1)}, too"
    if notes.statistics.constant:
        return "all values are the same"
    frames = [other for other in range(len(notes.shape)) if other != axis and notes.shape[other] > 1]
    if notes.correlation(axis) < MIN_CORRELATION or not frames:
        return "neighbouring bands have little in common, as in latents"
    return ""


def _standardised(notes: Notes, bands: int) -> list[str]:
    """Return the dialects with standardised values and this number of bands, if values may be standardised."""
    if notes.statistics.peak > MAX_STANDARDISED:
        return []
    found = []
    for name in notes.catalogue(MelDialect):
        try:
            dialect = notes.catalogue(MelDialect).find(name)
        except OptionError:
            continue
        if dialect.standardised and dialect.n_mels == bands and not notes.catalogue(MelDialect).entry(name).alias:
            found.append(name)
    return found


def _note_dialects(notes: Notes, matches: list[DialectMatch], strongest: list[DialectMatch], *, sure: bool) -> None:
    """Note the dialects, and how the first two of the strongest matches differ."""
    names = [match.name for match in strongest]
    notes.add("dialect", _listed(names), "likely" if sure else "possible", strongest[0].reason)
    notes.choices["dialect"] = [match.name for match in matches]
    if others := [match.name for match in matches if match not in strongest]:
        notes.add("dialect", _listed(others), "possible", "shape and range match, but nothing else")
    if strongest[0].rank and (standardised := _standardised(notes, strongest[0].bands)):
        reason = "values may be standardised, which needs their mean and deviation to undo"
        notes.add("dialect", ", ".join(standardised[:MAX_CHOICES]), "possible", reason)
    rates = sorted({_find(notes, name).sample_rate for name in names})
    if notes.sample_rate is None:
        notes.add("sample_rate", " or ".join(map(str, rates)), "possible", "comes with the dialect")
    if len(names) > 1:
        first, second = (_find(notes, name) for name in names[:2])
        differs = "; ".join(first.differences(second)[:3]) or "little"
        reason = f"the values do not show the difference: {names[1]} has {differs} of {names[0]}"
        notes.add("dialect", UNKNOWN, "unknown", reason)


def _listed(names: list[str]) -> str:
    """Return names as a list in words, cut to a readable length."""
    more = f", and {len(names) - MAX_CHOICES} more" if len(names) > MAX_CHOICES else ""
    return ", ".join(names[:MAX_CHOICES]) + more
