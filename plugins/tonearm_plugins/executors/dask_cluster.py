"""What a run knows of the workers of a Dask cluster: how much they can do at once, and what to tell people of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tonearm_plugins.executors.dask_connection import Connection

COUNT_SECONDS = 1.0
"""Time in seconds after a change, or a new connection, when the workers are counted."""

RECOUNT_SECONDS = 15.0
"""Time in seconds after which they are counted again anyway: events may be missed while a connection is made."""

NO_WORKER_SECONDS = 5.0
"""Time in seconds without a worker after which people are told."""

SCHEDULER_SECONDS = 0.002
"""Time in seconds that a chunk takes the scheduler, with its messages (tests/benchmarks/cluster.py)."""

SCHEDULER_SHARE = 0.5
"""Largest part of the scheduler's time that a run should take."""

NAMED = 3
"""Largest number of workers that a note names."""


class Cluster:
    """The workers of a cluster.

    Parameters
    ----------
    chosen
        Addresses, names or hosts of the workers that the run uses; all if empty.
    resources
        Resources that each chunk needs.
    holders
        Names of the plugins that hold the interpreter.
    """

    def __init__(self, chosen: Sequence[str], resources: Mapping[str, float], holders: Sequence[str]) -> None:
        self._chosen = chosen
        self._resources = resources
        self._holders = holders
        self._info: dict[str, dict[str, Any]] | None = None
        self._rooms = 0
        """Number of chunks that the workers can be at."""
        self._notes: list[str] = []
        self._changes: dict[str, list[str]] = {}
        """Workers that came or went and are not told yet, by what happened to them."""
        self._ended_by_us: set[str] = set()
        self._has_changed = True
        self._counted = 0.0
        self._idle_since: float | None = None

    def see(self, info: dict[str, dict[str, Any]]) -> None:
        """Take what the scheduler says of each worker, by address."""
        self._info = info
        usable = self._usable()
        self._rooms = sum(map(self._room, usable))
        most = max(map(self._room, usable), default=0)
        if self._holders and most > 1:
            self.note(
                f"workers have up to {most} threads, and {', '.join(self._holders)} can use one at a time:"
                " start more workers with --nthreads 1"
            )
            self._holders = ()

    def note(self, text: str) -> None:
        """Have people told."""
        self._notes.append(text)

    def greet(self, connection: Connection) -> None:
        """Have people told of a cluster, once there is a connection."""
        self._has_changed = True
        self._counted = time.monotonic()
        threads = sum(one["nthreads"] for one in self._usable())
        dashboard = f"; dashboard: {connection.dashboard}" if connection.dashboard else ""
        self.note(f"Dask {connection.name}; threads of workers: {threads}{dashboard}")
        if connection.differing:
            names = ", ".join(connection.differing)
            self.note(f"the cluster has other versions of {names} than are installed here, which may not work")

    def notes(self) -> list[str]:
        """Return what people have not been told."""
        self._note_absence()
        for change, workers in self._changes.items():
            few = f"worker{'s' if len(workers) > 1 else ''} {', '.join(workers)}"
            self._notes.append(f"{few if len(workers) <= NAMED else f'{len(workers)} workers'} {change}")
        self._changes = {}
        notes, self._notes = self._notes, []
        return notes

    def _note_absence(self) -> None:
        """Have people told once if there is no worker for a while."""
        if self._info is None or self._rooms:
            self._idle_since = None
            return
        now = time.monotonic()
        if self._idle_since is None:
            self._idle_since = now
        elif now >= self._idle_since + NO_WORKER_SECONDS:
            self._idle_since = float("inf")
            needs = ", ".join(f"{name}={amount:g}" for name, amount in self._resources.items())
            wanted = " of those chosen" if self._chosen else ""
            self.note(f"there is no worker{wanted}{f' with {needs}' if needs else ''}; the run waits for one")

    def add(self, worker: str) -> None:
        """Take note of a worker that came."""
        self._changed(worker, "joined")

    def remove(self, worker: str, *, expected: bool) -> bool:
        """Take note of a worker that is gone, and return whether no chunk is at fault."""
        by_us = worker in self._ended_by_us
        self._ended_by_us.discard(worker)
        self._changed(worker, "ended, because a source hung" if by_us else "left" if expected else "died")
        return expected or by_us

    def expect(self, worker: str) -> None:
        """Take note of a worker that the run has ended."""
        self._ended_by_us.add(worker)

    def _changed(self, worker: str, change: str) -> None:
        self._changes.setdefault(change, []).append(worker)
        self._has_changed = True

    def is_due(self) -> bool:
        """Return whether the workers should be counted, and take it that they are."""
        now = time.monotonic()
        if now < self._counted + (COUNT_SECONDS if self._has_changed else RECOUNT_SECONDS):
            return False
        self._has_changed = False
        self._counted = now
        return True

    def has_nanny(self, worker: str) -> bool:
        """Return whether a worker is restarted when it is ended."""
        return bool((self._info or {}).get(worker, {}).get("nanny"))

    def threads(self, worker: str) -> int:
        """Return the number of threads of a worker."""
        known = (self._info or {}).get(worker)
        return int(known["nthreads"]) if known else 1

    def chosen(self) -> list[Any] | None:
        """Return which workers may do the work, as Dask takes them; None if all may. Names may be numbers there."""
        names = {str(one.get("name")): one.get("name") for one in (self._info or {}).values()}
        return [names.get(text, text) for text in self._chosen] or None

    def capacity(self) -> int | None:
        """Return twice the number of chunks that the workers can be at, so that none waits; None if it is unknown."""
        return 2 * self._rooms or None

    def chunk_seconds(self, least: float) -> float:
        """Return how much work in seconds a chunk should have, so that the scheduler keeps up with all workers."""
        return max(least, self._rooms * SCHEDULER_SECONDS / SCHEDULER_SHARE)

    def _usable(self) -> list[dict[str, Any]]:
        """Return what is known of the workers that the run uses."""
        return [one for address, one in (self._info or {}).items() if self.uses(address, one)]

    def uses(self, address: str, info: Mapping[str, Any]) -> bool:
        """Return whether the run uses a worker, by its address and what the scheduler says of it."""
        names = {address, address.partition("://")[2], str(info.get("name")), info.get("host")}
        return self._room(info) > 0 and (not self._chosen or not names.isdisjoint(self._chosen))

    def _room(self, info: Mapping[str, Any]) -> int:
        """Return how many chunks a worker can be at, by its threads and resources."""
        has = info.get("resources") or {}
        rooms = [has.get(name, 0) // amount for name, amount in self._resources.items() if amount > 0]
        return int(min([info["nthreads"], *rooms]))
