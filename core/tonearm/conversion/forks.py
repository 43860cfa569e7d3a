"""Forks of a program that saves in threads: the child must not wait for a thread that it does not have."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable


def after_fork(forget: Callable[[], None]) -> None:
    """Have each child that this process forks release what its parent's other threads held, and call a function.

    Parameters
    ----------
    forget
        Function that forgets what only the parent can use.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=unlock_cached_properties)
        os.register_at_fork(after_in_child=forget)


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
