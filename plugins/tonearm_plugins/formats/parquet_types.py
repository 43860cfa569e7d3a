"""Types of Parquet's columns that hold arrays, audio, or what stands beside them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tonearm.api import channels_among, has_name_of_lengths, rate_among


def is_list_of_numbers(kind: Any) -> bool:
    """Return whether a type is a list of numbers, or of lists of them."""
    from pyarrow import types

    kind = getattr(kind, "storage_type", kind)
    depth = 0
    while types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        kind = kind.value_type
        depth += 1
    return depth > 0 and (types.is_integer(kind) or types.is_floating(kind))


def is_binary(kind: Any) -> bool:
    """Return whether a type is bytes."""
    from pyarrow import types

    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def is_text(kind: Any) -> bool:
    """Return whether a type is text."""
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def is_audio(kind: Any) -> bool:
    """Return whether a type is the bytes of a file, alone or with its path, as Hugging Face's audio is."""
    from pyarrow import types

    if is_binary(kind):
        return True
    if not types.is_struct(kind):
        return False
    fields = {kind.field(index).name: kind.field(index).type for index in range(kind.num_fields)}
    blob = fields.get("bytes")
    return blob is not None and (types.is_binary(blob) or types.is_large_binary(blob))


def is_decoded_audio(kind: Any) -> bool:
    """Return whether a type is audio that Hugging Face's library has decoded: an array, and its sampling rate."""
    from pyarrow import types

    if not types.is_struct(kind):
        return False
    fields = {kind.field(index).name: kind.field(index).type for index in range(kind.num_fields)}
    return "array" in fields and is_list_of_numbers(fields["array"])


def is_numeric_type(kind: Any) -> bool:
    """Return whether a type is a number."""
    from pyarrow import types

    return bool(types.is_integer(kind) or types.is_floating(kind))


def rate_field(kind: Any) -> str:
    """Return the field of a structure that is the sample rate; empty if it has none."""
    fields = (kind.field(index) for index in range(kind.num_fields))
    return next((one.name for one in fields if is_numeric_type(one.type) and rate_among({one.name: 8000})), "")


def stating_columns(schema: Any, column: str, others: Collection[str] = ()) -> list[str]:
    """Return the columns of numbers that are named as the rate, the channels or the length of a column."""
    names = [field.name for field in schema if is_numeric_type(field.type) and field.name not in (column, *others)]
    return [
        name for name in names if rate_among({name: 8000}) or channels_among({name: 1}) or has_name_of_lengths(name)
    ]
