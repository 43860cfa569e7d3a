"""Arrays by name, each loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


class LazyArrays(Mapping[str, Any]):
    """A mapping from names to arrays.

    Parameters
    ----------
    keys
        The names, in order.
    load
        Returns the array of a name.
    """

    def __init__(self, keys: Iterable[str], load: Callable[[str], np.ndarray[Any, Any]]) -> None:
        self._keys = dict.fromkeys(keys)
        self._load = load

    def __getitem__(self, key: str) -> np.ndarray[Any, Any]:
        if key not in self._keys:
            raise KeyError(key)
        return self._load(key)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
