"""Messages between a run and its worker processes: pickles with their sizes before them.

Sockets are those of `_socket`, as `socket` wraps them: importing that takes as long as a fork.
"""

from __future__ import annotations

import _socket
import pickle
import struct
from collections.abc import Iterator
from typing import Any

HEADER = struct.Struct("!Q")
"""Header of a message: its size in bytes."""


def send(connection: _socket.socket, message: object) -> None:
    """Send a message. It blocks until there is room."""
    content = pickle.dumps(message, 5)
    connection.sendall(HEADER.pack(len(content)) + content)


class Inbox:
    """Assembles messages from the bytes that arrive."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """Add bytes and yield the messages that are complete."""
        self._received += data
        while len(self._received) >= HEADER.size:
            (size,) = HEADER.unpack_from(self._received)
            end = HEADER.size + size
            if len(self._received) < end:
                return
            message = pickle.loads(bytes(self._received[HEADER.size : end]))  # noqa: S301 - from our own process
            del self._received[:end]
            yield message
