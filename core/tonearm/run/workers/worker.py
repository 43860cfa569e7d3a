"""A worker: a process that prepares the chunks it is sent, until nobody is there to send any."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from tonearm.errors import OutputError
from tonearm.run.prepare import Preparer
from tonearm.run.tasks import Task
from tonearm.run.workers.executor import Batch, Flush
from tonearm.run.workers.interrupts import SIGNALS, Gate
from tonearm.startup import keep_freed_memory

_HEAD = struct.Struct("!Q")


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
    connection.sendall(_HEAD.pack(len(content)) + content)


class Inbox:
    """Puts together messages from what arrives."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """Yield the messages that are complete."""
        self._received += data
        while len(self._received) >= _HEAD.size:
            (size,) = _HEAD.unpack_from(self._received)
            end = _HEAD.size + size
            if len(self._received) < end:
                return
            message = pickle.loads(bytes(self._received[_HEAD.size : end]))  # noqa: S301 - from our own process
            del self._received[:end]
            yield message


class _Worker:
    """Serves one connection."""

    def __init__(self, connection: socket.socket, make: Callable[[Gate], Preparer]) -> None:
        self._connection = connection
        self._make = make
        self._batch: Batch = []
        self._told_to_stop = False

    def on_term(self, *_: object) -> None:
        """Leave the work at hand; what is finished is still sent."""
        self._told_to_stop = True
        raise KeyboardInterrupt

    def serve(self) -> None:
        """Prepare chunk after chunk."""
        with contextlib.suppress(KeyboardInterrupt), Gate() as gate:
            self._serve(self._make(gate))

    def _serve(self, preparer: Preparer) -> None:
        self._send(Message([], idle=True))
        inbox = Inbox()
        while data := self._connection.recv(1 << 16):
            for chunk in inbox.feed(data):
                self._do(preparer, chunk)
            if self._told_to_stop:
                return

    def _do(self, preparer: Preparer, chunk: list[Task]) -> None:
        error: tuple[str, str] | None = None
        bug = ""
        try:
            if not self._told_to_stop:
                self._prepare(preparer, chunk)
        except OutputError as failed:
            error = failed.message, failed.hint
        except KeyboardInterrupt:
            if not self._told_to_stop:
                raise
        except Exception:
            bug = traceback.format_exc()
        idle = not self._told_to_stop
        self._send(Message(self._taken(), idle=idle, output_error=error, bug=bug))

    def _prepare(self, preparer: Preparer, chunk: list[Task]) -> None:
        flush = Flush(impatient=preparer.settings.impatient)
        for task in chunk:
            for prepared in preparer.prepare(task):
                self._batch.append(prepared)
                if flush.is_due(prepared):
                    self._send(Message(self._taken()))
                    flush.restart()
                if self._told_to_stop:
                    return

    def _taken(self) -> Batch:
        batch, self._batch = self._batch, []
        return batch

    def _send(self, message: Message) -> None:
        send(self._connection, message)


def serve(connection: socket.socket, make: Callable[[Gate], Preparer]) -> int:
    """Be a worker; return an exit status. Ctrl-C and a closed terminal are the run's affair, SIGTERM ends the work."""
    worker = _Worker(connection, make)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, worker.on_term)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        # What a plugin prints must not get between the lines of --json.
        with contextlib.suppress(OSError):
            os.dup2(2, 1)
        worker.serve()
    except KeyboardInterrupt:  # told to stop before there was anything to do
        return 0
    except OSError:  # the run is gone: nobody takes what we have
        return 1
    return 0


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent ends, however that happens; only Linux can."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)


def main() -> None:
    """Be a worker in a fresh interpreter: the connection is an open file, and the first message says what to do."""
    parent, descriptor = int(sys.argv[1]), int(sys.argv[2])
    die_with_parent(parent)
    keep_freed_memory()
    connection = socket.socket(fileno=descriptor)
    (size,) = _HEAD.unpack(connection.recv(_HEAD.size, socket.MSG_WAITALL))
    content = connection.recv(size, socket.MSG_WAITALL)

    def make(gate: Gate) -> Preparer:
        pipeline, settings = pickle.loads(content)  # noqa: S301 - from our own process
        pipeline.preflight()
        return Preparer(pipeline, settings, gate)

    os._exit(serve(connection, make))
