"""``npy-reader``: one array as `numpy.save` writes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tonearm.api import ArrayDecoder, ArrayOptions, Context, Source

if TYPE_CHECKING:
    import numpy as np


class NpyReader(ArrayDecoder[ArrayOptions]):
    """Read a .npy file: its header is judged before anything is allocated, pickles are refused, large files mapped."""

    suffixes = (".npy",)

    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
        """Yield the array."""
        from tonearm_plugins.formats import npy

        if source.content is not None:
            yield "", npy.from_memory(source.content, name=source.name)
            return
        with source.open() as file:
            size = file.seek(0, os.SEEK_END)
            yield "", npy.load(file, size, name=source.name)
