"""A worker: a process that prepares the chunks it is sent, until nobody is there to send any."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import sys
import traceback
from collections.abc import Callable

from tonearm.errors import OutputError
from tonearm.run.prepare import Preparer
from tonearm.run.tasks import Task
from tonearm.run.workers.executor import Batch
from tonearm.run.workers.flush_timer import FlushTimer
from tonearm.run.workers.interrupts import SIGNALS, InterruptGate
from tonearm.run.workers.memory import keep_memory
from tonearm.run.workers.messages import HEAD, Inbox, Message, send


class _Worker:
    """Serves one connection."""

    def __init__(self, connection: socket.socket, make: Callable[[InterruptGate], Preparer]) -> None:
        self._connection = connection
        self._make = make
        self._batch: Batch = []
        self._stopping = False

    def on_term(self, *_: object) -> None:
        """Leave the work at hand; what is finished is still sent."""
        self._stopping = True
        raise KeyboardInterrupt

    def serve(self) -> None:
        """Prepare chunk after chunk."""
        with contextlib.suppress(KeyboardInterrupt), InterruptGate() as gate:
            self._serve(self._make(gate))

    def _serve(self, preparer: Preparer) -> None:
        self._send(Message([], idle=True))
        inbox = Inbox()
        while data := self._connection.recv(1 << 16):
            for chunk in inbox.feed(data):
                self._do(preparer, chunk)
            if self._stopping:
                return

    def _do(self, preparer: Preparer, chunk: list[Task]) -> None:
        error: tuple[str, str] | None = None
        bug = ""
        try:
            if not self._stopping:
                self._prepare(preparer, chunk)
        except OutputError as failed:
            error = failed.message, failed.hint
        except KeyboardInterrupt:
            if not self._stopping:
                raise
        except Exception:
            bug = traceback.format_exc()
        idle = not self._stopping
        self._send(Message(self._taken(), idle=idle, output_error=error, bug=bug))

    def _prepare(self, preparer: Preparer, chunk: list[Task]) -> None:
        flush = FlushTimer(flush_failures=preparer.settings.flush_failures)
        for task in chunk:
            for prepared in preparer.prepare(task):
                self._batch.append(prepared)
                if flush.is_due(prepared):
                    self._send(Message(self._taken()))
                    flush.restart()
                if self._stopping:
                    return

    def _taken(self) -> Batch:
        batch, self._batch = self._batch, []
        return batch

    def _send(self, message: Message) -> None:
        send(self._connection, message)


def serve(connection: socket.socket, make: Callable[[InterruptGate], Preparer]) -> int:
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
    keep_memory()
    connection = socket.socket(fileno=descriptor)
    (size,) = HEAD.unpack(connection.recv(HEAD.size, socket.MSG_WAITALL))
    content = connection.recv(size, socket.MSG_WAITALL)

    def make(gate: InterruptGate) -> Preparer:
        pipeline, settings = pickle.loads(content)  # noqa: S301 - from our own process
        pipeline.preflight()
        return Preparer(pipeline, settings, gate)

    os._exit(serve(connection, make))
