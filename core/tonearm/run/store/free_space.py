"""Space at the place of outputs."""

from __future__ import annotations

import os

from tonearm.errors import one_line
from tonearm.run.report import size_of


def space_warnings(root: str, needed_bytes: int) -> list[str]:
    """Return a warning if the sources are far larger than the space that is left."""
    folder = os.path.abspath(root)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    try:
        space = os.statvfs(folder)
    except OSError:
        return []
    free = space.f_bavail * space.f_frsize
    if free * 2 >= needed_bytes:
        return []
    needed, left = size_of(needed_bytes), size_of(free)
    return [f"{needed} of sources are to be converted, and {left} are free at {one_line(root)}"]
