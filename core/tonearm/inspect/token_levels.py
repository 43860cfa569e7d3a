"""Levels of codec tokens: arrays of one file whose lengths have the ratio of a layout's levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from tonearm.findings.notes import UNKNOWN, Finding
from tonearm.inspect.guess import Guess
from tonearm.plugins.registry import Registry
from tonearm.recipes.catalogue import Catalogue
from tonearm.recipes.tokens.layout import TokenLayout

if TYPE_CHECKING:
    from tonearm.inspect.files import Inspection

_TOLD = ("kind", "layout", "sample_rate")


def with_levels(found: Sequence[Inspection], registry: Registry) -> list[Inspection]:
    """Return the inspections of a file, in which arrays that can be levels of one signal are guessed to be these.

    Each of them alone looks like codes of a single book.

    Parameters
    ----------
    found
        Inspections of the arrays of a file.
    registry
        Registry of the layouts.
    """
    guesses = [one.guess for one in found if one.guess is not None and one.guess.value("kind") == "tokens"]
    if len(found) < 2 or len(guesses) < len(found) or len({one.shape[:-1] for one in found}) > 1:
        return list(found)
    known = registry.catalogue(TokenLayout)
    shared = set.intersection(*(set(guess.choices.get("layout", ())) for guess in guesses))
    names = sorted(name for name in shared if _has_levels(known.find(name), [one.shape[-1] for one in found]))
    if not names:
        return list(found)
    findings = _findings(known, names)
    options = {"kind": "tokens", "layout": names[0] if len(names) == 1 else UNKNOWN}
    return [
        msgspec.structs.replace(
            one,
            guess=Guess(
                (*(finding for finding in guess.findings if finding.what not in _TOLD), *findings),
                options,
                {"layout": names},
            ),
        )
        for one, guess in zip(found, guesses, strict=True)
    ]


def _has_levels(layout: TokenLayout, lengths: Sequence[int]) -> bool:
    """Return whether a layout has levels of these lengths."""
    return layout.ragged and [lengths[0] * layout.strides[0] // stride for stride in layout.strides] == lengths


def _findings(known: Catalogue[TokenLayout], names: Sequence[str]) -> list[Finding]:
    """Return the findings about arrays that are levels in one of some layouts."""
    strides = known.find(names[0]).strides
    ratio = ":".join(str(strides[0] // stride) for stride in strides)
    rates = sorted({str(rate) for name in names if (rate := known.find(name).sample_rate)})
    found = [
        Finding("kind", "tokens", "likely", f"whole numbers: {len(strides)} levels, whose lengths are {ratio}"),
        Finding("layout", ", ".join(names), "likely" if len(names) == 1 else "possible", "levels and range fit"),
    ]
    if len(names) > 1:
        found.append(Finding("layout", UNKNOWN, "unknown", "the values do not show which model wrote them"))
    if rates:
        found.append(Finding("sample_rate", " or ".join(rates), "possible", "comes with the layout"))
    return found
