"""``text-reader``: numbers in .csv, .tsv and .txt files, and lists in JSON."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tonearm.api import Context, KeyedArrayDecoder, KeyedArrayOptions, LazyArrays, Nearby, Source, check_memory, size_of

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


class TextReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read columns of numbers by their headings, a table without headings, or the lists of a JSON file by their paths.

    Columns are separated by commas, semicolons, tabs or spaces; lines that begin with #, % or // are comments.
    """

    suffixes = (".csv", ".tsv", ".txt")
    reads = "content"
    holds_interpreter = True

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the file as a mapping from the names of columns to arrays."""
        from tonearm_plugins.formats.text_arrays import parse_text

        with source.open() as file:
            check_memory(source.name, "", size_of(file))
            found = parse_text(file.read(), source.name, context.progress)
        yield LazyArrays(found.arrays, found.arrays.__getitem__, Nearby(found.says))
