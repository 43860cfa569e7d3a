"""JSON in files, parsed within the memory of one source."""

from __future__ import annotations

from typing import Any

from tonearm.api import check_memory

_TEXT_RATIO = 3  # half of the memory that each byte of a long text takes, as it is read, parsed and decoded
_VALUE_BYTES = 50  # half of the memory that a short text, an empty list or the entry of a mapping takes


def parse_json(data: bytes, name: str) -> Any:
    """Parse JSON whose values fit into the memory of one source: a list of empty lists takes thirty times its bytes.

    Parameters
    ----------
    data
        Text.
    name
        Name of the file, for messages.

    Raises
    ------
    ItemError
        ``too-large``.
    ValueError, RecursionError
        The text is not JSON, or is nested too deeply.

    Examples
    --------
    >>> parse_json(b'{"wav": [1, 2]}', "a.json")
    {'wav': [1, 2]}
    """
    import json

    values = sum(data.count(mark) for mark in (b",", b":", b"[", b"{"))
    check_memory(name, "", _TEXT_RATIO * len(data) + _VALUE_BYTES * values)
    return json.loads(data)
