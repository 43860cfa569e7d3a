"""Exceptions in the callbacks of C libraries, which Python reports and then forgets."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def errors_of_callbacks(keep: Callable[[BaseException], None]) -> Iterator[None]:
    """Keep the exceptions that reach no ``except`` of a callback from cffi, which go to `sys.unraisablehook` alone.

    Such an exception is an interrupt by Ctrl-C, which Python raises before the first line of the callback. The library
    is told that the callback failed, and may ignore that.

    Signals arrive in the main thread alone, so in other threads there is nothing to keep.

    Parameters
    ----------
    keep
        Function that is called with each exception.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = sys.unraisablehook
    main = threading.get_ident()

    def hook(unraisable: sys.UnraisableHookArgs, /) -> None:
        is_callback = threading.get_ident() == main and "cffi callback" in (unraisable.err_msg or "")
        if is_callback and unraisable.exc_value is not None:
            keep(unraisable.exc_value)
        else:
            previous(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        if sys.unraisablehook is hook:
            sys.unraisablehook = previous
