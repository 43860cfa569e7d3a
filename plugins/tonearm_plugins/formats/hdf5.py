"""Datasets of an HDF5 file by name; nothing outside the file is ever followed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import ItemError, Requirement
from tonearm_plugins.formats.file_types import shown
from tonearm_plugins.formats.lazy_arrays import LazyArrays
from tonearm_plugins.formats.reading import check_claim, check_magic, check_stored, judged, path_of, size_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

H5PY = Requirement(name="h5py", hint="pip install 'tonearm[hdf5]'")
MAGIC = b"\x89HDF\r\n\x1a\n"
MAX_DATASETS = 1_000_000
MAP_FROM = 16 << 20  # bytes


@contextlib.contextmanager
def opened(file: BinaryIO, name: str, *, matlab: bool = False) -> Iterator[Mapping[str, Array]]:
    """Open a file as a mapping from the paths of datasets, as in ``group/wav``, to arrays.

    Parameters
    ----------
    file
        An open binary file.
    name
        What to call it in messages.
    matlab
        Whether MATLAB wrote it: axes are reversed, and what it keeps for itself is left out.

    Raises
    ------
    ItemError
        ``wrong-format``, ``broken-file``, ``outside-file`` where a dataset's values lie in another file.
    """
    size = size_of(file)
    check_magic(file, name, "an HDF5 file", (MAGIC,), 512 if matlab else 0)
    import h5py

    what = "a MATLAB file" if matlab else "an HDF5 file"
    with judged(name, what):
        handle = h5py.File(file, "r")
    try:
        with judged(name, what):
            keys = list(_datasets(handle, "", set()))
        if matlab:
            keys = [key for key in keys if not key.startswith("#")]

        def load(key: str) -> Array:
            with judged(name, what):
                return _load(handle[key], file, size, name, key, matlab=matlab)

        yield LazyArrays(keys, load)
    finally:
        with contextlib.suppress(Exception):  # what is wrong with the file was said
            handle.close()


def _datasets(group: Any, prefix: str, seen: set[Any]) -> Iterator[str]:
    """Yield the paths of datasets by hard links alone; links that lead in circles end."""
    import h5py

    for key in group:
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            continue
        if len(seen) > MAX_DATASETS:
            raise ItemError(f"there are more than {MAX_DATASETS:,} datasets", code="too-large")
        kind = group.get(key, getclass=True)
        if kind is h5py.Dataset:
            seen.add(prefix + key)
            yield prefix + key
        elif kind is h5py.Group:
            inner = group[key]
            token = h5py.h5o.get_info(inner.id).addr
            if token not in seen and prefix.count("/") < 32:
                seen.add(token)
                yield from _datasets(inner, f"{prefix}{key}/", seen)


def _load(dataset: Any, file: BinaryIO, size: int, name: str, key: str, *, matlab: bool) -> Array:
    import h5py
    import numpy as np

    if dataset.external or dataset.is_virtual:
        raise ItemError(
            f"{shown(name)}: the values of {shown(key)} lie in another file",
            code="outside-file",
            hint="copy them into one file: h5repack, or h5py's dataset[()]",
        )
    if dataset.shape is None or not dataset.size:
        raise ItemError(f"{shown(name)}: {shown(key)} is empty: its shape is {dataset.shape}", code="empty")
    kind = dataset.dtype.base.kind if dataset.dtype.names is None else "V"
    if kind not in "iufcb" and not (matlab and dataset.dtype.names == ("real", "imag")):
        # Not even read: text and lists of varying length stand in heaps in which a broken file can lead in circles.
        text = h5py.check_string_dtype(dataset.dtype) is not None
        lists = h5py.check_vlen_dtype(dataset.dtype) is not None
        what = "text" if text else "lists of varying length" if lists else f"{dataset.dtype} values"
        raise ItemError(
            f"{shown(name)}: {shown(key)} holds {what}, not an array of numbers",
            code="not-numbers",
            hint="save each array as a dataset of its own",
        )
    # What was never written takes no space, however much the shape claims.
    stored = min(dataset.id.get_storage_size(), size)
    check_claim(name, key, dataset.size * dataset.dtype.itemsize, stored)
    if dataset.chunks is not None:
        _check_chunks(dataset, name, key, stored)
    mapped = _mapped(dataset, file)
    array: Array = dataset[()] if mapped is None else mapped
    if matlab:
        if array.dtype.names == ("real", "imag"):
            array = array["real"] + 1j * array["imag"]
        array = array.T
    return np.asanyarray(array)


def _check_chunks(dataset: Any, name: str, key: str, stored: int) -> None:
    """Refuse chunks that take far more memory than their values: each is inflated as a whole."""
    import math

    inflated = math.prod(dataset.chunks) * dataset.dtype.itemsize
    check_claim(name, key, inflated, stored)
    if dataset.id.get_create_plist().get_nfilters():
        sizes: list[int] = []
        dataset.id.chunk_iter(lambda chunk: sizes.append(chunk.size))
        check_stored(name, key, inflated, max(sizes, default=0))


def _mapped(dataset: Any, file: BinaryIO) -> Array | None:
    """Return a large dataset that lies in the file as it is, mapped."""
    import numpy as np

    plain = dataset.dtype.kind in "iufc" and dataset.chunks is None and dataset.dtype.names is None
    offset = dataset.id.get_offset() if plain else None
    if offset is None or dataset.nbytes < MAP_FROM or path_of(file) is None:
        return None
    array: Array = np.memmap(file, dataset.dtype, "r", offset, dataset.shape)
    return array
