"""``hdf5-reader``: datasets of an HDF5 file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tonearm.api import Context, KeyedArrayDecoder, KeyedArrayOptions, Source
from tonearm_plugins.formats.hdf5 import H5PY

if TYPE_CHECKING:
    import numpy as np


class Hdf5Reader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read the datasets of a .h5 file, called by their paths as in group/wav; links out of it are not followed."""

    suffixes = (".h5", ".hdf5", ".hdf")
    requires = (H5PY,)

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, np.ndarray[Any, Any]]]:
        """Open the file."""
        from tonearm_plugins.formats import hdf5

        with source.open() as file, hdf5.opened(file, source.name) as found:
            yield found
