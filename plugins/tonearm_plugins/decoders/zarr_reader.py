"""``zarr-reader``: arrays of a Zarr store, a folder or a zip file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tonearm.api import Context, ItemError, KeyedArrayDecoder, KeyedArrayOptions, Requirement, Source
from tonearm_plugins.formats.file_types import shown
from tonearm_plugins.formats.reading import judged

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


class ZarrReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read the arrays of a Zarr store, format 2 or 3, a folder or a zip file, called by their paths as in group/wav."""

    suffixes = (".zarr", ".zarr.zip")
    stores = True
    requires = (Requirement(name="zarr", hint="pip install 'tonearm[zarr]'", at_least="3"),)

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the store."""
        from tonearm_plugins.formats import zarr_store

        if source.path is None:
            raise ItemError("a Zarr store is a folder or a zip file", code="not-a-file", hint="give its path")
        import zarr

        path = source.path
        if path.is_dir():
            files = zarr_store.in_folder(path, source.name)
            if not any(marker in files for marker in zarr_store.MARKERS):
                raise ItemError(
                    f"{shown(source.name)} is a folder without {' or '.join(zarr_store.MARKERS)}",
                    code="wrong-format",
                    hint="name the folder that zarr.open was given",
                )
            store = zarr.storage.LocalStore(path, read_only=True)
            yield zarr_store.arrays(store, files, lambda file: (path / file).read_bytes(), source.name)
            return
        with source.open() as file:
            with judged(source.name, "a zipped Zarr store"):
                archive = zarr_store.opened_zip(file, source.name)
                # By the open file, whatever becomes of its name meanwhile.
                zipped = zarr.storage.ZipStore(f"/dev/fd/{file.fileno()}" if os.path.exists("/dev/fd") else path)  # noqa: PTH110
            try:
                yield zarr_store.arrays(zipped, zarr_store.in_zip(archive), archive.read, source.name)
            finally:
                with contextlib.suppress(Exception):  # what is wrong with the file was said
                    zipped.close()
