"""A list of a million tuples in little memory."""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Iterator
from typing import Any

_BLOCK = 4096


class Spool:
    """A list of tuples that is only appended to and read from its beginning.

    Blocks of tuples are compressed. Names shrink tenfold.
    """

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._last: list[tuple[Any, ...]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, values: tuple[Any, ...]) -> None:
        """Add a tuple of texts, numbers, None, and tuples and lists of these."""
        self._last.append(values)
        self._count += 1
        if len(self._last) == _BLOCK:
            self._blocks.append(zlib.compress(marshal.dumps(self._last), 1))
            self._last = []

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for block in self._blocks:
            yield from marshal.loads(zlib.decompress(block))  # noqa: S302 - written by this process
        yield from self._last
