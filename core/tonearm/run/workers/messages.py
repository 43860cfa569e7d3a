"""Messages between a run and its workers."""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from tonearm.run.workers.executor import Batch

HEAD = struct.Struct("!Q")


class Message(Struct, frozen=True):
    """What a worker says.

    Parameters
    ----------
    batch
        What it has finished since it last said something.
    idle
        Whether it waits for a chunk.
    output_error
        Message and hint, if the output side failed.
    bug
        Traceback, if something went wrong that is no error of an item.
    """

    batch: Batch
    idle: bool = False
    output_error: tuple[str, str] | None = None
    bug: str = ""


def send(connection: socket.socket, message: object) -> None:
    """Send a message; it waits until there is room."""
    content = pickle.dumps(message, 5)
    connection.sendall(HEAD.pack(len(content)) + content)


class Inbox:
    """Puts together messages from what arrives."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """Yield the messages that are complete."""
        self._received += data
        while len(self._received) >= HEAD.size:
            (size,) = HEAD.unpack_from(self._received)
            end = HEAD.size + size
            if len(self._received) < end:
                return
            message = pickle.loads(bytes(self._received[HEAD.size : end]))  # noqa: S301 - from our own process
            del self._received[:end]
            yield message
