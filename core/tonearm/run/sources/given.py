"""Sources that a call gives: what is in memory by position, and that and files by name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from tonearm.addresses import refuse_address
from tonearm.errors import UsageError, one_line
from tonearm.pipeline import RESERVED_PREFIX
from tonearm.pipeline.converter import as_source
from tonearm.source import Source

MAX_KEY = 200
"""Largest length of a key in bytes. A suffix must fit behind it into the name of a file."""


def is_in_memory(given: object) -> bool:
    """Return whether a source is an array, a tensor, a list, a mapping of these, or a signal; no path and no file.

    Numbers and None are nothing of these, so that an array in place of a list of sources is refused as a whole.
    """
    if given is None or isinstance(given, (str, bytes, os.PathLike, int, float, Source)):
        return False
    return isinstance(given, Mapping) or hasattr(given, "__array__") or not hasattr(given, "read")


def memory_source(given: object, name: str, key: str) -> Source:
    """Return what is in memory as a source. Tensors are converted at once, for all workers.

    Raises
    ------
    UsageError
        If it is no array, tensor, mapping or signal.
    """
    try:
        found = as_source(given)
    except UsageError as error:
        message = f"{one_line(name)}: {error.message}"
        raise UsageError(message, code=error.code, remedies=error.remedies) from error.__cause__
    return Source(name=name, key=key, array=found.array, arrays=found.arrays, signal=found.signal)


def checked_path(given: object) -> str:
    """Return the path of a source as text.

    Raises
    ------
    UsageError
        If it is not a path.
    """
    if isinstance(given, (str, bytes, os.PathLike)):
        path = os.fsdecode(given)
        refuse_address(path)
        return path
    if hasattr(given, "read"):
        raise UsageError(
            "an open file cannot be a source of a run: a second run could not find it again",
            hint="give its path, or use convert(), which reads open files",
        )
    raise UsageError(
        f"a source must be a path or an array, not {type(given).__name__}",
        hint="a list of numbers, or a mapping that is one source, goes into brackets: [audio]",
    )


def keyed_sources(given: Mapping[str, Any]) -> Iterator[Source]:
    """Yield sources by their keys, which stand for the stems of their files.

    Raises
    ------
    UsageError
        If a key cannot be a file's name, a path does not exist, or a source is neither a path nor in memory.
    """
    for key, one in given.items():
        _check_key(key)
        if is_in_memory(one):
            yield memory_source(one, key, key)
            continue
        path = checked_path(one)
        if not os.path.lexists(path):
            raise UsageError(f"there is no file {one_line(path)}", code="no-source")
        yield Source(name=key, key=key, path=path)


def _check_key(key: object) -> None:
    """Raise `UsageError` unless a key can be a file's name."""
    if not isinstance(key, str):
        raise UsageError(f"the key of a source must be a string, not {type(key).__name__}")
    problem = ""
    if not key or key in (".", ".."):
        problem = "it is not a name"
    elif not key.isprintable() or set(key) & set("/\\:"):
        problem = "it has a slash, a colon, or a character that cannot be printed"
    elif key.startswith(RESERVED_PREFIX):
        problem = f"names that start with {RESERVED_PREFIX} are for runs"
    elif len(os.fsencode(key)) > MAX_KEY:
        problem = f"it has more than {MAX_KEY} bytes"
    if problem:
        raise UsageError(f"{one_line(key, 60)!r} cannot be the name of a file: {problem}")
