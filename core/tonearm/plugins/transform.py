"""The base classes of transforms, which turn one signal into another, or the items of a source into others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Generic, Literal

from tonearm.errors import OptionError
from tonearm.plugins.context import Context
from tonearm.plugins.item import Item
from tonearm.plugins.plugin import In, Opts, Out, Plugin
from tonearm.plugins.ports import Spec, ports_of

Grouping = Literal["source", "key", "item"]
"""Group of items that one call of `Regroup.regroup` gets: those of a source, those of a key, or each by itself."""


class Transform(Plugin[Opts], Generic[In, Out, Opts]):
    """A plugin that turns one signal into another.

    Attributes
    ----------
    keeps_double
        Whether a signal of float64 or complex128 stays in double precision. ``check`` refuses other transforms if the
        input has ``precision: double``.
    instead
        What to use in a stream in place of it, if it needs the whole signal: ``use limiter``.
    searches
        Whether `apply` raises an error if the signal has NaN or infinity and ``context.is_unsearched`` is true. Then a
        decoder leaves the search to it, which saves a pass over the values. The error of the decoder is reported.
    """

    role = "transform"
    port_names = ("takes", "gives", "options")
    keeps_double: ClassVar[bool] = False
    instead: ClassVar[str] = ""
    searches: ClassVar[bool] = False

    @abstractmethod
    def apply(self, signal: In, context: Context) -> Out:
        """Return the new signal; the given signal must not change."""

    def produces(self, spec: Spec) -> Spec:
        """Return what is known of the result from what is known of the input, by default all but the class.

        A transform that gives single precision on purpose, as its options ask, sets ``precision`` to ``single``.

        Raises
        ------
        OptionError
            If the options contradict the input.
        """
        return spec.replace(signals=ports_of(type(self)).gives)

    def warnings(self, spec: Spec) -> Iterable[OptionError]:  # noqa: ARG002 - for steps that have something to say
        """Yield what ``tonearm check`` should warn of, though the step works: by default nothing.

        It is asked after `produces` has taken the same specification.
        """
        return ()

    def check_blocks(self, spec: Spec) -> None:  # noqa: ARG002 - for steps that work block by block
        """Raise `OptionError` if it needs the whole signal, which a stream never has; `BlockTransform` does not."""
        raise _needs_whole(self, self.instead)


class Regroup(Plugin[Opts], Generic[In, Out, Opts]):
    """A plugin that turns the items of one source into other items, as splitting and concatenating do.

    It is used as a step, like a transform. The host numbers the new items: ``index`` counts the items of each key.

    Attributes
    ----------
    keeps_double
        Whether signals of float64 or complex128 stay in double precision, as in `Transform`.
    instead
        What to use in a stream in place of it, as in `Transform`.
    """

    role = "transform"
    port_names = ("takes", "gives", "options")
    keeps_double: ClassVar[bool] = False
    instead: ClassVar[str] = ""

    @abstractmethod
    def regroup(self, items: Iterator[Item[In]], context: Context) -> Iterator[Item[Out]]:
        """Yield the new items."""

    def grouping(self) -> Grouping:
        """Return which items one call gets; these fail together, and no others with them.

        ``source`` passes all items of a source, ``key`` consecutive items with the same key, ``item`` each item alone.
        """
        return "source"

    def produces(self, spec: Spec) -> Spec:
        """Return what is known of the result, as in `Transform`; the length is no longer known.

        Set ``several`` if one source becomes several items.
        """
        return spec.replace(signals=ports_of(type(self)).gives, length=None)

    def check_blocks(self, spec: Spec) -> None:  # noqa: ARG002 - as in `Transform`
        """Raise `OptionError`, since it needs whole items."""
        raise _needs_whole(self, self.instead)


def _needs_whole(plugin: Plugin[Any], instead: str) -> OptionError:
    """Return the error for a step in a stream that needs the whole signal."""
    return OptionError(
        f"{plugin.registered.name or type(plugin).__name__} needs the whole signal, which a stream never has",
        code="needs-whole",
        hint=instead or "leave it out, or collect the whole signal and save it",
    )
