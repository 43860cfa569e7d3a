"""HDF5 files: datasets by their paths. Links and values outside the file are never read."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import (
    MAP_FROM,
    ItemError,
    LazyArrays,
    Requirement,
    check_array_count,
    check_claimed_size,
    check_magic,
    check_memory,
    map_array,
    path_of,
    quoted_array,
    reading_errors,
    size_of,
)
from tonearm_plugins.formats.hdf5_chunks import read_chunks

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

MAX_ARRAYS = 1_000_000
"""Number of arrays in one file."""

H5PY = Requirement(name="h5py", hint="pip install 'tonearm[hdf5]'")
MAGIC = b"\x89HDF\r\n\x1a\n"
MAX_ATTRIBUTES = 100
"""Number of attributes of a dataset or a group that are looked at."""

ATTRIBUTE_BYTES = 64
"""Largest size of an attribute that is read, in bytes."""

MAX_DEPTH = 32
"""Levels of groups within groups."""


@contextlib.contextmanager
def open_arrays(file: BinaryIO, name: str, *, matlab: bool = False) -> Iterator[LazyArrays]:
    """Open a file as a mapping from the paths of its datasets to arrays.

    Parameters
    ----------
    file
        Open file, binary.
    name
        Name of the file, for messages.
    matlab
        Whether MATLAB wrote the file. Its axes are reversed then, and MATLAB's internal datasets are left out.

    Yields
    ------
    LazyArrays
        Arrays by path, ``group/wav``, with the numbers among the attributes of each and of its groups.

    Raises
    ------
    ItemError
        ``wrong-format``, ``broken-file``, ``too-large``, ``empty``, ``not-numbers``, or ``outside-file`` if the values
        of a dataset are in another file.
    """
    size = size_of(file)
    check_magic(file, name, "an HDF5 file", (MAGIC,), 512 if matlab else 0)
    import h5py

    what = "a MATLAB file" if matlab else "an HDF5 file"
    with reading_errors(name, what):
        handle = h5py.File(file, "r")
    try:
        with reading_errors(name, what):
            keys = list(_datasets(handle, "", set(), name))
        if matlab:
            keys = [key for key in keys if not key.startswith("#")]

        def load(key: str) -> Array:
            with reading_errors(name, what):
                return _load(handle[key], file, size, name, key, matlab=matlab)

        def says(key: str) -> Mapping[str, Any]:
            with reading_errors(name, what):
                return _attributes(handle, key)

        yield LazyArrays(keys, load, says)
    finally:
        with contextlib.suppress(Exception):  # faults of the file have been reported
            handle.close()


def _datasets(group: Any, prefix: str, seen: set[Any], name: str) -> Iterator[str]:
    """Yield the paths of datasets, following hard links alone; links that lead in circles end."""
    import h5py

    for key in group:
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            continue
        check_array_count(name, len(seen), MAX_ARRAYS)
        kind = group.get(key, getclass=True)
        if kind is h5py.Dataset:
            seen.add(prefix + key)
            yield prefix + key
        elif kind is h5py.Group:
            inner = group[key]
            token = h5py.h5o.get_info(inner.id).addr
            if token not in seen and prefix.count("/") < MAX_DEPTH:
                seen.add(token)
                yield from _datasets(inner, f"{prefix}{key}/", seen, name)


def _attributes(handle: Any, key: str) -> Mapping[str, Any]:
    """Return the single numbers and short texts among the attributes of a dataset and of the groups around it."""
    found: dict[str, Any] = {}
    path = key
    while True:
        # Most have no attributes, and h5py takes long to open them.
        attributes: Any = (handle[path] if path else handle).attrs if _attribute_count(handle, path) else ()
        for name in list(attributes)[:MAX_ATTRIBUTES]:
            kind = attributes.get_id(name)
            if kind.get_storage_size() <= ATTRIBUTE_BYTES and kind.dtype.kind in "iufS" and kind.shape in ((), (1,)):
                value = attributes[name]
                value = value.decode("latin-1") if isinstance(value, bytes) else value
                found.setdefault(name, value)
        if not path:
            return found
        path = path.rpartition("/")[0]


def _attribute_count(handle: Any, path: str) -> int:
    import h5py

    return int(h5py.h5o.get_info(handle.id, path.encode("utf-8", "surrogateescape") or b".").num_attrs)


def _load(dataset: Any, file: BinaryIO, size: int, name: str, key: str, *, matlab: bool) -> Array:
    """Return the values of a dataset after its claims were checked."""
    import numpy as np

    _check_kind(dataset, name, key, matlab=matlab)
    # Values that were never written take no space, whatever size the shape claims.
    stored = min(dataset.id.get_storage_size(), size)
    check_claimed_size(name, key, dataset.size * dataset.dtype.itemsize, stored)
    array = _mapped(dataset, file)
    if array is None:
        check_memory(name, key, dataset.size * dataset.dtype.itemsize)
        if dataset.chunks is not None:
            # Each chunk is inflated as a whole.
            check_claimed_size(name, key, math.prod(dataset.chunks) * dataset.dtype.itemsize, stored)
            array = read_chunks(dataset, name, key)
    if array is None:
        array = dataset[()]
    if matlab:
        if array.dtype.names == ("real", "imag"):
            array = array["real"] + 1j * array["imag"]
        array = array.T
    return np.asanyarray(array)


def _check_kind(dataset: Any, name: str, key: str, *, matlab: bool) -> None:
    """Refuse a dataset that holds no numbers, or holds them in another file."""
    import h5py

    whose = quoted_array(name, key)
    if dataset.external or dataset.is_virtual:
        raise ItemError(
            f"{whose} has its values in another file",
            code="outside-file",
            hint="copy them into one file: h5repack, or h5py's dataset[()]",
        )
    if dataset.shape is None or not dataset.size:
        raise ItemError(f"{whose} is empty: its shape is {dataset.shape}", code="empty")
    kind = dataset.dtype.base.kind if dataset.dtype.names is None else "V"
    if kind not in "iufcb" and not (matlab and dataset.dtype.names == ("real", "imag")):
        # Refused unread: text and lists of varying length are in heaps, in which a broken file can lead in circles.
        text = h5py.check_string_dtype(dataset.dtype) is not None
        lists = h5py.check_vlen_dtype(dataset.dtype) is not None
        what = "text" if text else "lists of varying length" if lists else f"{dataset.dtype} values"
        hint = "save each array as a dataset of its own"
        if kind == "V" and dataset.dtype.names is None and dataset.dtype.itemsize > _LONGEST_NUMBER and not lists:
            hint = "if it is a file, save it as one: Path(path).write_bytes(dataset[()].tobytes())"
        raise ItemError(f"{whose} holds {what}, not an array of numbers", code="not-numbers", hint=hint)


_LONGEST_NUMBER = 40  # bytes


def _mapped(dataset: Any, file: BinaryIO) -> Array | None:
    """Map a large dataset whose values are in the file as they are; None for any other."""
    plain = dataset.dtype.kind in "iufc" and dataset.chunks is None and dataset.dtype.names is None
    offset = dataset.id.get_offset() if plain else None
    if offset is None or dataset.nbytes < MAP_FROM or path_of(file) is None:
        return None
    return map_array(file, dataset.dtype, dataset.shape, offset)
