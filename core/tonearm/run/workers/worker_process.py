"""A worker's process as the run sees it."""

from __future__ import annotations

import _socket
import contextlib
import os
import time
from abc import ABC, abstractmethod

from tonearm.descendants import SIGKILL, kill_with_descendants
from tonearm.plugins.executor import Results
from tonearm.run.workers.messages import Inbox, send
from tonearm.system import HAS_POSIX


class WorkerProcess(ABC):
    """A worker's process as the run sees it.

    Parameters
    ----------
    connection
        Connection to the worker.
    """

    def __init__(self, connection: _socket.socket) -> None:
        self.connection = connection
        self._inbox = Inbox()

    def receive(self) -> list[Results] | None:
        """Return the results that have arrived; None if the connection has ended."""
        try:
            data = self.connection.recv(1 << 18)
        except OSError:
            return None
        return list(self._inbox.feed(data)) if data else None

    def send(self, message: object) -> bool:
        """Send a message, and return whether that was possible."""
        try:
            send(self.connection, message)
        except OSError:
            return False
        return True

    def finish_sending(self) -> None:
        """End the connection towards the worker, so that it ends when it has done what it was sent."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(_socket.SHUT_WR)

    def close_if_ended(self) -> None:
        """End the connection from the worker if its process has ended. What it has sent can still be received.

        A process that the worker forked may outlive it and keep the worker's side of the connection open.
        """
        if self._has_ended():
            with contextlib.suppress(OSError):
                self.connection.shutdown(_socket.SHUT_RD)

    def reap(self, timeout: float) -> tuple[int, bool]:
        """Reap the process after its connection has ended, and kill the programs that it started.

        Parameters
        ----------
        timeout
            Seconds that the process has to end before it is killed.

        Returns
        -------
        status
            Exit status; negative for a signal.
        timed_out
            Whether the process had to be killed.
        """
        self.connection.close()
        deadline = time.monotonic() + timeout
        while timed_out := not self._has_ended():
            if time.monotonic() > deadline:
                break
            time.sleep(0.001)
        # Where there is `waitid`, nobody has waited for the process yet, so its id, that of its group, is not reused.
        send_signal(self.process_id, SIGKILL)
        return self.wait(), timed_out

    def _has_ended(self) -> bool:
        """Return whether the process has ended, without waiting for it."""
        if not HAS_POSIX:
            raise NotImplementedError
        try:
            return os.waitid(os.P_PID, self.process_id, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # somebody else has waited for it
            return True

    @property
    @abstractmethod
    def process_id(self) -> int:
        """Id of the process and of its group."""

    @abstractmethod
    def signal(self, number: int) -> None:
        """Send a signal to the process, unless it has ended."""

    @abstractmethod
    def wait(self) -> int:
        """Wait for the end of the process, and return its exit status; negative for a signal."""


def send_signal(process_id: int, number: int) -> None:
    """Send a signal to a worker. SIGKILL also goes to the programs that it runs, in its group and outside of it.

    Windows has no signals: there a worker that does not stop by itself can only be killed.
    """
    if not HAS_POSIX:
        if number == SIGKILL:
            kill_with_descendants(process_id)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if number == SIGKILL:
            kill_with_descendants(process_id)
            os.killpg(process_id, number)
        else:
            os.kill(process_id, number)
