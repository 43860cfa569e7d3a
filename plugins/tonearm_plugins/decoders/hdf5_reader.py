"""``hdf5-reader``: datasets of HDF5 files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tonearm.api import Context, KeyedArrayDecoder, KeyedArrayOptions, Source
from tonearm_plugins.formats.hdf5 import H5PY

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


class Hdf5Reader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read the datasets of a .h5 file, named by their paths as in group/wav; links to other files are not followed."""

    suffixes = (".h5", ".hdf5", ".hdf")
    reads = "content"
    requires = (H5PY,)

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the file as a mapping from paths to arrays."""
        from tonearm_plugins.decoders.contained import with_sounds
        from tonearm_plugins.formats import hdf5

        with source.open() as file, hdf5.open_arrays(file, source.name) as found:
            yield with_sounds(found, source.name, self.options, context)
