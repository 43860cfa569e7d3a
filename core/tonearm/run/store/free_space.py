"""Space at the place of outputs."""

from __future__ import annotations

import os

from tonearm.errors import one_line
from tonearm.run.report import format_size


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
    needed, left = format_size(needed_bytes), format_size(free)
    return [f"{needed} of sources are to be converted, and {left} are free at {one_line(root)}"]
