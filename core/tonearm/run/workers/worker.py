"""A worker: a process that works at the chunks it is sent, until its connection ends."""

from __future__ import annotations

import _socket
import contextlib
import os
import pickle
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from tonearm.descendants import kill_descendants
from tonearm.errors import OutputError, debug_messages
from tonearm.plugins.executor import Results
from tonearm.run.workers.health import Health, UnfitError
from tonearm.run.workers.interrupts import SIGNALS, InterruptGate
from tonearm.run.workers.messages import HEADER, Inbox, send
from tonearm.run.workers.work import PipelineWork
from tonearm.startup import die_with_parent, flush_c_streams, keep_freed_memory
from tonearm.system import HAS_POSIX

NO_OWNER = "00000000"
"""Id of a worker that has no owner of temporaries, and so cannot write any."""


UNFIT = 71
"""Exit status of a worker whose process can write no outputs any more."""


class _Worker:
    """Serves one connection."""

    def __init__(self, connection: _socket.socket, make_work: Callable[[InterruptGate], PipelineWork]) -> None:
        self._connection = connection
        self._make_work = make_work
        self._stopping = False

    def on_term(self, *_: object) -> None:
        """Stop the current work. What is finished is still sent."""
        self._stopping = True
        raise KeyboardInterrupt

    def serve(self) -> None:
        """Work at chunk after chunk."""
        with contextlib.suppress(KeyboardInterrupt), InterruptGate() as gate:
            work = self._make_work(gate)
            try:
                self._serve(work)
            finally:
                work.close()

    def _serve(self, work: PipelineWork) -> None:
        work.health = health = Health()
        try:
            owner = work.owner()
        except OutputError:  # the first chunk fails of it, too, and tells the run
            owner = NO_OWNER
        self._send(Results(owner=owner))

        def alive(results: Results) -> None:
            with work.gate.closed():  # half a message would spoil those after it
                self._send(results)

        inbox = Inbox()
        while data := self._connection.recv(1 << 16):
            for chunk in inbox.feed(data):
                for results in work.stream(chunk, alive):
                    error = getattr(results, "error", None)
                    if error is not None and health.explains(error):
                        raise UnfitError("another worker tries what is left") from error
                    self._send(results)

    def _send(self, results: Results) -> None:
        send(self._connection, results)


def serve(connection: _socket.socket, make_work: Callable[[InterruptGate], PipelineWork]) -> int:
    """Serve a connection as a worker, and return an exit status.

    The run handles Ctrl-C and a closed terminal, so the worker ignores these. SIGTERM stops its work.
    """
    worker = _Worker(connection, make_work)
    for name in ("SIGINT", "SIGHUP", "SIGPIPE"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, worker.on_term)
    try:
        if HAS_POSIX:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        # What a plugin prints goes to stderr, or it would get between the lines of --json.
        with contextlib.suppress(OSError):
            os.dup2(2, 1)
        worker.serve()
    except KeyboardInterrupt:  # SIGTERM came before there was any work
        return 0
    except UnfitError:
        return UNFIT
    except OSError:  # the run has ended
        return 1
    return 0


def main() -> None:
    """Work in a fresh interpreter, which inherits its connection. The first message is the work.

    Windows passes no descriptors on. There the run writes to this process what the system needs to share a socket.
    """
    parent, descriptor = int(sys.argv[1]), int(sys.argv[2])
    die_with_parent(parent)
    keep_freed_memory()
    if descriptor >= 0:
        connection = _socket.socket(fileno=descriptor)
    else:
        import socket

        connection = socket.fromshare(sys.stdin.buffer.read())  # type: ignore[attr-defined,unused-ignore]
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    (size,) = HEADER.unpack(connection.recv(HEADER.size, _socket.MSG_WAITALL))
    content = connection.recv(size, _socket.MSG_WAITALL)

    def make_work(gate: InterruptGate) -> PipelineWork:
        pipeline, store, settings = pickle.loads(content)  # noqa: S301 - from our own process
        if settings.debug:
            debug_messages.print_from_here_on()
        pipeline.preflight()
        return PipelineWork(pipeline, store, settings, gate)

    end(serve(connection, make_work))


def end(status: int) -> NoReturn:
    """End the process of a worker, and the programs that plugins have left in it."""
    flush_c_streams()
    kill_descendants(os.getpid())
    os._exit(status)
