"""Short blocks, gathered until a library's work on them is worth its call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


class Gathering:
    """A gatherer of blocks (channels, samples), which gives no block that is shorter than a least length.

    Parameters
    ----------
    shortest
        Least number of samples of a block.
    """

    def __init__(self, shortest: int) -> None:
        self._shortest = shortest
        self._parts: list[Array] = []
        self._waiting = 0

    def push(self, block: Array) -> Array | None:
        """Return what waits and a block as one, or None if it waits, too; it is copied then."""
        if not self._parts and block.shape[-1] >= self._shortest:
            return block
        self._parts.append(block.copy())
        self._waiting += block.shape[-1]
        return self.rest() if self._waiting >= self._shortest else None

    def rest(self) -> Array | None:
        """Return what waits, as one block; None if nothing does."""
        import numpy as np

        parts, self._parts, self._waiting = self._parts, [], 0
        return np.concatenate(parts, axis=-1) if parts else None
