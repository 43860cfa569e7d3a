"""Text in which a language model wrote codec tokens as marks, and the layouts that know them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tonearm.errors import one_line
from tonearm.findings.notes import MAX_CHOICES, UNKNOWN, Finding
from tonearm.inspect.guess import Guess
from tonearm.recipes.catalogue import Catalogue
from tonearm.recipes.tokens.layout import TokenLayout

MOST_BYTES: Final = 1 << 20
"""Number of bytes at the start of a file that are searched for marks."""

FEW: Final = 3
"""Smallest number of marks that are not a coincidence."""


class MarkedLayout(Struct, frozen=True):
    """A layout whose marks a text has.

    Parameters
    ----------
    name
        Name of the layout.
    count
        Number of marks.
    first
        First mark.
    sample_rate
        Sample rate of the codec; None if the layout does not tell it.
    """

    name: str
    count: int
    first: str
    sample_rate: int | None


def marked_layouts(text: str, catalogue: Catalogue[TokenLayout]) -> list[MarkedLayout]:
    """Return the layouts whose marks a text has, those with most marks first."""
    found = [one for name, layout in catalogue.usable() if (one := _marked(text, name, layout)) is not None]
    return sorted(found, key=lambda one: -one.count)


def _marked(text: str, name: str, layout: TokenLayout) -> MarkedLayout | None:
    if not layout.patterns:
        return None
    marks = [list(_marks(text, pattern)) for pattern in layout.patterns]
    count = sum(map(len, marks))
    if count < FEW or not all(marks):
        return None
    return MarkedLayout(name, count, marks[0][0], layout.sample_rate)


def _marks(text: str, pattern: str) -> Iterator[str]:
    return (found.group() for found in re.finditer(pattern, text))


def guess_of_text(found: list[MarkedLayout]) -> Guess:
    """Return the guess for text with marks.

    Parameters
    ----------
    found
        Layouts whose marks it has; at least one.
    """
    best = [one for one in found if one.count == found[0].count]
    names = [one.name for one in best]
    shown = ", ".join(names[:MAX_CHOICES])
    findings = [
        Finding("kind", "tokens", "likely", f"{best[0].count:,} marks such as {one_line(best[0].first, 60)}"),
        Finding("layout", shown, "likely" if len(best) == 1 else "possible", "its pattern finds these marks"),
    ]
    rates = sorted({one.sample_rate for one in best if one.sample_rate})
    rate = " or ".join(map(str, rates)) or UNKNOWN
    findings.append(Finding("sample_rate", rate, "possible" if rates else "unknown", "comes with the layout"))
    options = {"layout": names[0] if len(names) == 1 else UNKNOWN}
    return Guess(tuple(findings), options, {"layout": names})
