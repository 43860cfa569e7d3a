"""The parent that watches a command: it holds the signals and the time, and gives the exit status.

A library that hangs may hold the interpreter, and then neither a handler of a signal runs nor a thread. So the process
of ``convert``, of ``inspect`` and of a run without workers forks at its very start. The child works: it reads, prints
and ends as the process would without a parent. The parent kills it after a second signal, or if it has given no sign of
life for too long. If the child of a run dies, another one continues the run with a worker process, which can be lost.

Each page of memory that parent or child writes after a fork is copied, and that is what a fork costs. So the process
forks before anything is imported, and the parent imports next to nothing. It waits in a single call: signs of life and
signals come through one pipe. That is why this module looks like C.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tonearm.cli.watched_work import WatchedWork

TIMEOUT = 600.0
"""Seconds without a sign of life after which the work is given up, unless the work sets another limit."""

STOP_TIMEOUT = 5.0
"""Seconds that the work has to end after the first signal."""

pipe: int | None = None
"""Descriptor of the pipe to the parent that watches this process; None if none does."""

parent = 0
"""Process id of that parent."""

_inode, _number_in_parent = 0, -1
"""Inode of the pipe, and its descriptor in the parent."""

attempt = 1
"""Number of this child: another one has died before the second."""

_signal: Any = __import__("_signal")  # `signal` makes enumerations of it, which takes as long as a fork
_WITHOUT_BAR = b"\r\x1b[K\x1b[?25h"  # erases the line of a bar, and shows the cursor, which the bar hides
_END = b"="  # before the exit status
_NEWLINE = 10  # the only control character in lines; bytes below 32 are the numbers of signals otherwise


def fork() -> None:
    """Fork. A child returns, with its signals blocked until `handle_signals`; the parent watches and never returns.

    Without `os.fork`, if the system allows no more processes, or with threads, which a fork would not copy, this does
    nothing.
    """
    global pipe, parent, attempt, _inode, _number_in_parent
    if sys.platform == "win32" or not hasattr(os, "fork") or _has_threads():
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    own = os.getpid()
    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)  # where it is ignored, the status of a child is lost
    # Until the child has its own handlers, a signal would end it.
    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, (*_stop_signals(), _signal.SIGCHLD))
    try:
        child = os.fork()
    except OSError:  # the system allows no more processes
        _signal.pthread_sigmask(_signal.SIG_SETMASK, before)
        os.close(reading)
        os.close(writing)
        return
    if child:
        _Watcher(child, reading).watch(writing, before)
        attempt = 2
    os.close(reading)
    pipe, parent, _number_in_parent = writing, own, writing
    _inode = os.fstat(writing).st_ino


def report_end(status: int) -> None:
    """Tell the parent, if there is one, that the work has ended with an exit status.

    What happens to the process after that does not count: libraries crash at their end, and threads of plugins go on.
    """
    if pipe is not None:
        try:
            tell(b"%b%d\n" % (_END, status))
        except OSError:  # the parent has ended
            return


def tell(line: bytes) -> None:
    """Write a line to the parent. If a plugin has closed the pipe, it is opened again.

    Raises
    ------
    OSError
        If that fails.
    """
    global pipe
    if sys.platform == "win32":
        return
    if pipe is None or not _is_pipe(pipe):
        # Its number may be that of an output by now.
        pipe = os.open(f"/proc/{parent}/fd/{_number_in_parent}", os.O_WRONLY | os.O_NONBLOCK)
    os.write(pipe, line)


def _is_pipe(descriptor: int) -> bool:
    """Return whether a descriptor is still that of the pipe to the parent."""
    try:
        return os.fstat(descriptor).st_ino == _inode
    except OSError:
        return False


def handle_signals() -> None:
    """Handle the signals of a child that `fork` has made: the first one ends its work in good order."""
    if sys.platform == "win32":
        return
    import signal

    from tonearm.startup import StopHandler, stop_signals

    StopHandler.install(ends_process=False)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*stop_signals(), signal.SIGCHLD))


def _stop_signals() -> tuple[int, ...]:
    return _signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP


def _has_threads() -> bool:
    """Return whether this process has more than one thread."""
    try:
        return len(os.listdir("/proc/self/task")) > 1  # noqa: PTH208 - pathlib is slow to import
    except OSError:
        return len(sys._current_frames()) > 1  # noqa: SLF001 - documented, in spite of its name


class _Watcher:
    """The parent, which watches the child.

    Parameters
    ----------
    child
        Process id of the child.
    descriptor
        Descriptor of the pipe, from which signs of life and signals are read.
    """

    def __init__(self, child: int, descriptor: int) -> None:
        self.child = child
        self.descriptor = descriptor
        self.timeout = TIMEOUT
        self.line = b""  # which work is done, as `WatchedWork.encode` says it
        self.rest = b""
        self.last = time.monotonic()
        self.stopped_by = 0
        self.status: int | None = None
        """Exit status that the child has reported at its end; None if it has not."""

    def watch(self, writing: int, mask: object) -> None:
        """Wait for the end of the child, bring it about if need be, and end this process with its status.

        This returns only in another child, which continues the work of the first.

        Parameters
        ----------
        writing
            Descriptor of the other end of the pipe, to which signals are written.
        mask
            Signals that were blocked before this process forked.
        """
        if sys.platform == "win32":
            return
        _signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in (*_stop_signals(), _signal.SIGCHLD, _signal.SIGCONT, _signal.SIGALRM):
            if number != _signal.SIGHUP or _signal.getsignal(number) != _signal.SIG_IGN:  # nohup
                _signal.signal(number, _do_nothing)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        while True:
            if self._set_alarm():
                return
            data = os.read(self.descriptor, 1 << 16)
            numbers = [byte for byte in data if byte < 32 and byte != _NEWLINE]
            if len(numbers) < len(data):
                self._read(bytes(byte for byte in data if byte >= 32 or byte == _NEWLINE) if numbers else data)
            if _signal.SIGCHLD in numbers:
                found, status = os.waitpid(self.child, os.WNOHANG)
                if found:
                    if self.status is not None or self.stopped_by or not self._fork_again():
                        os._exit(self._exit_status(os.waitstatus_to_exitcode(status)))
                    if not self.child:
                        return
            for number in numbers:
                self._handle(number)

    def _fork_again(self) -> bool:
        """Fork another child, if the work can be continued. Return whether it can. In the child, ``child`` is 0."""
        if sys.platform == "win32":
            return False
        if not self._work().can_continue:
            return False
        from tonearm.cli import console

        console.print_message("warning: a source ended the process or gave no sign of life; a worker process goes on")
        mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, (*_stop_signals(), _signal.SIGCHLD))
        self.child = os.fork()
        if not self.child:
            _signal.set_wakeup_fd(-1)
            for number in (_signal.SIGCHLD, _signal.SIGCONT, _signal.SIGALRM):
                _signal.signal(number, _signal.SIG_DFL)
            return True
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        self.line, self.rest, self.timeout, self.last = b"", b"", TIMEOUT, time.monotonic()
        return True

    def _set_alarm(self) -> bool:
        """Have SIGALRM come when the child's time is over, unless it comes before that anyway.

        If it is over now, the child ends. Return whether this process is another one, which continues the work.
        """
        limit = self._limit()
        if limit and not _signal.getitimer(_signal.ITIMER_REAL)[0]:
            left = self.last + limit - time.monotonic()
            if left <= 0:
                return self._give_up()
            _signal.setitimer(_signal.ITIMER_REAL, min(left, 1e6))
        return False

    def _limit(self) -> float:
        """Return how many seconds the child may be silent; 0 for ever."""
        return self.timeout if not self.stopped_by and self.status is None else STOP_TIMEOUT

    def _read(self, data: bytes) -> None:
        """Read signs of life: empty lines, or lines that tell which work begins, or with which status all ends."""
        if not self.stopped_by:
            self.last = time.monotonic()
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in filter(None, lines):
            if line.startswith(_END):
                self.status = int(line[len(_END) :])
            else:
                self.line, self.timeout = line, float(line.partition(b" ")[0])
            _signal.setitimer(_signal.ITIMER_REAL, 0)

    def _handle(self, number: int) -> None:
        """Handle a signal: the first one that stops ends the child in good order, the second one at once."""
        if number == _signal.SIGCONT:  # the time during which nobody worked does not count
            self.last = time.monotonic()
        if number not in _stop_signals():
            return
        if self.stopped_by:
            from tonearm.startup import end_by_signal

            self._kill()
            self._work().remove_leftovers()
            end_by_signal(number)
        self.stopped_by, self.last = number, time.monotonic()
        _signal.setitimer(_signal.ITIMER_REAL, 0)
        os.kill(self.child, number)

    def _work(self) -> WatchedWork:
        """Return the work that the child was doing. From here on everything may be imported."""
        from tonearm.cli import console
        from tonearm.cli.watched_work import WatchedWork

        console.prepare_streams()
        return WatchedWork.decode(self.line) if self.line else WatchedWork("", self.timeout)

    def _give_up(self) -> bool:
        """End the child because its time is over, and this process, unless another child continues the work.

        Return whether this process is that child.
        """
        from tonearm import startup
        from tonearm.cli import console

        self._kill()
        if self.status is not None:  # a thread of a plugin went on
            startup.exit_at_once(self.status)
        work = self._work()
        if self.stopped_by:
            work.remove_leftovers()
            startup.exit_at_once(console.report_interrupt(startup.interrupt_of(self.stopped_by)))
        if not self._fork_again():
            startup.exit_at_once(work.time_out())
        return not self.child

    def _exit_status(self, status: int) -> int:
        """Return the exit status: the one that the child reported, or else one for how it ended, after a message.

        If the child has ended without a report, a plugin has ended it.
        """
        if self.status is not None:
            return self.status
        work = self._work()
        if self.stopped_by and self.stopped_by in (-status, status - 128):
            work.remove_leftovers()
            return 128 + self.stopped_by
        return work.died(status)

    def _kill(self) -> None:
        """Kill the child with all programs that it has started, and wait for its end."""
        from tonearm.descendants import kill_with_descendants

        kill_with_descendants(self.child)
        os.waitpid(self.child, 0)
        if os.isatty(2):
            os.write(2, _WITHOUT_BAR)


def _do_nothing(*_: object) -> None:
    """Handle a signal, whose number has been written to the pipe."""
