"""Arrays that are mapped from a file: what was read is given back, so that a file of any size fits any memory."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

STRETCH = 2**23
"""Bytes to read before they are given back."""


class Mapping:
    """The file behind an array, if there is one.

    Parameters
    ----------
    array
        An array, or a view of one, perhaps of a `numpy.memmap`.
    """

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self._map = _file_of(array)
        self._read = 0

    def __bool__(self) -> bool:
        return self._map is not None

    def was_read(self, size: int) -> None:
        """Take note of bytes that are not needed again; give all pages back now and then.

        They stay in the system's cache, so a page that is needed after all is there at once.
        """
        self._read += size
        if self._read >= STRETCH:
            self.give_back()

    def give_back(self) -> None:
        """Give all pages back."""
        if self._map is not None:
            self._map.madvise(mmap.MADV_DONTNEED)
        self._read = 0


def _file_of(array: object) -> mmap.mmap | None:
    """Return the mapped file, unless giving pages back would lose what was written to a private copy (mode ``c``)."""
    mode = None
    while array is not None and not isinstance(array, mmap.mmap):
        if isinstance(array, np.memmap):
            mode = array.mode
        array = getattr(array, "base", None)
    return array if mode in ("r", "r+") and hasattr(mmap, "MADV_DONTNEED") else None
