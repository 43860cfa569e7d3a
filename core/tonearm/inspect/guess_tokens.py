"""Guesses for codec tokens: whole numbers whose shape and range a layout has."""

from __future__ import annotations

from tonearm.findings.notes import MAX_CHOICES, UNKNOWN, Notes
from tonearm.findings.tokens import LayoutMatch, can_be_codes, matching_layouts
from tonearm.recipes.tokens.layout import TokenLayout

SHORT_TYPES = ("int8", "uint8")
"""Types that samples and images have, and that are too short for the codes of a codebook."""


def may_be_tokens(notes: Notes) -> bool:
    """Return whether the values of an array can be tokens."""
    stats = notes.statistics
    return stats.dtype not in SHORT_TYPES and can_be_codes(stats.low, stats.high, whole=stats.whole)


def note_tokens(notes: Notes) -> bool:
    """Note codec tokens in the layouts that have the array's shape and range; return whether there is one."""
    if not may_be_tokens(notes):
        return False
    stats = notes.statistics
    catalogue = notes.catalogue(TokenLayout)
    matches = matching_layouts(catalogue, stats.shape, stats.low, stats.high, notes.sample_rate)
    if not matches:
        return False
    best = [match for match in matches if match.rank == matches[0].rank]
    sure = matches[0].rank == 0 and "int" in stats.dtype
    notes.add("kind", "tokens", "likely" if sure else "possible", f"whole numbers: {best[0].reason}")
    notes.add("layout", _listed(best), "likely" if sure and len(best) == 1 else "possible", "its shape and range fit")
    if others := matches[len(best) :]:
        notes.add("layout", _listed(others), "possible", "shape and range are possible, but fit less well")
    if len(best) > 1:
        notes.add("layout", UNKNOWN, "unknown", "the values do not show which model wrote them")
    if len(notes.shape) == 1:
        notes.add("kind", "waveform", "possible", "a single axis longer than 1; but no value is below 0")
    _note_rates(notes, [catalogue.find(match.name) for match in best])
    notes.options |= {"kind": "tokens", "layout": best[0].name if len(best) == 1 else UNKNOWN}
    notes.choices["layout"] = [match.name for match in matches]
    return True


def note_unknown_tokens(notes: Notes) -> None:
    """Note that an array of no known layout may hold tokens all the same."""
    if may_be_tokens(notes):
        reason = f"whole numbers from {notes.statistics.low:.0f} to {notes.statistics.high:.0f}, but of no known layout"
        notes.add("kind", "tokens", "possible", f"{reason}; a layout can be spelled out")


def _note_rates(notes: Notes, layouts: list[TokenLayout]) -> None:
    """Note the sample rates that come with layouts."""
    rates = sorted({layout.sample_rate for layout in layouts if layout.sample_rate})
    if notes.sample_rate is None and rates:
        notes.add("sample_rate", " or ".join(map(str, rates)), "possible", "comes with the layout")


def _listed(matches: list[LayoutMatch]) -> str:
    """Return names as a list in words, cut to a readable length."""
    more = f", and {len(matches) - MAX_CHOICES} more" if len(matches) > MAX_CHOICES else ""
    return ", ".join(match.name for match in matches[:MAX_CHOICES]) + more
