"""Waiting until workers have sent something."""

from __future__ import annotations

import _socket
import select
import time
from typing import Any

from tonearm.system import HAS_POSIX


class Polling:
    """Connections to workers, to wait for whichever has something to receive first."""

    def __init__(self) -> None:
        self._connections: dict[int, _socket.socket] = {}
        self._poll: Any = None
        if HAS_POSIX:  # `select` takes few descriptors, and none with a large number
            self._poll = select.poll()

    def add(self, connection: _socket.socket) -> None:
        """Wait for a connection, too."""
        self._connections[connection.fileno()] = connection
        if HAS_POSIX and self._poll is not None:
            self._poll.register(connection, select.POLLIN)

    def remove(self, connection: _socket.socket) -> None:
        """Wait for a connection no longer."""
        del self._connections[connection.fileno()]
        if self._poll is not None:
            self._poll.unregister(connection)

    def wait(self, milliseconds: int) -> list[int]:
        """Wait, and return the descriptors of the connections that have something, or have ended."""
        if self._poll is not None:
            return [descriptor for descriptor, _ in self._poll.poll(milliseconds)]
        if not self._connections:  # Windows refuses to wait for nothing
            time.sleep(milliseconds / 1000)
            return []
        ready, _, _ = select.select(list(self._connections), [], [], milliseconds / 1000)
        return ready
