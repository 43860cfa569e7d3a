"""A worker's process, seen from the run."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from abc import ABC, abstractmethod

from tonearm.run.workers.messages import Inbox, Message, send


class WorkerProcess(ABC):
    """A worker's process, seen from the run.

    Attributes
    ----------
    connection
        To talk to it.
    owner_id
        How the digits of its temporaries begin.
    """

    def __init__(self, connection: socket.socket, owner_id: str) -> None:
        self.connection = connection
        self.owner_id = owner_id
        self._inbox = Inbox()

    def receive(self) -> list[Message] | None:
        """Return what it said; None if it is gone."""
        try:
            data = self.connection.recv(1 << 18)
        except OSError:
            return None
        return list(self._inbox.feed(data)) if data else None

    def send(self, message: object) -> bool:
        """Send a message; return whether it could be."""
        try:
            send(self.connection, message)
        except OSError:
            return False
        return True

    def finish_sending(self) -> None:
        """Let it end when it has done what it was sent."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)

    def close_if_ended(self) -> None:
        """If it has ended, let what it said be followed by the end of its connection, whoever holds that open still.

        A process that it forked has its side of the connection, too, and may outlive it.
        """
        if self._has_ended():
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RD)

    def reap(self, patience: float) -> tuple[int, bool]:
        """Close its connection, which has ended, and see that it and what it started are gone.

        Returns its exit status, negative for a signal, and whether it would not end for so many seconds.
        """
        self.connection.close()
        deadline = time.monotonic() + patience
        while kept_running := not self._has_ended():
            if time.monotonic() > deadline:
                break
            time.sleep(0.001)
        # Nobody has waited for it yet, so that its number, which is that of its group, is still its own.
        send_signal(self.number, signal.SIGKILL)
        return self.wait(), kept_running

    def _has_ended(self) -> bool:
        try:
            return os.waitid(os.P_PID, self.number, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # somebody else waited for it
            return True

    @property
    @abstractmethod
    def number(self) -> int:
        """Of the process, and of its group."""

    @abstractmethod
    def signal(self, number: int) -> None:
        """Send it a signal, unless it is gone."""

    @abstractmethod
    def wait(self) -> int:
        """Wait for its end; return its exit status, negative for a signal."""


def send_signal(process: int, number: int) -> None:
    """Send a signal to a worker; a last one goes to the programs that it runs too."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if number == signal.SIGKILL:
            os.killpg(process, number)
        else:
            os.kill(process, number)
