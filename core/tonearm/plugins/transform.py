"""The transforms: one signal into another, or the items of a source into others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Generic, Literal

from tonearm.plugins.context import Context
from tonearm.plugins.item import Item
from tonearm.plugins.plugin import In, Opts, Out, Plugin
from tonearm.plugins.ports import Spec, ports_of

Grouping = Literal["source", "key", "item"]


class Transform(Plugin[Opts], Generic[In, Out, Opts]):
    """Turns one signal into another."""

    role = "transform"
    port_names = ("takes", "gives", "options")

    @abstractmethod
    def apply(self, signal: In, context: Context) -> Out:
        """Return the new signal; the given one stays as it is."""

    def produces(self, spec: Spec) -> Spec:
        """Return what is known of the result, from what is known of the input.

        The same but for the port's class, unless a plugin knows better. Raise `OptionError` if options and input do not
        fit one another.
        """
        return spec.but(signals=ports_of(type(self)).gives)


class Regroup(Plugin[Opts], Generic[In, Out, Opts]):
    """Turns the items of one source into others: splits, concatenates. It stands among the transforms.

    The host numbers the new items: ``index`` counts those of each key within the source.
    """

    role = "transform"
    port_names = ("takes", "gives", "options")

    @abstractmethod
    def regroup(self, items: Iterator[Item[In]], context: Context) -> Iterator[Item[Out]]:
        """Yield the new items."""

    def grouping(self) -> Grouping:
        """Return which items are regrouped together, by one call: those fail together, and no others with them.

        ``source`` are all of a source, ``key`` those that follow one another with the same key, and ``item`` is each by
        itself.
        """
        return "source"

    def produces(self, spec: Spec) -> Spec:
        """As in `Transform`; the length is no longer known. ``several`` says that one source becomes several items."""
        return spec.but(signals=ports_of(type(self)).gives, length=None)
