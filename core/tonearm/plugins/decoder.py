"""The decoder: it reads one source and yields items."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Generic

from tonearm.errors import ItemError
from tonearm.plugins.context import Context
from tonearm.plugins.item import Item
from tonearm.plugins.plugin import Opts, Out, Plugin
from tonearm.plugins.ports import Spec, ports_of
from tonearm.source import Source


class Decoder(Plugin[Opts], Generic[Out, Opts]):
    """Reads one source and yields one or more items.

    Attributes
    ----------
    suffixes
        Of the files that it reads, with dot, in lower case.
    reads_folders
        Whether a folder with one of these suffixes is a source, too.
    """

    role = "decoder"
    port_names = ("gives", "options")
    suffixes: ClassVar[tuple[str, ...]] = ()
    reads_folders: ClassVar[bool] = False

    @abstractmethod
    def decode(self, source: Source, context: Context) -> Iterator[Item[Out] | ItemError]:
        """Yield the items of a source; an `ItemError` in place of one that cannot be read, where others can.

        Raises
        ------
        ItemError
            If the source cannot be read, or is not what the options say.
        """

    def produces(self) -> Spec:
        """Return what is known of its signals beforehand; the port's classes, unless a plugin knows better."""
        return Spec(signals=ports_of(type(self)).gives)

    def probe(self, source: Source) -> Spec:  # noqa: ARG002 - for plugins that know more
        """Return what a source says of itself without being decoded; what is known beforehand, if it says no more.

        Raises
        ------
        ItemError
            If the source cannot be read.
        """
        return self.produces()
