"""Reading of parts of mapped files, whose pages are released once they are read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tonearm.typing import Array

MAX_MAPPED_BYTES = 1 << 24
"""Approximate number of bytes of a mapped file that are read before their pages are released."""


KEPT_BYTES = 1 << 26
"""Size of a mapped file up to which no page is released: it may be in memory as a whole, and is read again soon."""


def copy_mapped(view: Array) -> Array:
    """Return a copy of a view of an array, whose values may lie far apart in a mapped file."""
    import numpy as np

    copy: Array = np.empty(view.shape, view.dtype)
    if 0 < _mapped_size(view) <= KEPT_BYTES:
        copy[...] = view
    else:
        _copy(view, copy)
    return copy


def _copy(view: Array, copy: Array) -> None:
    """Copy values part by part and release the pages; to read one value, the system may map 2 MB around it."""
    import numpy as np

    strides = np.abs(view.strides)
    if view.size < 2 or (np.subtract(view.shape, 1) * strides).sum() <= MAX_MAPPED_BYTES:
        copy[...] = view
        release_pages(view)
        return
    axis = int(np.argmax(np.where(np.array(view.shape) > 1, strides, -1)))
    step = min(max(1, MAX_MAPPED_BYTES // int(strides[axis])), -(-view.shape[axis] // 2))
    for start in range(0, view.shape[axis], step):
        here = (slice(None),) * axis + (slice(start, start + step),)
        _copy(view[here], copy[here])


def release_pages(array: Array) -> None:
    """Release the pages of a mapped file; the system reads them again when they are needed."""
    import mmap

    base, mode = _map_of(array)
    # A private mapping (mode c) would lose what was written to it.
    if base is not None and mode in ("r", "r+") and hasattr(mmap, "MADV_DONTNEED") and sys.platform != "win32":
        base.madvise(mmap.MADV_DONTNEED)


def _mapped_size(array: Array) -> int:
    """Return the size of the file that an array is mapped from, in bytes; 0 if it is not."""
    base, _ = _map_of(array)
    return 0 if base is None else len(base)


def _map_of(array: Array) -> tuple[Any, str]:
    """Return the mapping of a file that an array is a view of, or None, and its mode."""
    import mmap

    base: Any = array
    mode = "r"
    while base is not None and not isinstance(base, mmap.mmap):
        mode = getattr(base, "mode", mode)
        base = getattr(base, "base", None)
    return base, mode
