"""Free space of a store."""

from __future__ import annotations

from tonearm.errors import one_line
from tonearm.run.report import format_size
from tonearm.run.store.store import Store


def space_warnings(store: Store, source_bytes: int) -> list[str]:
    """Return a warning if the sources of a run are more than twice as large as the free space.

    Parameters
    ----------
    store
        Store, whose root need not exist.
    source_bytes
        Size of all sources to convert in bytes.
    """
    free = store.free_space()
    if free is None or free * 2 >= source_bytes:
        return []
    root = one_line(store.root)
    return [f"the sources take {format_size(source_bytes)}, but only {format_size(free)} are free at {root}"]
