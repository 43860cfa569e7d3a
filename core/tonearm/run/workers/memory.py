"""Memory that a process keeps between sources."""

from __future__ import annotations

import contextlib

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3  # of malloc.h


def keep_memory() -> None:
    """Have memory that is freed stay with this process: the next source needs as much; only glibc can.

    Otherwise every array of some hundred kilobytes would be given back and asked for again, page by page, which takes
    as long as what is done with it.
    """
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(_M_TRIM_THRESHOLD, 128 << 20)
        libc.mallopt(_M_TOP_PAD, 4 << 20)
