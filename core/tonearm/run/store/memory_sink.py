"""A sink in memory, for encoders whose output gets no name."""

from __future__ import annotations

import os

from tonearm.plugins.sink import Sink


class MemorySink(Sink):
    """A sink whose file lies in memory. Close it by a ``with`` block.

    Parameters
    ----------
    suffix
        Suffix of the format, with dot.
    """

    def __init__(self, suffix: str) -> None:
        self._own = os.memfd_create("output", os.MFD_CLOEXEC)
        super().__init__(f"/proc/self/fd/{self._own}", suffix, self._own)

    def content(self) -> bytes:
        """Return what has been written."""
        return os.pread(self._own, os.fstat(self._own).st_size, 0)

    def __enter__(self) -> MemorySink:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._own)
