"""``zarr-reader``: arrays of Zarr stores, folders or zip files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tonearm.api import (
    Context,
    ItemError,
    KeyedArrayDecoder,
    KeyedArrayOptions,
    Requirement,
    Source,
    quoted,
    reading_errors,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


class ZarrReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read the arrays of a Zarr store, format 2 or 3, folder or zip file; arrays are named by paths as in group/wav."""

    suffixes = (".zarr", ".zarr.zip")
    reads = "content"
    reads_folders = True
    requires = (Requirement(name="zarr", hint="pip install 'tonearm[zarr]'", at_least="3"),)

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the store as a mapping from paths to arrays."""
        from tonearm_plugins.decoders.contained import with_sounds
        from tonearm_plugins.formats import zarr_store

        if source.path is None:
            raise ItemError("a Zarr store is a folder or a zip file", code="not-a-file", hint="give its path")
        path = source.path
        if not path.is_dir():
            with source.open() as file:
                yield with_sounds(
                    zarr_store.open_arrays(zarr_store.ZippedStore(file, source.name)),
                    source.name,
                    self.options,
                    context,
                )
            return
        with reading_errors(source.name, "a Zarr store"):
            store = zarr_store.FolderStore(path, source.name)
        if not any(marker in store.files for marker in zarr_store.MARKERS):
            raise ItemError(
                f"{quoted(source.name)} is a folder without {' or '.join(zarr_store.MARKERS)}",
                code="wrong-format",
                hint="name the folder that zarr.open was given",
            )
        yield with_sounds(zarr_store.open_arrays(store), source.name, self.options, context)
