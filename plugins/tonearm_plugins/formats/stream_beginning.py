"""The beginning of a stream of raw samples, by which their encoding is judged."""

from __future__ import annotations

from typing import Final

JUDGED: Final = 1 << 15
"""Number of samples of each channel by which a stream is judged."""


class StreamBeginning:
    """The beginning of a stream of samples, which is kept until it can be judged.

    Parameters
    ----------
    frame
        Bytes of one sample of each channel.

    Attributes
    ----------
    is_open
        Whether it is not complete.
    """

    def __init__(self, frame: int) -> None:
        self._parts: list[bytes] = []
        self._left = JUDGED * frame
        self.is_open = True

    def add(self, raw: bytes) -> bool:
        """Add bytes, and return whether they have made it complete."""
        if not self.is_open:
            return False
        self._parts.append(raw)
        self._left -= len(raw)
        self.is_open = self._left > 0
        return not self.is_open

    def take(self) -> bytes:
        """Return all of it, which is released."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
