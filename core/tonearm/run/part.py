"""Part of a run's sources, and the names that belong to it."""

from __future__ import annotations

FOLDER = ".tonearm"

Shard = tuple[int, int]
"""Which part of how many, counted from 1."""


def part_suffix(shard: Shard | None) -> str:
    return f"-{shard[0]}-of-{shard[1]}" if shard else ""


def owner_of(shard: Shard | None) -> str:
    """Return the four hex digits with which the temporaries of a run begin.

    Shards that write into one folder have their own, up to 361 parts whatever their numbers, beyond if those agree.
    """
    return f"{shard[1] * (shard[1] - 1) // 2 + shard[0] & 0xFFFF:04x}" if shard else "0000"
