"""Notes that C libraries print, libmpg123 and libsndfile among them, kept off the terminal.

What they print goes through C's ``stderr`` and ``stdout``, which are variables. While a library reads or writes, they
lead to a stream in memory, so that file descriptors 1 and 2, to which Python and every other thread write, stay as they
are.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ctypes

_NOTES = 4096  # bytes of notes, beyond which they are dropped

_lock = threading.Lock()
_real: list[tuple[ctypes.c_void_p, int | None]] = []
"""Variables of the streams and the addresses of the real ones, while a library is hushed."""
_hushed = 0
"""Number of callers that have hushed libraries."""


@contextlib.contextmanager
def hushed_libraries() -> Iterator[None]:
    """Discard what C libraries print in a ``with`` block, in all threads; Python's own output is untouched.

    Where C's streams cannot be replaced, on systems other than glibc's and macOS, notes are printed as they are.
    """
    global _hushed
    with _lock:
        _hushed += 1
        if _hushed == 1:
            variables, nowhere = _streams()
            _real[:] = [(variable, variable.value) for variable in variables]
            for variable in variables:
                variable.value = nowhere
    try:
        yield
    finally:
        with _lock:
            _hushed = max(_hushed - 1, 0)  # a fork within the block has set it to 0 in the child
            if not _hushed:
                _restore()


def _restore() -> None:
    """Lead C's streams back to the real ones."""
    for variable, real in _real:
        variable.value = real


def _after_fork() -> None:
    """Restore the streams and locks in a child, which does not have the threads of its parent that would do so."""
    global _hushed, _lock
    _hushed, _lock = 0, threading.Lock()
    _restore()
    sounds: Any = getattr(sys.modules.get("soundfile"), "SoundFile", None)
    if hasattr(sounds, "_sf_error_lock"):  # held while libsndfile opens a file
        sounds._sf_error_lock = threading.Lock()  # noqa: SLF001 - a child would wait for it for ever


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@functools.cache
def _streams() -> tuple[list[ctypes.c_void_p], Any]:
    """Return the variables of C's streams, and the address of a stream in memory; no variables elsewhere."""
    import ctypes

    if sys.platform == "win32" or not hasattr(os, "fork"):  # Windows: no library is without a name
        return [], None
    c = ctypes.CDLL(None)  # noqa: TID251 - for C's streams alone, which no descriptor leads to
    names = ("__stderrp", "__stdoutp") if hasattr(c, "__stderrp") else ("stderr", "stdout")
    if names[0] == "stderr" and not hasattr(c, "gnu_get_libc_version"):  # constants, in musl
        return [], None
    c.fmemopen.restype = ctypes.c_void_p
    c.fmemopen.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)
    nowhere = c.fmemopen(None, _NOTES, b"w")
    return [ctypes.c_void_p.in_dll(c, name) for name in names] if nowhere else [], nowhere
