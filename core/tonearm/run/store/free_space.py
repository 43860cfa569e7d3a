"""Free space of the output folder."""

from __future__ import annotations

import os

from tonearm.errors import one_line
from tonearm.run.report import format_size


def space_warnings(root: str, source_bytes: int) -> list[str]:
    """Return a warning if the sources of a run are more than twice as large as the free space.

    Parameters
    ----------
    root
        Output folder, which need not exist.
    source_bytes
        Size of all sources to convert in bytes.
    """
    folder = os.path.abspath(root)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    try:
        space = os.statvfs(folder)
    except OSError:
        return []
    free = space.f_bavail * space.f_frsize
    if free * 2 >= source_bytes:
        return []
    return [f"the sources take {format_size(source_bytes)}, but only {format_size(free)} are free at {one_line(root)}"]
