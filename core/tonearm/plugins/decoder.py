"""The base class of decoders, which read one source and yield items."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Generic, Literal

from tonearm.errors import ItemError, OptionError
from tonearm.plugins.context import Context
from tonearm.plugins.item import Item
from tonearm.plugins.plugin import Opts, Out, Plugin
from tonearm.plugins.ports import Spec, ports_of
from tonearm.source import Source


class Decoder(Plugin[Opts], Generic[Out, Opts]):
    """A plugin that reads one source and yields one or more items.

    Attributes
    ----------
    suffixes
        Suffixes of the files that it reads, with dot, in lower case.
    layout_suffixes
        Suffixes of files that it reads where ``convert`` or a call is told a layout of tokens, though others read them.
    reads_folders
        Whether folders with one of these suffixes are sources too.
    reads
        Way of reading files. With ``content``, the decoder uses `Source.open` alone, and the host reads a small file
        once, for its hash and for the decoder. With ``path``, the decoder may use the path. The host then does not
        read the file, has no hash of it, and converts it again when its time has changed.
    """

    role = "decoder"
    port_names = ("gives", "options")
    suffixes: ClassVar[tuple[str, ...]] = ()
    layout_suffixes: ClassVar[tuple[str, ...]] = ()
    reads_folders: ClassVar[bool] = False
    reads: ClassVar[Literal["content", "path"]] = "path"

    @abstractmethod
    def decode(self, source: Source, context: Context) -> Iterator[Item[Out] | ItemError]:
        """Yield the items of a source; if one of several cannot be read, yield its `ItemError` in its place.

        Raises
        ------
        ItemError
            If the source cannot be read, or contradicts the options.
        """

    def produces(self) -> Spec:
        """Return what is known of the signals before reading, by default their classes."""
        return Spec(signals=ports_of(type(self)).gives)

    def look(self, source: Source) -> Spec:  # noqa: ARG002 - for plugins that know more
        """Return what is known of the signals of one source without decoding it, by default the same as `produces`.

        Raises
        ------
        ItemError
            If the source cannot be read.
        """
        return self.produces()

    def check_blocks(self) -> None:
        """Raise `OptionError` if it needs the whole source, as by default; a `BlockDecoder` reads what comes."""
        raise OptionError(
            f"{self.registered.name or type(self).__name__} needs the whole source, which a stream never has",
            code="needs-whole",
            hint="collect the whole source first",
        )
