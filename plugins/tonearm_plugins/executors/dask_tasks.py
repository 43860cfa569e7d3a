"""What runs in the workers and the scheduler of a Dask cluster."""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from tonearm.api import Results

PIECE_SECONDS = 2.0
"""Time in seconds after which a long chunk hands over what is finished. Shorter ones send everything at the end."""

_SOURCE = """
try:
    from tonearm_plugins.executors.dask_tasks import work_at
    returned = work_at(**arguments)
except Exception as error:
    from distributed import get_worker
    raise RuntimeError(f'worker {get_worker().address} cannot work: {type(error).__name__}: {error}') from None
"""


def task(**arguments: object) -> Callable[[], Any]:
    """Return a function that calls `work_at` in a worker.

    It can be loaded without tonearm, as the scheduler does. A worker without tonearm is named by an error.
    """
    call = f"(lambda room: (exec({_SOURCE!r}, room), room['returned'])[1])({{'arguments': arguments}})"
    return functools.partial(eval, call, {"arguments": arguments})


class _Crew:
    """The chunks at work in this process: many at once, or one alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at_work = 0
        self._lone = 0
        """Number of chunks that are, or are to be, at work alone."""

    @contextlib.contextmanager
    def join(self, *, alone: bool) -> Iterator[None]:
        """Wait until a chunk may work, and have it counted."""
        with self._changed:
            self._lone += alone
            self._changed.wait_for(lambda: not self._at_work if alone else not self._lone)
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._lone -= alone
                self._changed.notify_all()


_crew = _Crew()


def work_at(work: bytes, chunk: bytes, key: str, topic: str, alone: bool = False) -> tuple[str, int, list[Results]]:
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
    alone
        Whether no other chunk may be at work in the process, so that it is known whose fault its death is.

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

    def message(results: list[Results], number: int = 0) -> dict[str, Any]:
        content = {"key": key, "attempt": attempt, "worker": worker.address, "number": number}
        return content | {"threads": worker.state.nthreads, "results": pickle.dumps(results, 5)}

    began = False
    kept: list[Results] = []
    with _crew.join(alone=alone):
        due = time.monotonic() + PIECE_SECONDS
        for results in pickle.loads(work).stream(  # noqa: S301 - from the run
            pickle.loads(chunk),  # noqa: S301
            lambda sign: worker.log_event(topic, message([sign])),
            worker.address,
        ):
            if not began and not results.last:
                began = True
                if alone:
                    _say_at_once(worker, topic, message([results]))
                else:
                    worker.log_event(topic, message([results]))
                continue
            kept.append(results)
            if not results.last and time.monotonic() >= due:
                sent += 1
                worker.log_event(topic, message(kept, sent))
                kept, due = [], time.monotonic() + PIECE_SECONDS
        if alone:  # the next source may hold the interpreter, and nobody could fetch the results of this one
            sent += 1
            _say_at_once(worker, topic, message(kept, sent))
            kept = []
    return attempt, sent, kept


def _say_at_once(worker: Any, topic: str, message: dict[str, Any]) -> None:
    """Log an event, and wait until the scheduler has it, whatever happens then."""
    from distributed.utils import sync

    sync(worker.loop, worker.scheduler.log_event, topic=topic, msg=message, callback_timeout=10)


def one_attempt(prefix: str, client: str) -> Any:
    """Return a plugin for the scheduler, by which a task that a worker dies at is not run again by Dask itself.

    Trying again is the run's, source by source. The class is local, so that it is sent by value: the scheduler need
    not have tonearm. When the run's client is gone, even by kill -9, the plugin goes with what the run has logged.

    Parameters
    ----------
    prefix
        Start of the keys of the run's tasks, name of the plugin, and topic of the run.
    client
        Id of the run's client.
    """
    from distributed import SchedulerPlugin

    class OneAttempt(SchedulerPlugin):
        def __init__(self, prefix: str, client: str) -> None:
            self.prefix = prefix
            self.client = client

        def update_graph(self, scheduler: Any, *, keys: Any = (), **_: Any) -> None:
            for key in keys:
                task = scheduler.tasks.get(key) if str(key).startswith(self.prefix) else None
                if task is not None:
                    task.suspicious = scheduler.allowed_failures

        def remove_client(self, scheduler: Any, client: str) -> None:
            if client == self.client:
                scheduler.plugins.pop(self.prefix, None)
                scheduler._broker._topics.pop(self.prefix, None)  # noqa: SLF001 - Dask keeps a topic's events for ever

    return OneAttempt(prefix, client)


def restart_unshared(prefix: str) -> Callable[..., Awaitable[None]]:
    """Return a function for the scheduler that restarts workers, but for those that others use as well.

    Others use a worker if it has tasks of theirs, or holds their results or data. The function is local, so that it is
    sent by value, as `one_attempt` is; it looks and acts at once, before the scheduler gives a worker other tasks.

    Parameters
    ----------
    prefix
        Start of the keys of the run's tasks.
    """

    async def restart(workers: Sequence[str], seconds: float, dask_scheduler: Any) -> None:
        known = [dask_scheduler.workers[worker] for worker in workers if worker in dask_scheduler.workers]
        unshared = [
            state.address
            for state in known
            if all(str(task.key).startswith(prefix) for task in [*state.processing, *state.has_what])
        ]
        if unshared:
            more = {"wait_for_workers": False, "on_error": "return", "stimulus_id": f"{prefix}-stops"}
            await dask_scheduler.restart_workers(workers=unshared, timeout=seconds, **more)

    return restart
