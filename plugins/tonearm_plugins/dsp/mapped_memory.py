"""Memory of arrays that are mapped from a file, given back after reading, so that a file of any size fits."""

from __future__ import annotations

import mmap
import sys

import numpy as np

from tonearm_plugins.dsp.typing import Array

RELEASE_BYTES = 2**23
"""Bytes to read before their pages are released."""

KEPT_BYTES = 2**26
"""Size of a file up to which no page is released: mapping pages again takes as long as an inverse STFT of them."""


class MappedMemory:
    """The pages of memory behind an array that may be mapped from a file; false if it is not.

    Parameters
    ----------
    array
        Array of any shape, or a view of one, perhaps of a `numpy.memmap`.

    Examples
    --------
    >>> bool(MappedMemory(np.zeros(3)))
    False
    """

    def __init__(self, array: Array) -> None:
        self._map = _file_of(array)
        self._read = 0

    def __bool__(self) -> bool:
        return self._map is not None

    def count_read(self, size: int) -> None:
        """Count bytes that are not needed again, and release all pages after every `RELEASE_BYTES`.

        The system keeps them in its cache, so a page that is needed after all is not read from the disk again.
        """
        self._read += size
        if self._read >= RELEASE_BYTES:
            self.release()

    def release(self) -> None:
        """Release all pages of a file that is not small."""
        if self._map is not None and len(self._map) > KEPT_BYTES and sys.platform != "win32":
            self._map.madvise(mmap.MADV_DONTNEED)
        self._read = 0


def _file_of(array: object) -> mmap.mmap | None:
    """Return the mapped file; None for a private copy (mode ``c``), whose changes a release would lose."""
    mode = None
    while array is not None and not isinstance(array, mmap.mmap):
        if isinstance(array, np.memmap):
            mode = array.mode
        array = getattr(array, "base", None)
    return array if mode in ("r", "r+") and hasattr(mmap, "MADV_DONTNEED") else None
