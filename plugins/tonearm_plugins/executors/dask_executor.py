"""The executor of Dask: the workers of a cluster that is there, or of one on this machine."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import itertools
import math
import os
import pickle
import queue
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from tonearm.api import Died, Executor, Requirement, Results, TonearmError, Work
from tonearm_plugins.executors.dask_cluster import Cluster
from tonearm_plugins.executors.dask_connection import Connection, import_quietly
from tonearm_plugins.executors.dask_options import DaskOptions
from tonearm_plugins.executors.dask_tasks import task

RECONNECT_SECONDS = 60.0
"""Time in seconds that the run waits for a scheduler, at first and when it is lost."""

CHUNK_SECONDS = 0.5
"""Work in a chunk in seconds, unless there are very many workers."""

PATIENCE_SECONDS = 5.0
"""Time in seconds without an answer of the scheduler after which people are told that the run waits for it."""

LEAVE_SECONDS = 0.2
"""Time in seconds in which the run hears of the chunks that had begun when the workers were told to stop."""

LIFE_SECONDS = 0.25
"""Time in seconds between two signs of life of chunks that wait for a worker."""

LOST_HINT = "the worker's log may say why; if it ran out of memory, give it more, or fewer threads"


class _Chunk:
    """A chunk in flight.

    Attributes
    ----------
    content
        Pickled chunk.
    alone
        Whether no other chunk may be at work in its process.
    future
        Future of Dask; None while there is no scheduler.
    worker, owner
        Address of the worker that has begun, and the owner of its temporaries; empty before.
    pieces
        Number of messages with results that have come, by attempt.
    result
        Result of the task, if messages with results that were sent before are missing.
    """

    def __init__(self, content: bytes, *, alone: bool) -> None:
        self.content = content
        self.alone = alone
        self.future: Any = None
        self.worker = self.owner = ""
        self.pieces: dict[str, int] = {}
        self.result: tuple[str, int, list[Results]] | None = None


class DaskExecutor(Executor[DaskOptions]):
    """Convert on the workers of a Dask cluster, which must see the output folder and the sources."""

    requires = (Requirement(name="distributed", hint="pip install 'tonearm[dask]'"),)
    isolates = True
    chunk_seconds = CHUNK_SECONDS

    def open(self, work: Work, slots: int) -> None:
        """Begin to connect to the scheduler, or to start a cluster on this machine."""
        import_quietly()
        self._work = work
        self._slots = slots
        self._packed = pickle.dumps(work, 5)
        client = self.options.client
        self._scheduler = self.options.scheduler
        self._client_options: dict[str, Any] = {}
        if client is not None:  # a client of its own beside it can be closed, and leaves it as it is
            self._scheduler = client.scheduler.address
            self._client_options = {"security": client.security, "direct_to_workers": client.direct_to_workers}
        self._run = f"tonearm-{os.urandom(6).hex()}"
        self._numbers = itertools.count()
        self._chunks: dict[str, _Chunk] = {}
        self._found: deque[tuple[str, Results | Died]] = deque()
        self._news: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        """What other threads have to say: functions, called in the thread of the run."""
        self._cluster = Cluster(self.options.workers, self.options.resources, work.holds_interpreter)
        self._connection: Connection | None = None
        self._opening: Connection | None = None
        self._next_signs = 0.0
        self._patient_until = time.monotonic() + PATIENCE_SECONDS if self._scheduler else math.inf
        self._is_leaving = False
        self._connect()

    # The connection

    def _connect(self) -> None:
        """Begin to connect. Until there is a connection, chunks wait."""
        opening = self._opening = Connection(
            scheduler=self._scheduler,
            workers=self._slots,
            options=self._client_options,
            seconds=RECONNECT_SECONDS,
            topic=self._run,
            versions=self._work.versions(),
            uses=self._cluster.uses,
            on_event=self._on_event,
            on_cluster_event=self._on_cluster_event,
        )
        opening.open(lambda error: self._news.put(lambda: self._take_connection(opening, error)))

    def _take_connection(self, opening: Connection, error: TonearmError | None) -> None:
        if self._opening is not opening:
            return
        self._opening = None
        self._patient_until = math.inf
        if error is not None:
            raise error
        self._connection = opening
        self._see(opening.info)
        self._cluster.greet(opening)
        for key, chunk in self._chunks.items():
            if chunk.future is None:
                self._start(key)

    def _check_connection(self) -> None:
        """If the scheduler is lost, give back the chunks in flight, and begin to look for one at its address."""
        lost = self._connection
        if lost is None or not lost.is_lost():
            return
        self._connection = None
        lost.abandon()
        if not self._scheduler:
            raise TonearmError("the cluster on this machine has ended", code="broken-worker")
        self._cluster.note(f"the scheduler {lost.name} is lost; waiting {RECONNECT_SECONDS:g} s for one there")
        for key in [key for key, chunk in self._chunks.items() if chunk.future is not None]:
            self._lose(key, "the scheduler was lost", taken_away=True)
        self._connect()

    # In the thread of the client

    def _on_event(self, event: tuple[float, dict[str, Any]]) -> None:
        self._news.put(lambda: self._take_message(event[1]))

    def _on_cluster_event(self, event: tuple[float, dict[str, Any]]) -> None:
        message = event[1]
        if isinstance(message, dict) and message.get("action") in ("add-worker", "remove-worker"):
            self._news.put(lambda: self._take_change(message))

    async def _follow(self, key: str, future: Any) -> None:
        try:
            result = await future
        except BaseException as error:
            raised = error
            self._news.put(lambda: self._take_failure(key, future, raised))
        else:
            self._news.put(lambda: self._take_result(key, future, result))

    async def _count(self, connection: Connection) -> None:
        info = await connection.workers()
        self._news.put(lambda: self._see(info))

    # In the thread of the run

    def _see(self, info: dict[str, dict[str, Any]]) -> None:
        self._cluster.see(info)
        self.chunk_seconds = self._cluster.chunk_seconds(CHUNK_SECONDS)

    def capacity(self) -> int | None:
        """Return twice the number of chunks that the workers can be at, so that none waits for the run."""
        return self._cluster.capacity()

    def notes(self) -> list[str]:
        """Return the address of the dashboard, and what has happened to workers and the scheduler."""
        if time.monotonic() >= self._patient_until:
            self._patient_until = math.inf
            where = f"the scheduler {self._scheduler} has not answered yet"
            self._cluster.note(f"{where}; the run waits {RECONNECT_SECONDS:g} s for it")
        return self._cluster.notes()

    def submit(self, chunk: object) -> str:
        """Submit a chunk as one task."""
        key = f"{self._run}-{next(self._numbers)}"
        self._chunks[key] = _Chunk(pickle.dumps(chunk, 5), alone=self._work.is_retry(chunk))
        self._start(key)
        return key

    def _start(self, key: str) -> None:
        connection, options, chunk = self._connection, self.options, self._chunks[key]
        if connection is None:
            return
        call = task(work=self._packed, chunk=chunk.content, key=key, topic=self._run, alone=chunk.alone)
        try:
            chunk.future = connection.client.submit(
                call,
                key=key,
                pure=False,
                retries=0,
                priority=options.priority,
                resources=options.resources or None,
                workers=self._cluster.chosen(),
            )
            connection.call_later(self._follow, key, chunk.future)
        except Exception:
            if not connection.is_lost():  # which is noticed soon
                raise

    def wait(self, seconds: float) -> Iterator[tuple[str, Results | Died]]:
        """Yield what has come from the cluster."""
        self._check_connection()
        if not self._found:
            with contextlib.suppress(queue.Empty):
                self._news.get(timeout=seconds)()
            self._take_news()
            self._give_signs_of_life()
            if self._connection is not None and self._cluster.is_due():
                self._connection.call_later(self._count, self._connection)
        while self._found:
            yield self._found.popleft()

    def _take_news(self) -> None:
        """Take what has come, and wait for nothing."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._news.get_nowait()()

    def _give_signs_of_life(self) -> None:
        """Give a sign of life for each chunk that waits for a worker."""
        now = time.monotonic()
        if now >= self._next_signs:
            self._next_signs = now + LIFE_SECONDS
            waiting = [key for key, chunk in self._chunks.items() if not chunk.worker]
            self._found += ((key, Results(last=False)) for key in waiting)

    def _take_message(self, message: dict[str, Any]) -> None:
        """Take what a worker says about a chunk: that it begins or goes on, or what is finished."""
        key = message["key"]
        chunk = self._chunks.get(key)
        if chunk is None:
            return
        chunk.worker = message["worker"]
        for results in pickle.loads(message["results"]):  # noqa: S301 - from our worker
            chunk.owner = results.owner or chunk.owner
            self._found.append((key, results))
            if results.last:
                self._chunks.pop(key, None)
                return
        if message["number"]:
            attempt = message["attempt"]
            chunk.pieces[attempt] = chunk.pieces.get(attempt, 0) + 1
        if chunk.result is not None:
            self._take_result(key, chunk.future, chunk.result)

    def _take_result(self, key: str, future: Any, result: tuple[str, int, list[Results]]) -> None:
        """Take the result of a task, unless messages that were sent before it are still to come."""
        chunk = self._chunks.get(key)
        if chunk is None or chunk.future is not future:
            return
        attempt, sent, results = result
        if chunk.pieces.get(attempt, 0) < sent:
            chunk.result = result
            return
        del self._chunks[key]
        self._found += ((key, one) for one in results)

    def _take_failure(self, key: str, future: Any, error: BaseException) -> None:
        """Take the failure of a task that is no result: it was cancelled elsewhere, or its worker cannot load it."""
        from distributed import KilledWorker

        chunk = self._chunks.get(key)
        if chunk is None or chunk.future is not future or isinstance(error, KilledWorker):
            return  # whose fault the death of a worker is, its removal says
        if self._connection is None or self._connection.is_lost():
            self._check_connection()
        elif isinstance(error, asyncio.CancelledError | concurrent.futures.CancelledError):
            self._lose(key, "it was cancelled", taken_away=True)
        else:
            connection = self._connection
            connection.compare(connection.call(connection.workers))
            raise TonearmError(str(error), code="broken-worker", hint="install there what is installed here")

    def _take_change(self, message: dict[str, Any]) -> None:
        """Take the coming or going of a worker. Dask would run its chunks again elsewhere, which is the run's."""
        worker = message["worker"]
        if message["action"] == "add-worker":
            self._cluster.add(worker)
            return
        expected = self._cluster.remove(worker, expected=message["expected"])
        lost = [key for key in message["lost-computed-tasks"] if key in self._chunks]
        held = [key for key in message["processing-tasks"] if key in self._chunks]
        suspects = self._suspects(worker, held)
        for key in lost + held:
            is_fault = key in suspects and not expected
            self._lose(key, f"its worker {worker} was lost", hint=LOST_HINT, taken_away=not is_fault)

    def _suspects(self, worker: str, held: list[str]) -> set[str]:
        """Return which chunks a worker may have died at. It runs them in order, and may die before it says so."""
        begun = [key for key in held if self._chunks[key].worker == worker]
        lone = {key for key in begun if self._chunks[key].alone}
        if lone:
            return lone
        waiting = [key for key in held if key not in begun and not self._chunks[key].alone]
        waiting.sort(key=lambda key: int(key.rpartition("-")[2]))
        return {*begun, *waiting[: max(0, self._cluster.threads(worker) - len(begun))]}

    def _lose(self, key: str, reason: str, *, hint: str = "", taken_away: bool = False) -> None:
        chunk = self._chunks.pop(key)
        if chunk.future is not None and self._connection is not None:
            self._connection.call_later(self._connection.client.cancel, [chunk.future])
        self._found.append((key, Died(reason, chunk.owner, taken_away=taken_away, hint=hint)))

    def cancel(self, handle: object) -> None:
        """Stop a chunk: one that has begun when the run stops ends early, and one that hangs with its worker."""
        chunk = self._chunks.get(str(handle))
        if chunk is None:
            return
        if self._work.stopping:
            self._leave()
        elif not chunk.worker:
            self._lose(str(handle), "it was stopped", taken_away=True)
        elif self._connection is not None:
            self._cluster.expect(chunk.worker)
            self._connection.call_later(self._connection.restart, [chunk.worker])

    def _leave(self) -> None:
        """Have chunks end early in all workers. Those that have not begun are lost soon: some may just have."""
        if self._connection is None:
            self._lose_waiting()
        elif not self._is_leaving:
            self._is_leaving = True
            self._connection.call_later(self._leave_workers, self._connection)

    async def _leave_workers(self, connection: Connection) -> None:
        await connection.client.run(self._work.leave(), on_error="ignore")
        await asyncio.sleep(LEAVE_SECONDS)
        self._news.put(self._lose_waiting)

    def _lose_waiting(self) -> None:
        for key in [key for key, chunk in self._chunks.items() if not chunk.worker]:
            self._lose(key, "it was stopped", taken_away=True)

    def close(self) -> None:
        """Leave the cluster; end the one on this machine."""
        connection = self._connection or self._opening
        self._connection = self._opening = None
        if connection is not None:
            at_work = {chunk.worker for chunk in self._chunks.values() if chunk.worker}
            hanging = [worker for worker in at_work if self._cluster.has_nanny(worker)]
            connection.close(self._work.leave(), hanging, hurry=bool(self._chunks))
