"""Quoted names and hints that error messages about files share."""

from __future__ import annotations

from collections.abc import Iterable

WRITE_AGAIN = "write the file again; if it was copied or downloaded, it did not arrive whole"
SAVE_AS_FLOAT32 = "save it as float32"
SAVE_UNCOMPRESSED = "if this is intended, save it uncompressed"
LEAVE_OUT = "leave it out"


def quoted(text: str, limit: int = 120) -> str:
    """Return a name in quotes, on one line and at most ``limit`` characters long, whatever it holds."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def quoted_array(name: str, key: str) -> str:
    """Return the quoted names of a file and of an array in it; of the file alone if the array has no name."""
    return f"{quoted(name)}: {quoted(key)}" if key else quoted(name)


def listed(names: Iterable[str], most: int = 8) -> str:
    """Return names in quotes, separated by commas, and the number of those beyond ``most``; ``nothing`` for none."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return (", ".join(quoted(name, 40) for name in every[:most]) or "nothing") + more
