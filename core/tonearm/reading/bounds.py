"""Bounds on what a file may claim, and the errors for claims beyond them."""

from __future__ import annotations

from typing import Final, NamedTuple

from tonearm.errors import ItemError
from tonearm.reading.messages import SAVE_UNCOMPRESSED, WRITE_AGAIN, quoted, quoted_array

MAX_NESTING: Final = 16
"""Levels of containers within containers."""

SLACK: Final = 4096
"""Bytes by which compressed data may be longer than the data itself, beside an eighth of it."""


class InflationBound(NamedTuple):
    """Bound on the amount that a file holds, by its size.

    Parameters
    ----------
    free
        Amount that a file of any size may hold.
    ratio
        Amount for each stored byte, beyond that.
    """

    free: int
    ratio: int

    def limit(self, stored: int) -> int:
        """Return the largest amount that so many stored bytes may hold."""
        return max(self.free, self.ratio * stored)


ARRAY_BYTES: Final = InflationBound(256 << 20, 200)
"""Bytes of arrays. Sound never shrinks to a two-hundredth: a file that claims it holds nothing, or means harm."""


def check_claimed_size(name: str, key: str, claimed: int, stored: int) -> None:
    """Raise `ItemError` if an array claims far more bytes than its stored bytes can hold."""
    if claimed > ARRAY_BYTES.limit(stored):
        raise ItemError(
            f"{quoted_array(name, key)} claims {claimed:,} bytes, but only {stored:,} are stored",
            code="too-large",
            hint=SAVE_UNCOMPRESSED,
        )


def check_stored_size(name: str, key: str, inflated: int, stored: int) -> None:
    """Raise `ItemError` if so many stored bytes cannot be the compressed form of ``inflated`` bytes.

    No compression makes data much longer, so a longer part inflates to something else.
    """
    if stored > inflated + inflated // 8 + SLACK:
        raise ItemError(
            f"{quoted_array(name, key)} has {stored:,} compressed bytes for {inflated:,} bytes of values",
            code="broken-file",
            hint=WRITE_AGAIN,
        )


def check_array_count(name: str, count: int, most: int) -> None:
    """Raise `ItemError` if a file has more than ``most`` arrays."""
    if count > most:
        raise ItemError(
            f"{quoted(name)} has more than {most:,} arrays",
            code="too-large",
            hint="split it into several files",
        )
