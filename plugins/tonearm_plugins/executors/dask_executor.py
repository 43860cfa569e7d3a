"""The executor of Dask: the workers of a cluster that is there, or of one on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import pickle
import queue
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from tonearm.api import Died, Executor, Meta, Results, Work
from tonearm_plugins.executors.dask_tasks import one_attempt, work_at

RECONNECT_SECONDS = 60.0
"""Time in seconds that the run waits for a scheduler that is lost."""

OUT_OF_MEMORY = "out of memory, most likely: give the workers more memory, or fewer threads"


@dataclass(frozen=True, kw_only=True)
class DaskOptions:
    """Options of `DaskExecutor`."""

    scheduler: Annotated[str, Meta(description="Address of the scheduler; a cluster on this machine if empty.")] = ""
    resources: Annotated[
        dict[str, float], Meta(description="Resources that each chunk needs of its worker, such as GPU: 1.")
    ] = field(default_factory=dict)
    priority: Annotated[int, Meta(description="Priority of the run among other work; higher runs first.")] = 0
    workers: Annotated[
        list[str], Meta(description="Addresses, names or hosts of the workers to use; all if empty.")
    ] = field(default_factory=list)


class _Chunk:
    """A chunk in flight.

    Attributes
    ----------
    content
        Pickled chunk.
    future
        Future of Dask; None while there is no scheduler.
    worker, owner, threads
        Address of the worker that has begun, the owner of its temporaries, and its number of threads; empty before.
    pieces
        Number of messages with results that have come, by attempt.
    result
        Result of the task, if messages with results that were sent before are missing.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.future: Any = None
        self.worker = self.owner = ""
        self.threads = 1
        self.pieces: dict[str, int] = {}
        self.result: tuple[str, int, list[Results]] | None = None


class DaskExecutor(Executor[DaskOptions]):
    """Convert on the workers of a Dask cluster, which must see the output folder and the sources."""

    isolates = True
    chunk_seconds = 0.5

    def open(self, work: Work, slots: int) -> None:
        """Connect to the scheduler, or start a cluster on this machine."""
        from distributed import Client, LocalCluster

        self._work = work
        self._packed = pickle.dumps(work, 5)
        self._run = f"tonearm-{os.urandom(6).hex()}"
        self._numbers = itertools.count()
        self._chunks: dict[str, _Chunk] = {}
        self._found: deque[tuple[str, Results | Died]] = deque()
        self._news: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        """What the thread of the client has to say: functions, called in the thread of the run."""
        self._notes: list[str] = []
        self._threads: dict[str, int] = {}
        self._cluster = None
        if not self.options.scheduler:
            self._cluster = LocalCluster(n_workers=slots, threads_per_worker=1, dashboard_address=":0")
        self._client = Client(self._cluster or self.options.scheduler, timeout=RECONNECT_SECONDS, set_as_default=False)
        self._join()
        self._notes.append(f"Dask's dashboard: {self._client.dashboard_link}")

    def _join(self) -> None:
        """Prepare the scheduler for the run."""
        client = self._client
        client.subscribe_topic(self._run, self._on_event)
        client.subscribe_topic("all", self._on_cluster_event)
        client.register_plugin(one_attempt(self._run), name=self._run)
        self._threads = client.nthreads()

    # In the thread of the client

    def _on_event(self, event: tuple[float, dict[str, Any]]) -> None:
        self._news.put(lambda: self._take_message(event[1]))

    def _on_cluster_event(self, event: tuple[float, dict[str, Any]]) -> None:
        message = event[1]
        if message.get("action") == "remove-worker":
            self._news.put(lambda: self._take_removal(message))
        if message.get("action") in ("remove-worker", "add-worker"):
            asyncio.ensure_future(self._count_threads())

    async def _count_threads(self) -> None:
        with contextlib.suppress(Exception):
            self._threads = await self._client.nthreads()

    async def _follow(self, key: str, future: Any) -> None:
        try:
            result = await future
        except BaseException as error:
            raised = error
            self._news.put(lambda: self._take_failure(key, future, raised))
        else:
            self._news.put(lambda: self._take_result(key, future, result))

    # In the thread of the run

    def capacity(self) -> int | None:
        """Return twice the number of the workers' threads, so that none waits for the run."""
        return 2 * sum(self._threads.values()) or None

    def notes(self) -> list[str]:
        """Return the address of the dashboard, and what has happened to workers and the scheduler."""
        notes, self._notes = self._notes, []
        return notes

    def submit(self, chunk: object) -> str:
        """Submit a chunk as one task."""
        key = f"{self._run}-{next(self._numbers)}"
        self._chunks[key] = _Chunk(pickle.dumps(chunk, 5))
        self._start(key)
        return key

    def _start(self, key: str) -> None:
        options, chunk = self.options, self._chunks[key]
        chunk.future = self._client.submit(
            work_at,
            self._packed,
            chunk.content,
            key,
            self._run,
            key=key,
            pure=False,
            retries=0,
            priority=options.priority,
            resources=options.resources or None,
            workers=options.workers or None,
        )
        asyncio.run_coroutine_threadsafe(self._follow(key, chunk.future), self._client.loop.asyncio_loop)

    def wait(self, seconds: float) -> Iterator[tuple[str, Results | Died]]:
        """Yield what has come from the cluster."""
        if not self._found:
            with contextlib.suppress(queue.Empty):
                self._news.get(timeout=seconds)()
                while True:
                    self._news.get_nowait()()
            self._found += ((key, Results(last=False)) for key, chunk in self._chunks.items() if not chunk.worker)
        while self._found:
            yield self._found.popleft()

    def _take_message(self, message: dict[str, Any]) -> None:
        """Take what a worker says about a chunk: that it begins or goes on, or what is finished."""
        key = message["key"]
        chunk = self._chunks.get(key)
        if chunk is None:
            return
        chunk.worker, chunk.threads = message["worker"], message["threads"]
        for results in pickle.loads(message["results"]):  # noqa: S301 - from our worker
            chunk.owner = results.owner or chunk.owner
            self._found.append((key, results))
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
        """Take the failure of a task: its worker has died, or it was cancelled, or the scheduler is lost."""
        from distributed import KilledWorker

        chunk = self._chunks.get(key)
        if chunk is None or chunk.future is not future:
            return
        if isinstance(error, KilledWorker):
            self._lose(key, f"its worker {error.last_worker.address} was lost", hint=OUT_OF_MEMORY)
        elif isinstance(error, asyncio.CancelledError):
            self._lose(key, "it was cancelled", taken_away=True)
        else:
            raise error

    def _take_removal(self, message: dict[str, Any]) -> None:
        """Take the removal of a worker. Dask would run its chunks again elsewhere, which is the run's to decide."""
        worker, expected = message["worker"], message["expected"]
        lost = [key for key in message["lost-computed-tasks"] if key in self._chunks]
        held = [key for key in message["processing-tasks"] if key in self._chunks]
        begun = [key for key in held if self._chunks[key].worker == worker]
        # Only a chunk that has begun can be at fault. A worker may die before it says so.
        unknown = not begun or len(begun) < self._chunks[begun[0]].threads
        for key in lost + held:
            taken_away = expected or key in lost or not (key in begun or unknown)
            self._lose(key, f"its worker {worker} was lost", hint=OUT_OF_MEMORY, taken_away=taken_away)

    def _lose(self, key: str, reason: str, *, hint: str = "", taken_away: bool = False) -> None:
        chunk = self._chunks.pop(key)
        if chunk.future is not None:
            chunk.future.cancel(asynchronous=True)
        self._found.append((key, Died(reason, chunk.owner, taken_away=taken_away, hint=hint)))

    def cancel(self, handle: object) -> None:
        """Stop a chunk: one that has begun when the run stops ends early, and one that hangs with its worker."""
        chunk = self._chunks.get(str(handle))
        if chunk is None:
            return
        if not chunk.worker:
            self._lose(str(handle), "it was stopped")
        elif self._work.stopping:
            self._leave()
        else:
            self._call(self._client._restart_workers, [chunk.worker])

    def _leave(self) -> None: ...

    def close(self) -> None:
        """Leave the cluster; end the one on this machine."""
        with contextlib.suppress(Exception):
            self._client.run(self._work.leave())
        self._client.unregister_scheduler_plugin(self._run)
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()
