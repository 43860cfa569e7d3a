"""``npz-reader``: arrays by name as `numpy.savez` writes them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import Context, KeyedArrayDecoder, KeyedArrayOptions, Source

if TYPE_CHECKING:
    import numpy as np


class NpzReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read a .npz file: judged from its directory before a member is opened, nothing is ever extracted to disk."""

    suffixes = (".npz",)

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, np.ndarray[Any, Any]]]:
        """Open the archive."""
        with source.open() as file:
            yield _Members(file, source.name)


class _Members(Mapping[str, Any]):
    """The arrays of an archive, each read when it is asked for."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        from tonearm_plugins.formats import npz

        self._file = file
        self._name = name
        self._size = file.seek(0, os.SEEK_END)
        self._keys = npz.members(file, self._size, name)

    def __getitem__(self, key: str) -> np.ndarray[Any, Any]:
        from tonearm_plugins.formats import npz

        if key not in self._keys:
            raise KeyError(key)
        return npz.load_member(self._file, self._size, key, self._name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
