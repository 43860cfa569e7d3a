"""The state of the process, which a plugin must leave as it is: the folder, the umask, streams, handlers of signals.

A plugin that changes the folder or the umask changes what everything after it means, and a process that it forks must
not go on with the work of its parent. So the host compares the state before and after each call of a plugin of another
package, and restores it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import sys
import time
from typing import Any

from msgspec import Struct

from tonearm.system import HAS_POSIX

FORK_PATIENCE = 0.25
"""Seconds that a process which a plugin forked has to return into the host or to end, before it is left alone."""

_signal: Any = __import__("_signal")  # `signal` makes enumerations of handlers, which takes 1 µs each

_STOP_SIGNALS = tuple(getattr(_signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(_signal, name))
_STREAMS = (0, 1, 2)


class ProcessState(Struct):
    """The state of the process before a call of a plugin.

    Parameters
    ----------
    process_id
        Id of the process.
    folder
        Current folder; empty if it has been removed.
    umask
        Mask of the modes of new files.
    handlers
        Handlers of the signals that stop a command.
    streams
        Standard streams of Python.
    path
        Folders of modules.
    """

    process_id: int
    folder: str
    umask: int
    handlers: tuple[Any, ...]
    streams: tuple[Any, Any, Any]
    path: tuple[str, ...]


_umask = 0o077
"""Last umask that was seen. To read a umask is to set it, and the strictest one does no harm meanwhile."""

_copies: dict[int, int] = {}
"""Copies of the descriptors of the standard streams, which a plugin may close."""


def current_state() -> ProcessState:
    """Return the state of the process."""
    global _umask
    umask = os.umask(_umask)
    if umask != _umask:
        os.umask(umask)
        _umask = umask
    if not _copies:
        _copy_streams()
    _forks.watch()
    return ProcessState(
        os.getpid(),
        _current_folder(),
        umask,
        tuple(map(_signal.getsignal, _STOP_SIGNALS)),
        (sys.stdin, sys.stdout, sys.stderr),
        tuple(sys.path),
    )


def restore(before: ProcessState) -> str:
    """Restore the state of the process, and return what a plugin must not have changed; an empty text if nothing.

    A process that the plugin has forked ends here.
    """
    if os.getpid() != before.process_id:
        _forks.end_child()
    _forks.calls -= 1
    found = "it forks a process that returns" if _forks.pending and _forks.have_returned() else ""
    if os.umask(before.umask) != before.umask:
        found = "it changes the umask"
    if before.folder and _current_folder() != before.folder:
        with contextlib.suppress(OSError):
            os.chdir(before.folder)
        found = "it changes the current folder"
    if not _are_open():
        found = "it closes the standard streams"
    if tuple(map(_signal.getsignal, _STOP_SIGNALS)) != before.handlers:
        _restore_handlers(before.handlers)
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        sys.stdin, sys.stdout, sys.stderr = before.streams
    if len(sys.path) < len(before.path):
        sys.path += [folder for folder in before.path if folder not in sys.path]
    return found


class unchanged_process:  # noqa: N801 - used as a statement
    """Raise `RuntimeError` if the state of the process changes within a block, and restore it."""

    def __enter__(self) -> None:
        self._before = current_state()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        changed = restore(self._before)
        if changed and error is None:
            raise RuntimeError(changed)


class _Forks:
    """The processes that plugins fork in this process.

    Each has a pipe to its parent: it says whether the process has returned from the plugin.

    Attributes
    ----------
    calls
        Number of calls of plugins that go on.
    pending
        Descriptors of the pipes of which nothing is known yet.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.pending: list[int] = []
        self._is_registered = False
        self._ends: tuple[int, int] | None = None
        self._writing = -1

    def watch(self) -> None:
        """Watch the forks of another call of a plugin."""
        self.calls += 1
        if not self._is_registered and hasattr(os, "register_at_fork"):
            self._is_registered = True
            os.register_at_fork(before=self._before, after_in_parent=self._in_parent, after_in_child=self._in_child)

    def _before(self) -> None:
        """Make a pipe, if a plugin is at work."""
        self._ends = None
        if self.calls:
            with contextlib.suppress(OSError):
                self._ends = os.pipe()

    def _in_parent(self) -> None:
        """Keep the end that is read."""
        if self._ends is not None:
            reading, writing = self._ends
            os.close(writing)
            self.pending.append(reading)

    def _in_child(self) -> None:
        """Keep the end that is written. The child may get other streams."""
        for descriptor in (*self.pending, *_copies.values()):
            _close(descriptor)
        self.pending = []
        _copies.clear()
        if self._ends is not None:
            reading, self._writing = self._ends
            os.close(reading)

    def end_child(self) -> None:
        """End this process, which has returned from a plugin, and tell its parent."""
        with contextlib.suppress(OSError):
            os.write(self._writing, b".")
        os._exit(1)

    def have_returned(self) -> bool:
        """Return whether one of the processes has returned. Those that work on are left alone."""
        deadline = time.monotonic() + FORK_PATIENCE
        pending, self.pending = self.pending, []
        if not HAS_POSIX:  # nobody forks
            return False
        returned = False
        for descriptor in pending:
            poll = select.poll()  # `select` refuses descriptors from 1024 on
            poll.register(descriptor, select.POLLIN)
            if poll.poll(max(0, 1000 * (deadline - time.monotonic()))):
                with contextlib.suppress(OSError):
                    returned |= bool(os.read(descriptor, 1))
            _close(descriptor)
        return returned


_forks = _Forks()


def _current_folder() -> str:
    """Return the current folder; empty if it has been removed."""
    try:
        return os.getcwd()  # noqa: PTH109 - pathlib is slow to import
    except OSError:
        return ""


def _copy_streams() -> None:
    """Copy the descriptors of the standard streams, except of those that are closed already."""
    for number in _STREAMS:
        copy = -1
        with contextlib.suppress(OSError):
            copy = os.dup(number)
        _copies[number] = copy


def _are_open() -> bool:
    """Return whether stdout and stderr are open, as they were. Standard streams that were closed are opened again."""
    found = True
    for number, copy in _copies.items():
        try:
            os.fstat(number)
        except OSError as error:
            if error.errno != errno.EBADF:  # it is open, and its disk fails
                continue
            with contextlib.suppress(OSError):
                os.dup2(copy, number)
                found &= number == 0  # nobody misses stdin
    return found


def _restore_handlers(handlers: tuple[Any, ...]) -> None:
    """Restore the handlers of signals. Only the main thread can, and only there could they be changed."""
    for number, handler in zip(_STOP_SIGNALS, handlers, strict=True):
        with contextlib.suppress(ValueError, TypeError):
            _signal.signal(number, handler)


def _close(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.close(descriptor)
