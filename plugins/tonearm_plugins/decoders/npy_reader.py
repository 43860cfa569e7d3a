"""``npy-reader``: the array in a file of `numpy.save`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tonearm.api import ArrayDecoder, ArrayOptions, Context, Source

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


class NpyReader(ArrayDecoder[ArrayOptions]):
    """Read a .npy file; its header is checked first, pickles are refused, and large files are mapped."""

    suffixes = (".npy",)
    reads = "content"

    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, Array]]:
        """Yield the array."""
        from tonearm_plugins.formats import npy

        if source.content is not None:
            yield "", npy.load_bytes(source.content, name=source.name)
            return
        from tonearm.api import size_of

        with source.open() as file:
            yield "", npy.load(file, size_of(file), name=source.name)
