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
    path_of,
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
        from tonearm_plugins.formats import zarr_store

        if source.path is None:
            raise ItemError("a Zarr store is a folder or a zip file", code="not-a-file", hint="give its path")
        import zarr

        path = source.path
        if path.is_dir():
            files = zarr_store.folder_files(path, source.name)
            if not any(marker in files for marker in zarr_store.MARKERS):
                raise ItemError(
                    f"{quoted(source.name)} is a folder without {' or '.join(zarr_store.MARKERS)}",
                    code="wrong-format",
                    hint="name the folder that zarr.open was given",
                )
            store = zarr.storage.LocalStore(path, read_only=True)
            yield zarr_store.open_arrays(store, files, lambda file: (path / file).read_bytes(), source.name)
            return
        with source.open(descriptor=True) as file:
            with reading_errors(source.name, "a zipped Zarr store"):
                archive = zarr_store.open_zip(file, source.name)
                # Through the open file, so its name may change meanwhile.
                zipped = zarr.storage.ZipStore(path_of(file) or path)
            try:
                yield zarr_store.open_arrays(zipped, zarr_store.zip_files(archive), archive.read, source.name)
            finally:
                with contextlib.suppress(Exception):  # faults of the file have been reported
                    zipped.close()
