"""A child process that is killed at a chosen system call, by the kernel's own means for debuggers."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import sys
from collections.abc import Callable

_TRACE_ME, _NEXT_CALL = 0, 24

_ptrace = ctypes.CDLL(None, use_errno=True).ptrace if sys.platform == "linux" else None
if _ptrace:
    _ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    _ptrace.restype = ctypes.c_long


def can_be_traced() -> bool:
    """Return whether this system lets a process watch the system calls of its child."""
    return _ptrace is not None and not kill_at(lambda: None, -1)


def kill_at(work: Callable[[], object], when: int) -> bool:
    """Call a function in a child, and kill the child where it enters or leaves a system call.

    Parameters
    ----------
    work
        Function.
    when
        Number of the place: each call has two, before and after it. None if it is negative.

    Returns
    -------
    bool
        Whether the child was killed; False if it came to its end before.
    """
    child = os.fork()
    if not child:
        status = 1
        try:
            if _ptrace(_TRACE_ME, 0, None, None) == 0:
                os.kill(os.getpid(), signal.SIGSTOP)
                work()
                status = 0
        finally:
            os._exit(status)
    _, state = os.waitpid(child, 0)
    for number in itertools.count():
        if not os.WIFSTOPPED(state):
            return bool(os.waitstatus_to_exitcode(state))
        if number == when:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return True
        _ptrace(_NEXT_CALL, child, None, None)
        _, state = os.waitpid(child, 0)
    raise AssertionError
