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

    Examples
    --------
    >>> InflationBound(free=1000, ratio=10).limit(500)
    5000
    """

    free: int
    ratio: int

    def limit(self, stored: int) -> int:
        """Return the largest amount that so many stored bytes may hold."""
        return max(self.free, self.ratio * stored)


ARRAY_BYTES: Final = InflationBound(256 << 20, 200)
"""Bytes of arrays. Sound never shrinks to a two-hundredth: a file that claims it holds nothing, or means harm."""


def check_claimed_size(name: str, key: str, claimed: int, stored: int) -> None:
    """Raise `ItemError` if an array claims far more bytes than its stored bytes can hold.

    Parameters
    ----------
    name
        Name of the file, for messages.
    key
        Name of the array in it; empty if it has none.
    claimed
        Bytes that the array claims to have.
    stored
        Bytes that are stored for it: its own, or those of the file.

    Raises
    ------
    ItemError
        ``too-large`` beyond `ARRAY_BYTES`.

    Examples
    --------
    >>> check_claimed_size("a.h5", "wav", 4_000_000, stored=1_000_000)
    """
    if claimed > ARRAY_BYTES.limit(stored):
        raise ItemError(
            f"{quoted_array(name, key)} claims {claimed:,} bytes, but only {stored:,} are stored",
            code="too-large",
            hint=SAVE_UNCOMPRESSED,
        )


def check_stored_size(name: str, key: str, inflated: int, stored: int) -> None:
    """Raise `ItemError` if compressed data are much longer than the values that they should hold.

    No compression makes data much longer, so such a part inflates to something else.

    Parameters
    ----------
    name
        Name of the file, for messages.
    key
        Name of the array in it; empty if it has none.
    inflated
        Bytes of the values.
    stored
        Bytes of the compressed data.

    Raises
    ------
    ItemError
        ``broken-file``.

    Examples
    --------
    >>> check_stored_size("a.zarr", "wav", 8000, stored=9000)
    """
    if stored > inflated + inflated // 8 + SLACK:
        raise ItemError(
            f"{quoted_array(name, key)} has {stored:,} compressed bytes for {inflated:,} bytes of values",
            code="broken-file",
            hint=WRITE_AGAIN,
        )


def check_array_count(name: str, count: int, most: int) -> None:
    """Raise `ItemError` if a file has too many arrays.

    Parameters
    ----------
    name
        Name of the file, for messages.
    count
        Number of arrays in it.
    most
        Largest number that is allowed.

    Raises
    ------
    ItemError
        ``too-large``.

    Examples
    --------
    >>> check_array_count("a.h5", 3, most=1000)
    """
    if count > most:
        raise ItemError(
            f"{quoted(name)} has more than {most:,} arrays",
            code="too-large",
            hint="split it into several files",
        )
