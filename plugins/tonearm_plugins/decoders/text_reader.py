"""``text-reader``: numbers in .csv, .tsv and .txt files, and lists in JSON."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tonearm.api import Context, KeyedArrayDecoder, KeyedArrayOptions, LazyArrays, Source, check_memory, size_of

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


class TextReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read columns of numbers by their headings, a table without headings, or the lists of a JSON file by their paths.

    Columns are separated by commas, semicolons, tabs or spaces; lines that begin with #, % or // are comments.
    """

    suffixes = (".csv", ".tsv", ".txt")
    reads = "content"

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the file as a mapping from the names of columns to arrays."""
        from tonearm_plugins.formats.text_arrays import parse_text

        with source.open() as file:
            check_memory(source.name, "", size_of(file))
            found = parse_text(file.read(), source.name)
        yield LazyArrays(found.arrays, found.arrays.__getitem__, lambda key: _beside(found.says, key))


def _beside(says: Mapping[str, object], key: str) -> dict[str, object]:
    """Return the numbers beside a list of JSON, and around it, the nearest first; those of comments are at the top."""
    found: dict[str, object] = {}
    while True:
        key = key.rpartition(".")[0]
        inside = f"{key}." if key else ""
        for name, value in says.items():
            if name.startswith(inside) and "." not in name[len(inside) :]:
                found.setdefault(name[len(inside) :], value)
        if not key:
            return found
