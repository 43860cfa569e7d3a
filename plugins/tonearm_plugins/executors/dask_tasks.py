"""What runs in the workers and the scheduler of a Dask cluster."""

from __future__ import annotations

import os
import pickle
import time
from typing import Any

from tonearm.api import Results

PIECE_SECONDS = 2.0
"""Time in seconds after which a long chunk hands over what is finished. Shorter ones send everything at the end."""


def work_at(work: bytes, chunk: bytes, key: str, topic: str) -> tuple[str, int, list[Results]]:
    """Work at a chunk in a worker of Dask.

    The run hears through the topic when the chunk begins, that it goes on, and what is finished of a long one.

    Parameters
    ----------
    work, chunk
        Pickled work of the run, and chunk.
    key
        Key of the task.
    topic
        Topic of the run.

    Returns
    -------
    attempt
        Random name of this call, because Dask may run a task twice.
    sent
        Number of messages with results that were sent through the topic.
    results
        Results that were not sent.
    """
    from distributed import get_worker

    worker = get_worker()
    attempt, sent = os.urandom(4).hex(), 0

    def tell(results: list[Results], number: int = 0) -> None:
        content = {"key": key, "attempt": attempt, "worker": worker.address, "number": number}
        content |= {"threads": worker.state.nthreads, "results": pickle.dumps(results, 5)}
        worker.log_event(topic, content)

    began = False
    kept: list[Results] = []
    due = time.monotonic() + PIECE_SECONDS
    for results in pickle.loads(work).stream(  # noqa: S301 - from the run
        pickle.loads(chunk),  # noqa: S301
        lambda sign: tell([sign]),
        worker.address,
    ):
        if not began and not results.last:
            began = True
            tell([results])
            continue
        kept.append(results)
        if not results.last and time.monotonic() >= due:
            sent += 1
            tell(kept, sent)
            kept, due = [], time.monotonic() + PIECE_SECONDS
    return attempt, sent, kept


def one_attempt(prefix: str) -> Any:
    """Return a plugin for the scheduler, by which a task that a worker dies at is not run again by Dask itself.

    Trying again is the run's, source by source. The class is local, so that it is sent by value: the scheduler need
    not have tonearm.

    Parameters
    ----------
    prefix
        Start of the keys of the run's tasks.
    """
    from distributed import SchedulerPlugin

    class OneAttempt(SchedulerPlugin):  # type: ignore[misc]
        def __init__(self, prefix: str) -> None:
            self.prefix = prefix
            self.scheduler: Any = None

        async def start(self, scheduler: Any) -> None:
            self.scheduler = scheduler

        def update_graph(self, scheduler: Any, *, keys: Any = (), **_: Any) -> None:
            for key in keys:
                task = scheduler.tasks.get(key) if str(key).startswith(self.prefix) else None
                if task is not None:
                    task.suspicious = scheduler.allowed_failures

    return OneAttempt(prefix)
