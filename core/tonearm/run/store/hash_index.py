"""A mapping from a million names to numbers in little memory."""

from __future__ import annotations

from array import array

_INITIAL_SLOTS = 1 << 10
_ALL_BITS = (1 << 64) - 1


class HashIndex:
    """A mapping from texts to integers of 64 bits that keeps a hash of each text, not the text itself.

    An entry takes 16 bytes at a load of a third to two thirds: an eighth of an entry in a dictionary of strings. Two
    texts with the same hash count as one. Among a million texts that happens once in thirty million runs, and callers
    check what they find.
    """

    def __init__(self) -> None:
        self._keys = array("Q", bytes(8 * _INITIAL_SLOTS))
        self._values = array("Q", bytes(8 * _INITIAL_SLOTS))
        self._mask = _INITIAL_SLOTS - 1
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, text: str) -> bool:
        return self.get(text) is not None

    def get(self, text: str) -> int | None:
        """Return the number of a text; None if it has none."""
        keys, mask = self._keys, self._mask
        key = hash(text) & _ALL_BITS or 1
        slot = key & mask
        while (found := keys[slot]) != key:  # as `_slot`, without a call: a plan does this five times for a source
            if not found:
                return None
            slot = (slot + 1) & mask
        return self._values[slot]

    def put(self, text: str, value: int) -> None:
        """Set the number of a text, from 0 to 2^64 - 1."""
        key = hash(text) & _ALL_BITS or 1
        slot = self._slot(key)
        if not self._keys[slot]:
            self._keys[slot] = key
            self._count += 1
        self._values[slot] = value
        if self._count * 3 > self._mask * 2:
            self._grow()

    def _slot(self, key: int) -> int:
        keys, mask = self._keys, self._mask
        slot = key & mask
        while keys[slot] != key and keys[slot]:
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        keys, values = self._keys, self._values
        size = 2 * len(keys)
        self._keys, self._values, self._mask = array("Q", bytes(8 * size)), array("Q", bytes(8 * size)), size - 1
        for place, key in enumerate(keys):
            if key:
                slot = self._slot(key)
                self._keys[slot] = key
                self._values[slot] = values[place]


class HashSet:
    """A set of texts that keeps a hash of each text, as `HashIndex` does. An entry takes 8 bytes."""

    def __init__(self) -> None:
        self._keys = array("Q", bytes(8 * _INITIAL_SLOTS))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, text: str) -> bool:
        return bool(self._keys[self._slot(hash(text) & _ALL_BITS or 1)])

    def add(self, text: str) -> bool:
        """Add a text, and return whether it is new."""
        key = hash(text) & _ALL_BITS or 1
        slot = self._slot(key)
        if self._keys[slot]:
            return False
        self._keys[slot] = key
        self._count += 1
        if self._count * 3 > len(self._keys) * 2:
            before, self._keys = self._keys, array("Q", bytes(16 * len(self._keys)))
            for old in filter(None, before):
                self._keys[self._slot(old)] = old
        return True

    def _slot(self, key: int) -> int:
        keys, mask = self._keys, len(self._keys) - 1
        slot = key & mask
        while keys[slot] != key and keys[slot]:
            slot = (slot + 1) & mask
        return slot
