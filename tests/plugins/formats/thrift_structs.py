"""Structs of Thrift's compact protocol, as bytes."""

from __future__ import annotations

from typing import Any

_KINDS = {bool: 1, int: 5, bytes: 8, list: 9, dict: 12}


def varint(number: int) -> bytes:
    """A number of varying length."""
    found = b""
    while number > 127:
        found, number = found + bytes([number & 127 | 128]), number >> 7
    return found + bytes([number])


def struct(fields: dict[int, Any]) -> bytes:
    """A struct: its fields are True, whole numbers, bytes, structs, or lists of one of these."""
    found, last = b"", 0
    for field, value in fields.items():
        found += bytes([(field - last) << 4 | _KINDS[type(value)]]) + (b"" if value is True else _value(value))
        last = field
    return found + b"\0"


def _value(value: Any) -> bytes:
    if isinstance(value, dict):
        return struct(value)
    if isinstance(value, bytes):
        return varint(len(value)) + value
    if isinstance(value, list):
        kind = _KINDS[type(value[0])] if value else 5
        return bytes([0xF0 | kind]) + varint(len(value)) + b"".join(map(_value, value))
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)
