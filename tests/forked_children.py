"""Functions that work in a forked child, which must not wait for ever."""

import os
import signal
import time


def in_child(work):
    """Start a function in a forked child, and return the child's process ID."""
    child = os.fork()
    if not child:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def finished(child, seconds=60):
    """Return the exit status of a child; kill it if it takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, state = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(state)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hangs"
