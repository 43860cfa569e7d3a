"""Second arrays of a call: the true lengths of a batch, imaginary parts, and phases."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from tonearm.arrays.selection import COMPANIONS
from tonearm.errors import UsageError
from tonearm.source import Source

FIRST = "audio"
"""Name of the array that companions belong to: that of the parameter of `tonearm.save` and its like."""


def with_companions(source: Source, options: Mapping[str, Any]) -> tuple[Source, Mapping[str, Any]]:
    """Return a source with the companions that options hold as arrays, and options that name them.

    Parameters
    ----------
    source
        Source.
    options
        Options by name. ``lengths``, ``imag`` and ``phase`` may be arrays; text names an array of a mapping or a file.

    Raises
    ------
    UsageError
        If the source is no array, or the text names an array where there is one alone.
    """
    given = {name: options[name] for name in COMPANIONS if options.get(name) is not None}
    if not given:
        return source, options
    arrays = {name: value for name, value in given.items() if not isinstance(value, str)}
    if source.array is not None and len(arrays) < len(given):
        name = next(name for name in given if name not in arrays)
        raise UsageError(
            f"{name} names a second array, but audio is one array",
            code="no-such-key",
            hint=f"give {name} as an array itself, or audio as a mapping of arrays",
        )
    if not arrays:
        return source, options
    name = next(iter(arrays))
    if source.signal is not None:
        raise UsageError(f"{name} belongs to an array, but audio is a {source.signal.port}", hint=f"leave {name} out")
    if source.array is None and source.arrays is None:
        raise UsageError(
            f"{name} is an array, but audio is a file",
            hint=f"give {name} as the name of an array in the file, or read the file and give its array",
        )
    from tonearm.tensors import as_array  # not at the top: most calls have one array

    first: Mapping[str, Any] = source.arrays if source.arrays is not None else {FIRST: source.array}
    found: dict[str, Any] = {}
    named = dict(options)
    if len(first) == 1 and options.get("key") is None:
        (named["key"],) = first
    for one, value in arrays.items():
        if one in first:
            raise UsageError(
                f"{one} is given twice: as a keyword, and as an array of the mapping",
                hint=f'leave one of them out, or write {one}="{one}" for that of the mapping',
            )
        found[one] = as_array(value)
        named[one] = one
    # The mapping stays, because it may convert its arrays when they are asked for.
    return Source(name=source.name, arrays=ChainMap(found, first), key=source.key), named  # type: ignore[arg-type]
