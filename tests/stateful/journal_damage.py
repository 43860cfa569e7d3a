"""Damage to a journal, as disks, editors and people do it: functions of its bytes and a random generator."""

from __future__ import annotations

import random
from collections.abc import Callable

GARBAGE = (
    b"", b"\n", b"null", b"[]", b"{}", b"\xff\xfe\0", b'{"record":"begin"}', b'{"record":"note"}', b"[" * 5000,
    b'{"record":"end","source":1}', b"\0" * 4096, b'{"record":"sync"', '{"record":"ünknown"}'.encode(),
)  # fmt: skip
"""Lines that are no records."""


def append_garbage(data: bytes, chance: random.Random) -> bytes:
    """Append a line that is no record, with or without its newline."""
    start = b"" if data.endswith(b"\n") or not data else b"\n"
    return data + start + chance.choice(GARBAGE) + chance.choice([b"", b"\n"])


def insert_garbage(data: bytes, chance: random.Random) -> bytes:
    """Insert a line that is no record between two lines."""
    found = data.splitlines(keepends=True)
    place = chance.randrange(len(found)) if found else 0
    return b"".join([*found[:place], chance.choice(GARBAGE) + b"\n", *found[place:]])


def cut(data: bytes, chance: random.Random) -> bytes:
    """Cut the journal off somewhere."""
    return data[: chance.randrange(len(data) + 1)]


def flip_bytes(data: bytes, chance: random.Random) -> bytes:
    """Change a few bytes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4) if changed else 0):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def remove_lines(data: bytes, chance: random.Random) -> bytes:
    """Remove some of the lines."""
    return b"".join(line for line in data.splitlines(keepends=True) if chance.random() < 0.7)


def repeat_lines(data: bytes, chance: random.Random) -> bytes:
    """Repeat some of the lines."""
    return b"".join(line * chance.choice([1, 1, 2, 3]) for line in data.splitlines(keepends=True))


def shuffle_lines(data: bytes, chance: random.Random) -> bytes:
    """Put the lines into another order."""
    found = data.splitlines(keepends=True)
    chance.shuffle(found)
    return b"".join(found)


def zero_block(data: bytes, chance: random.Random) -> bytes:
    """Fill a stretch with zeros, as a file system does after a loss of power."""
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.randint(1, 600))
    return data[:start] + bytes(end - start) + data[end:]


def empty(data: bytes, chance: random.Random) -> bytes:
    """Empty the journal."""
    return b""


Damage = Callable[[bytes, random.Random], bytes]

DAMAGES: dict[str, Damage] = {
    one.__name__: one
    for one in (
        append_garbage, insert_garbage, cut, flip_bytes, remove_lines, repeat_lines, shuffle_lines, zero_block, empty,
    )
}  # fmt: skip

HARMLESS = ("append_garbage", "insert_garbage")
"""Damage that loses no record."""
