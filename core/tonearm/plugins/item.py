"""The item: one signal of a source, with its name, position and tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from msgspec import Struct

from tonearm.signals import Signal

S_co = TypeVar("S_co", bound=Signal, covariant=True)


class Item(Struct, Generic[S_co], frozen=True, kw_only=True, eq=False):
    """One signal of a source.

    Parameters
    ----------
    signal
        Signal of the item.
    key
        Name of the array or entry within the source; empty if it has none.
    index
        Position within the source, from 0.
    tags
        Tags of the source: title, artist, comment.
    """

    signal: S_co
    key: str = ""
    index: int = 0
    tags: Mapping[str, str] = {}
