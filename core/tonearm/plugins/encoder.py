"""The base class of encoders, which write one signal to one file."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Generic

from tonearm.plugins.context import Context
from tonearm.plugins.item import Item
from tonearm.plugins.plugin import In, Opts, Plugin
from tonearm.plugins.ports import Spec
from tonearm.plugins.sink import Sink


class Encoder(Plugin[Opts], Generic[In, Opts]):
    """A plugin that writes one signal to one file.

    Attributes
    ----------
    suffixes
        Suffixes of the files that it writes, with dot, in lower case.
    """

    role = "encoder"
    port_names = ("takes", "options")
    suffixes: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def encode(self, item: Item[In], sink: Sink, context: Context) -> None:
        """Write the signal of an item to ``sink.path`` or ``sink.open()``."""

    def accepts(self, spec: Spec) -> None:
        """Raise `OptionError` if a signal cannot be written, such as 6 channels as MP3.

        ``spec.suffix`` is the suffix of the file, if its template determines it.
        """
