"""``npz-reader``: the arrays in a file of `numpy.savez`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tonearm.api import Context, KeyedArrayDecoder, KeyedArrayOptions, Source

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


class NpzReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read the arrays of a .npz file; its directory is checked first, and nothing is extracted to disk."""

    suffixes = (".npz",)
    reads = "content"

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the archive as a mapping from names to arrays."""
        from tonearm.api import LazyArrays, size_of
        from tonearm_plugins.decoders.contained import with_sounds
        from tonearm_plugins.formats import npz

        with source.open() as file:
            size, name = size_of(file), source.name
            found = LazyArrays(npz.array_names(file, size, name), lambda key: npz.load_array(file, size, key, name))
            yield with_sounds(found, name, self.options, context)
