"""Trials of remedies: one that does not help with the data or the pipeline at hand is never shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tonearm.errors import ChooseOption, InsertStep, Remedy, RemoveOption, SetLimit, SetOption

Applicable: TypeAlias = SetOption | RemoveOption | InsertStep | SetLimit
"""Remedy that can be tried, because it says all that is to be changed."""

ASKING = frozenset(
    [
        "missing-option",
        "missing-key",
        "no-dialect",
        "ambiguous-axes",
        "unknown-scale",
        "several-arrays",
        "unclear-model",
    ]
)
"""Codes of problems that ask for something more: what leads to one of them contradicts nothing."""

MAX_TRIALS = 100
"""Number of trials for one error or one pipeline; what is left then is shown untried."""


class Trial(Struct):
    """Tries the remedies of one error or pipeline.

    Parameters
    ----------
    helps
        Function that returns whether a remedy helps.
    left
        Number of trials that may follow.
    """

    helps: Callable[[Applicable], bool]
    left: int = MAX_TRIALS

    def kept(self, remedies: tuple[Remedy, ...]) -> tuple[Remedy, ...]:
        """Return the remedies that help, and those that cannot be tried."""
        return tuple(self._kept(remedies))

    def _kept(self, remedies: tuple[Remedy, ...]) -> Iterator[Remedy]:
        for remedy in remedies:
            if isinstance(remedy, ChooseOption):
                yield from self._chosen(remedy)
            elif not isinstance(remedy, Applicable) or self._helps(remedy):
                yield remedy

    def _chosen(self, remedy: ChooseOption) -> Iterator[Remedy]:
        """Yield the choice among the values that help; one that is left alone is no choice."""
        values = tuple(value for value in remedy.values if self._helps(SetOption(remedy.option, value)))
        if len(values) == 1:
            yield SetOption(remedy.option, values[0], when=remedy.when)
        elif values:
            yield replace(remedy, values=values)

    def _helps(self, remedy: Applicable) -> bool:
        if not self.left:
            return True
        self.left -= 1
        return self.helps(remedy)
