"""A worker: a process that prepares the chunks it is sent, until its connection ends."""

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
from tonearm.run.workers.messages import HEADER, Inbox, Message, send
from tonearm.startup import die_with_parent, keep_freed_memory


class _Worker:
    """Serves one connection."""

    def __init__(self, connection: socket.socket, make_preparer: Callable[[InterruptGate], Preparer]) -> None:
        self._connection = connection
        self._make_preparer = make_preparer
        self._batch: Batch = []
        self._stopping = False

    def on_term(self, *_: object) -> None:
        """Stop the current work. What is finished is still sent."""
        self._stopping = True
        raise KeyboardInterrupt

    def serve(self) -> None:
        """Prepare chunk after chunk."""
        with contextlib.suppress(KeyboardInterrupt), InterruptGate() as gate:
            self._serve(self._make_preparer(gate))

    def _serve(self, preparer: Preparer) -> None:
        self._send(Message([], idle=True))
        inbox = Inbox()
        while data := self._connection.recv(1 << 16):
            for chunk in inbox.feed(data):
                self._work(preparer, chunk)
            if self._stopping:
                return

    def _work(self, preparer: Preparer, chunk: list[Task]) -> None:
        output_error: tuple[str, str] | None = None
        bug = ""
        try:
            if not self._stopping:
                self._prepare(preparer, chunk)
        except OutputError as error:
            output_error = error.message, error.hint
        except KeyboardInterrupt:
            if not self._stopping:
                raise
        except Exception:
            bug = traceback.format_exc()
        self._send(Message(self._take_batch(), idle=not self._stopping, output_error=output_error, bug=bug))

    def _prepare(self, preparer: Preparer, chunk: list[Task]) -> None:
        timer = FlushTimer(flush_failures=preparer.settings.flush_failures)
        for task in chunk:
            for prepared in preparer.prepare(task):
                self._batch.append(prepared)
                if timer.is_due(prepared):
                    self._send(Message(self._take_batch()))
                    timer.restart()
                if self._stopping:
                    return

    def _take_batch(self) -> Batch:
        batch, self._batch = self._batch, []
        return batch

    def _send(self, message: Message) -> None:
        send(self._connection, message)


def serve(connection: socket.socket, make_preparer: Callable[[InterruptGate], Preparer]) -> int:
    """Serve a connection as a worker, and return an exit status.

    The run handles Ctrl-C and a closed terminal, so the worker ignores these. SIGTERM stops its work.
    """
    worker = _Worker(connection, make_preparer)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, worker.on_term)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        # What a plugin prints goes to stderr, or it would get between the lines of --json.
        with contextlib.suppress(OSError):
            os.dup2(2, 1)
        worker.serve()
    except KeyboardInterrupt:  # SIGTERM came before there was any work
        return 0
    except OSError:  # the run has ended
        return 1
    return 0


def main() -> None:
    """Work in a fresh interpreter, whose connection is an open file. The first message is the pipeline and settings."""
    parent, descriptor = int(sys.argv[1]), int(sys.argv[2])
    die_with_parent(parent)
    keep_freed_memory()
    connection = socket.socket(fileno=descriptor)
    (size,) = HEADER.unpack(connection.recv(HEADER.size, socket.MSG_WAITALL))
    content = connection.recv(size, socket.MSG_WAITALL)

    def make_preparer(gate: InterruptGate) -> Preparer:
        pipeline, settings = pickle.loads(content)  # noqa: S301 - from our own process
        pipeline.preflight()
        return Preparer(pipeline, settings, gate)

    os._exit(serve(connection, make_preparer))
