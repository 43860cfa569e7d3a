"""The encoder: it writes one signal to one file."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Generic

from tonearm.plugins.context import Context
from tonearm.plugins.item import Item
from tonearm.plugins.plugin import In, Opts, Plugin
from tonearm.plugins.ports import Spec
from tonearm.plugins.sink import Sink


class Encoder(Plugin[Opts], Generic[In, Opts]):
    """Writes one signal to one file.

    Attributes
    ----------
    suffixes
        Of the files that it writes, with dot, in lower case.
    """

    role = "encoder"
    port_names = ("takes", "options")
    suffixes: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def encode(self, item: Item[In], sink: Sink, context: Context) -> None:
        """Write the item's signal to ``sink.path``."""

    def accepts(self, spec: Spec) -> None:
        """Raise `OptionError` if what is known of the signal cannot be written: 6 channels as MP3.

        ``spec.suffix`` is that of the file's name, where its template says it.
        """
