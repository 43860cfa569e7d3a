"""The only item of a source, where several could not be told apart: looked for before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tonearm.errors import ItemError
from tonearm.pipeline.outcome import Outcome


def only_item(outcomes: Iterator[Outcome], several: Callable[[Outcome, Outcome], ItemError]) -> Outcome:
    """Return the outcome of the only item of a source.

    Parameters
    ----------
    outcomes
        Outcomes of the items.
    several
        Function that returns the error for two items.

    Raises
    ------
    TonearmError
        If an item has failed, or there is none, or there are several.
    """
    found: list[Outcome] = []
    for outcome in outcomes:
        if outcome.error is not None or outcome.item is None:
            raise outcome.error or ItemError("there is nothing to write", code="empty")
        found.append(outcome)
        if len(found) > 1:
            raise several(*found)
    if not found:
        raise ItemError("there is nothing to write", code="empty")
    return found[0]
