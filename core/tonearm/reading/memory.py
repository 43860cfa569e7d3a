"""The memory that one source may take, and the error for a source that claims more."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Final

from tonearm.errors import ItemError, SetLimit
from tonearm.reading.messages import quoted_array

DEFAULT_MEMORY: Final = 1_000_000_000
"""Memory in bytes that one source may take, unless the pipeline allows another amount."""

HELD_TWICE: Final = 2
"""Memory that an array takes in its own sizes: once as it is read, and once as it is converted."""

_memory: ContextVar[int] = ContextVar("memory", default=DEFAULT_MEMORY)


def memory_limit() -> int:
    """Return the memory that the current source may take.

    Returns
    -------
    int
        Memory in bytes.

    Examples
    --------
    >>> memory_limit()
    1000000000
    """
    return _memory.get()


class limited_memory:  # noqa: N801 - a context manager, and four times as fast as a generator
    """Bound on the memory of the sources that are read in a ``with`` block.

    Parameters
    ----------
    size
        Memory in bytes.

    Examples
    --------
    >>> with limited_memory(4_000_000_000):
    ...     memory_limit()
    4000000000
    """

    __slots__ = ("_size", "_token")

    def __init__(self, size: int) -> None:
        self._size = size

    def __enter__(self) -> None:
        self._token: Token[int] = _memory.set(self._size)

    def __exit__(self, *_: object) -> None:
        _memory.reset(self._token)


def check_memory(name: str, key: str, size: int) -> None:
    """Raise `ItemError` if an array, or whatever else is held at once, would take more memory than is allowed.

    Call it with a size that a file claims, before anything of that size is allocated.

    Parameters
    ----------
    name
        Name of the file, for messages.
    key
        Name of the array in it; empty if it has none.
    size
        Bytes that are held at once, in the type to which they are converted. Mapped files do not count.

    Raises
    ------
    ItemError
        ``too-large`` if twice the size is more than `memory_limit`.

    Examples
    --------
    >>> check_memory("a.h5", "wav", 4_000_000)
    """
    needed = HELD_TWICE * size
    if needed > memory_limit():
        raise ItemError(
            f"{quoted_array(name, key)} would take {in_gigabytes(needed)} of memory; "
            f"one source may take {in_gigabytes(memory_limit())}",
            code="too-large",
            remedies=(SetLimit("memory", in_gigabytes(needed), "if this is intended"),),
        )


def in_gigabytes(size: int) -> str:
    """Return a size in bytes as text in gigabytes, rounded up to a tenth: never less than the size.

    Examples
    --------
    >>> in_gigabytes(2_340_000_000)
    '2.4GB'
    """
    tenths = -(-size // 100_000_000)
    return f"{tenths // 10}.{tenths % 10}GB" if tenths % 10 else f"{tenths // 10}GB"
