"""Lists of sources in a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from tonearm.errors import UsageError, one_line


def read_source_list(name: str) -> Iterator[str]:
    """Yield the paths that a file lists: one on each line, or separated by NUL as ``find -print0`` does.

    Parameters
    ----------
    name
        Path of the file; ``-`` for stdin.

    Raises
    ------
    UsageError
        If the file cannot be read.
    """
    try:
        with os.fdopen(os.dup(sys.stdin.fileno()), "rb") if name == "-" else open(name, "rb") as file:
            rest, separator = b"", None
            while block := file.read(1 << 16):
                rest += block
                separator = separator or (b"\0" if b"\0" in rest else b"\n")
                *lines, rest = rest.split(separator)
                yield from (os.fsdecode(line) for line in map(_stripped, lines) if line)
            if _stripped(rest):
                yield os.fsdecode(_stripped(rest))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot read {one_line(name)}: {reason}", code="no-source") from error


def _stripped(line: bytes) -> bytes:
    return line.removesuffix(b"\r")
