"""Finding sources: files, folders, and patterns."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tonearm.errors import UsageError, one_line
from tonearm.source import Source

_MAGIC = re.compile(r"[*?[]")


def find_sources(patterns: Iterable[str | os.PathLike[str]], base: Path, suffixes: tuple[str, ...]) -> Iterator[Source]:
    """Yield the sources that patterns name, each file once, in the order of names within each pattern.

    Parameters
    ----------
    patterns
        Files, folders (all files below with one of ``suffixes``), or patterns with ``*``, ``?``, ``[…]`` and ``**``.
    base
        Where relative ones start.
    suffixes
        Of the files that the decoder reads, in lower case.

    Raises
    ------
    UsageError
        If a file that is named outright is not there.
    """
    seen: set[str] = set()
    for pattern in patterns:
        text = os.fspath(pattern)
        for path, relative in _matches(base / text, suffixes):
            name = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links
            if name not in seen:
                seen.add(name)
                yield Source(name=os.fspath(path), path=path, relative_dir=relative)


def _matches(pattern: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Yield paths with the folder of each below the fixed part of the pattern."""
    if pattern.is_dir():
        root, rest = pattern, "**"
    elif os.path.lexists(pattern):
        yield pattern, "."
        return
    elif not _MAGIC.search(os.fspath(pattern)):
        raise UsageError(f"there is no file {one_line(pattern)}", code="no-source")
    else:
        fixed = next(index for index, part in enumerate(pattern.parts) if _MAGIC.search(part))
        root, rest = Path(*pattern.parts[:fixed]), os.path.join(*pattern.parts[fixed:])  # noqa: PTH118 - keeps '**'
    for found in sorted(glob.iglob(rest, root_dir=root, recursive=True)):  # noqa: PTH207 - pathlib takes no symlinks
        path = root / found
        if path.is_dir() or (rest == "**" and path.suffix.lower() not in suffixes):
            continue
        yield path, os.path.dirname(found) or "."  # noqa: PTH120 - '.' stays what it is
