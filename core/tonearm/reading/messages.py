"""Quoted names and hints that error messages about files share."""

from __future__ import annotations

from collections.abc import Iterable

WRITE_AGAIN = "write the file again; if it was copied or downloaded, it did not arrive whole"
"""Hint for a damaged file."""

SAVE_AS_FLOAT32 = "save it as float32"
"""Hint for values of a type that is not read."""

SAVE_UNCOMPRESSED = "if this is intended, save it uncompressed"
"""Hint for an array that claims far more bytes than are stored."""

LEAVE_OUT = "leave it out"
"""Hint for an array without values."""


def quoted(text: str, limit: int = 120) -> str:
    r"""Return a name in quotes, on one line and cut off where it is too long, whatever it holds.

    Parameters
    ----------
    text
        Name.
    limit
        Largest number of characters.

    Returns
    -------
    str
        Printable text. Control characters are escaped.

    Examples
    --------
    >>> print(quoted("a\nb.npy"))
    'a\nb.npy'
    """
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def quoted_array(name: str, key: str) -> str:
    """Return the quoted names of a file and of an array in it.

    Parameters
    ----------
    name
        Name of the file.
    key
        Name of the array; empty if it has none.

    Returns
    -------
    str
        Both names, or that of the file alone.

    Examples
    --------
    >>> quoted_array("a.h5", "group/wav")
    "'a.h5': 'group/wav'"
    """
    return f"{quoted(name)}: {quoted(key)}" if key else quoted(name)


def listed(names: Iterable[str], most: int = 8) -> str:
    """Return names in quotes, separated by commas.

    Parameters
    ----------
    names
        Names.
    most
        Number of names after which the others are counted.

    Returns
    -------
    str
        Names on one line; ``nothing`` if there are none.

    Examples
    --------
    >>> listed(["wav", "mel", "f0"], most=2)
    "'wav', 'mel' and 1 more"
    """
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return (", ".join(quoted(name, 40) for name in every[:most]) or "nothing") + more
