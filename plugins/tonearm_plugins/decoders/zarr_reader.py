"""``zarr-reader``: arrays of a Zarr store, a folder or a zip file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from tonearm.api import Context, ItemError, KeyedArrayDecoder, KeyedArrayOptions, Requirement, Source
from tonearm_plugins.formats.judge import check_claim, judged
from tonearm_plugins.formats.lazy import LazyArrays
from tonearm_plugins.formats.sniff import shown

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

MAX_ARRAYS = 100_000


class ZarrReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read the arrays of a Zarr store, format 2 or 3, a folder or a zip file, called by their paths as in group/wav."""

    suffixes = (".zarr", ".zarr.zip")
    requires = (Requirement(name="zarr", hint="pip install 'tonearm[zarr]'", at_least="3"),)

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the store."""
        if source.path is None:
            raise ItemError("a Zarr store is a folder or a zip file", code="not-a-file", hint="give its path")
        import zarr

        path = source.path
        if path.is_dir():
            markers = ("zarr.json", ".zgroup", ".zarray")
            if not any((path / marker).is_file() for marker in markers):
                raise ItemError(
                    f"{shown(source.name)} is a folder without {' or '.join(markers)}",
                    code="wrong-format",
                    hint="name the folder that zarr.open was given",
                )
            with judged(source.name, "a Zarr store"):
                root = zarr.open(zarr.storage.LocalStore(path, read_only=True), mode="r")
            yield _arrays(root, source.name, sum(file.stat().st_size for file in path.rglob("*") if file.is_file()))
            return
        with source.open() as file:
            with judged(source.name, "a zipped Zarr store"):
                store = zarr.storage.ZipStore(path, mode="r")
                root = zarr.open(store, mode="r")
            try:
                yield _arrays(root, source.name, file.seek(0, 2))
            finally:
                store.close()


def _arrays(root: Any, name: str, size: int) -> Mapping[str, Array]:
    import zarr

    with judged(name, "a Zarr store"):
        # The root itself may be an array; it has no name.
        found = {"": root} if isinstance(root, zarr.Array) else {}
        members = root.members(max_depth=None) if isinstance(root, zarr.Group) else ()
        for path, member in members:
            if isinstance(member, zarr.Array):
                found[path] = member
            if len(found) > MAX_ARRAYS:
                raise ItemError(f"{shown(name)} has more than {MAX_ARRAYS:,} arrays", code="too-large")

    def load(key: str) -> Array:
        with judged(name, "a Zarr store"):
            check_claim(name, key, found[key].nbytes, size)
            return cast("Array", found[key][...])

    return LazyArrays(found, load)
