"""Whatever a library raises on a broken file is said in one line; what the disk raises passes."""

from __future__ import annotations

import errno
import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from tonearm.api import ItemError
from tonearm_plugins.formats.file_types import HEAD, looks_like, shown

AGAIN = "write the file again; if it was copied or downloaded, it did not arrive whole"
_DISK = (errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV)

BOMB_FROM = 256 << 20
"""Bytes: what a file holds may be so large whatever its size; beyond, its size must account for it."""

BOMB_RATIO = 200
"""Sound never shrinks to a two-hundredth; a file that says so holds nothing, or means harm."""


SLACK = 4096
"""Bytes that compressed data may be longer than what it stands for."""


@contextmanager
def judged(name: str, what: str) -> Iterator[None]:
    """Turn what a library raises while it reads a file into an `ItemError`.

    Parameters
    ----------
    name
        What to call the file in messages.
    what
        What it should be: ``an HDF5 file``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a library's doubts are no news to whoever converts a thousand files
            yield
    except ItemError:
        raise
    except MemoryError:
        raise ItemError(
            f"{shown(name)} needs more memory than is there", code="no-memory", hint="split it into smaller files"
        ) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _DISK:
            raise
        raise ItemError(
            f"{shown(name)} cannot be read as {what}: {_reason(error)}", code="broken-file", hint=AGAIN
        ) from error


def size_of(file: BinaryIO) -> int:
    """Return the size of a file in bytes, and go to its start."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def path_of(file: BinaryIO) -> str | None:
    """Return a path that leads to this open file whatever became of its name; None if it is in memory."""
    try:
        path = f"/dev/fd/{file.fileno()}"
    except (io.UnsupportedOperation, AttributeError):
        return None
    return path if os.path.exists(path) else None  # noqa: PTH110 - as cheap as it gets


def check_magic(file: BinaryIO, name: str, what: str, starts: tuple[bytes, ...], offset: int = 0) -> None:
    """Raise `ItemError` unless a file starts as its format does; go to its start."""
    file.seek(0)
    head = file.read(max(HEAD, offset + 16))
    if not any(head.startswith(start, offset) for start in starts):
        raise stranger(file, name, what)
    file.seek(0)


def stranger(file: BinaryIO, name: str, what: str, kin: str = "") -> ItemError:
    """Return the error for a file that is not what it should be: empty, or what it looks like instead.

    What looks like its ``kin`` by its first bytes is what it should be, and broken.
    """
    file.seek(0)
    head = file.read(HEAD)
    if not head:
        return ItemError(f"{shown(name)} is empty: it has 0 bytes", code="empty", hint=AGAIN)
    found, hint = looks_like(head)
    if kin and kin in found:
        return ItemError(
            f"{shown(name)} is damaged: it begins as {found}, and goes on as none", code="broken-file", hint=AGAIN
        )
    return ItemError(f"{shown(name)} is not {what}; it looks like {found}", code="wrong-format", hint=hint)


def check_claim(name: str, key: str, claimed: int, present: int) -> None:
    """Raise `ItemError` if an array claims far more bytes than a file of so many can hold."""
    if claimed > BOMB_FROM and claimed > BOMB_RATIO * present:
        whose = f"{shown(name)}: {shown(key)}" if key else shown(name)
        raise ItemError(
            f"{whose} claims {claimed:,} bytes, but {present:,} are there",
            code="too-large",
            hint="if it is meant, save it uncompressed",
        )


def check_stored(name: str, key: str, inflated: int, stored: int) -> None:
    """Raise `ItemError` if a compressed part of so many stored bytes cannot be what inflates to a number of bytes.

    No compression makes data much longer, so what is, inflates to something else.
    """
    if stored > inflated + inflated // 8 + SLACK:
        raise ItemError(
            f"{shown(name)}: {shown(key)} has {stored:,} compressed bytes for {inflated:,} bytes of values",
            code="broken-file",
            hint=AGAIN,
        )


def _reason(error: Exception) -> str:
    if "not a zip file" in str(error):
        return "the directory at its end is not there: it is cut off, or no such file"
    text = getattr(error, "error_string", str(error))  # libsndfile's: without the address of what was opened
    lines = [line for line in text.splitlines() if line.strip()]
    return shown(lines[0] if lines else type(error).__name__)
