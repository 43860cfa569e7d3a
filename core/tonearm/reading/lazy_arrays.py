"""Mapping from names to arrays that loads each array on access."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tonearm.errors.text import counted


class LazyArrays(Mapping[str, Any]):
    """Mapping from names to arrays that loads each array on access, for `KeyedArrayDecoder.open_arrays`.

    Parameters
    ----------
    keys
        Names of the arrays, in order.
    load
        Function that returns the array of a name, or a `Waveform` if the file holds a sound file under it.
    says
        Function that returns what the file says about the array of a name, such as ``{"sample_rate": 22050}``, the
        nearest first: the attributes of a dataset, the other values of a dict. It is called after the array was loaded.

    Examples
    --------
    >>> arrays = LazyArrays(["wav", "mel"], lambda key: print("loading", key))
    >>> len(arrays), "mel" in arrays
    (2, True)
    >>> arrays["mel"]
    loading mel
    """

    def __init__(
        self,
        keys: Iterable[str],
        load: Callable[[str], Any],
        says: Callable[[str], Mapping[str, Any]] = lambda _: {},
    ) -> None:
        self._keys = dict.fromkeys(keys)
        self._load = load
        self.says = says

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return self._load(key)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {counted(len(self._keys), 'array')}>"

    def __len__(self) -> int:
        return len(self._keys)
