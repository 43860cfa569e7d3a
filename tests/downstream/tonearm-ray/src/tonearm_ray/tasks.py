"""What runs in the workers of a Ray cluster: a function that is made a task, and a class that is made an actor."""

import asyncio
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import ray

from tonearm.api import Results, Work

_thread = ThreadPoolExecutor(1)
"""The thread of this process that works: the same for all chunks, since a copy of the pipeline belongs to a thread."""
_known: set[Work] = set()
"""Works for whose end this process waits."""


def work_at(work: bytes, chunk: object, run_end: Any) -> Iterator[Results]:
    """Work at a chunk, and yield what is finished early, and signs of life."""
    loaded: Work = pickle.loads(work)
    if loaded not in _known:
        _known.add(loaded)
        threading.Thread(target=_leave_at, args=(run_end, loaded), daemon=True).start()
    news: SimpleQueue[Results] = SimpleQueue()
    _thread.submit(_work, loaded, chunk, news)
    while not (results := news.get()).last:
        yield results
    yield results


def _work(work: Work, chunk: object, news: "SimpleQueue[Results]") -> None:
    for results in work.stream(chunk, news.put):
        news.put(results)


def _leave_at(run_end: Any, work: Work) -> None:
    """Wait for the end of a run, and leave it: Ray cannot call a function in each process that has worked."""
    try:
        ray.get(run_end.join.remote())
        work.leave()()
        run_end.leave.remote()
    except ray.exceptions.RayError:  # the process releases what it holds by itself, later
        pass
    finally:
        _known.discard(work)


class RunEnd:
    """The end of a run, for which all processes wait that work for it."""

    def __init__(self) -> None:
        self._is_announced = asyncio.Event()
        self._inside = 0

    async def join(self) -> None:
        """Return when the run ends."""
        self._inside += 1
        await self._is_announced.wait()

    async def announce(self) -> None:
        """Have all processes leave."""
        self._is_announced.set()

    async def leave(self) -> None:
        """Note that a process has left."""
        self._inside -= 1

    async def everyone_left(self) -> None:
        """Return when all processes have left."""
        while self._inside:
            await asyncio.sleep(0.01)
