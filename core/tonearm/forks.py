"""Forks of a program whose threads use tonearm: the child must not wait for a thread that it does not have.

Importing this module is enough. `tonearm` does so before it imports anything else.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
import threading
import time
from typing import Any

LONGEST_WAIT = 5.0
"""Time in seconds that a fork waits for the imports of other threads at most."""

_holding: list[bool] = []
"""Not empty while a fork holds the lock of imports."""

_bootstrap: Any = getattr(importlib, "_bootstrap", None)
_imp: Any = getattr(_bootstrap, "_imp", None)


def hold_imports() -> None:
    """Wait until no other thread imports a module, and let none begin.

    What a plugin needs is imported when it is first used, in whichever thread. A child that is forked meanwhile has a
    module that is half imported, and waits for ever for a thread that it does not have.
    """
    end = time.monotonic() + LONGEST_WAIT
    _imp.acquire_lock()
    while _others_import() and time.monotonic() < end:
        _imp.release_lock()
        time.sleep(0.001)
        _imp.acquire_lock()
    _holding.append(True)


def release_imports() -> None:
    """Let imports begin again, unless this module was imported while the fork was under way."""
    if _holding:
        _holding.pop()
        _imp.release_lock()


def _others_import() -> bool:
    """Return whether another thread holds the lock of a module."""
    locks = [lock for found in list(_bootstrap._module_locks.values()) if (lock := found()) is not None]  # noqa: SLF001
    return any(getattr(lock, "owner", None) not in (None, threading.get_ident()) for lock in locks)


def unlock_cached_properties() -> None:
    """Give each `functools.cached_property` of tonearm's a new lock.

    Before Python 3.12, a thread holds the property's lock while it computes a value. A child that is forked meanwhile
    would wait for ever to compute a value of its own.
    """
    if sys.version_info >= (3, 12):
        return
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in ("tonearm", "tonearm_plugins"):
            continue
        for found in list(vars(module).values()):
            if isinstance(found, type) and found.__module__ == name:
                for value in vars(found).values():
                    if isinstance(value, functools.cached_property):
                        value.lock = threading.RLock()  # type: ignore[attr-defined]


def _prepare() -> None:
    """Have each fork of this process wait for imports, and its child release what other threads held."""
    if not hasattr(os, "register_at_fork"):
        return
    os.register_at_fork(after_in_child=unlock_cached_properties)
    if hasattr(_imp, "acquire_lock") and hasattr(_bootstrap, "_module_locks"):
        os.register_at_fork(before=hold_imports, after_in_parent=release_imports, after_in_child=release_imports)


_prepare()
