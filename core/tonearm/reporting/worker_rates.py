"""Named workers of a run, and how fast each of them is, for people who watch it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Mapping

from tonearm.errors import one_line
from tonearm.errors.text import counted

RATE_SECONDS = 20.0
"""Time in seconds after which a finished source counts only 1/e for the rate of its worker."""

IDLE_SECONDS = 60.0
"""Time in seconds for which a worker without a chunk is counted after it was last heard of."""

SILENT_SECONDS = 10.0
"""Time in seconds without a sign of life after which a worker with a chunk is called silent."""

MAX_NAMED = 8
"""Largest number of workers that are all named in a text."""

MAX_KNOWN = 10_000
"""Largest number of workers that are known by name; of further ones, those that were not heard of longest go."""

WIDTH = 120
"""Number of characters of a text about workers."""

_NAME_LENGTH = 40


class WorkerRates:
    """The workers of a run that have names, with the number of sources that each has finished, and its rate.

    Parameters
    ----------
    clock
        Function that returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._workers: dict[str, _Worker] = {}
        self._at_work: dict[Hashable, _Worker] = {}
        """Workers by the handle of the chunk that they work at."""
        self._forgotten = 0
        """Number of sources of workers that are not known by name any more."""

    def hear(self, name: str, chunk: Hashable, sources: int = 0, *, last: bool = False) -> None:
        """Note a sign of life of a worker; one without a name is not counted.

        Parameters
        ----------
        name
            Name of the worker.
        chunk
            Handle of the chunk that it works at, which another worker may have had before.
        sources
            Number of sources that it has finished.
        last
            Whether it has finished the chunk.
        """
        if not name:
            return
        now = self._clock()
        worker = self._known(name, now)
        before = self._at_work.get(chunk)
        if before is not worker:
            self.end_chunk(chunk)
            self._at_work[chunk] = worker
            worker.chunks += 1
        worker.lost = False
        worker.heard = now
        worker.finish(sources, now)
        if last:
            self.end_chunk(chunk)

    def end_chunk(self, chunk: Hashable, *, lost: bool = False) -> None:
        """Note that no worker works at a chunk any more, although none has finished it.

        Parameters
        ----------
        chunk
            Handle of the chunk.
        lost
            Whether its worker may be gone: it does not count until something is heard of it again.
        """
        worker = self._at_work.pop(chunk, None)
        if worker is not None:
            worker.chunks -= 1
            worker.lost = lost

    def _known(self, name: str, now: float) -> _Worker:
        worker = self._workers.get(name)
        if worker is None:
            if len(self._workers) >= MAX_KNOWN:
                self._forget()
            worker = self._workers[name] = _Worker(now)
        return worker

    def _forget(self) -> None:
        """Forget the half of the workers without a chunk that were not heard of longest."""
        idle = sorted((one.heard, name) for name, one in self._workers.items() if not one.chunks)
        for _, name in idle[: len(idle) // 2 + 1]:
            self._forgotten += self._workers.pop(name).sources

    def counts(self) -> dict[str, int]:
        """Return the number of sources that each worker has finished, by name; "" stands for those forgotten."""
        found = {name: worker.sources for name, worker in sorted(self._workers.items()) if worker.sources}
        return found | ({"": self._forgotten} if self._forgotten else {})

    @property
    def has_names(self) -> bool:
        """Whether any worker has a name."""
        return bool(self._workers)

    def describe(self, width: int = WIDTH) -> str:
        """Return the workers with their rates in words; an empty text if no worker has a name.

        Few workers are all named. Of many, the fastest and the slowest are, or only the rates of these, as far as there
        is room.

        Parameters
        ----------
        width
            Largest number of characters.
        """
        now = self._clock()
        present = {name: worker for name, worker in self._workers.items() if worker.is_present(now)}
        if not present:
            return ""
        rates = sorted((worker.rate(now), _short(name)) for name, worker in present.items())
        silent = sorted(
            ((now - worker.heard, _short(name)) for name, worker in present.items() if worker.is_silent(now)),
            reverse=True,
        )
        count = counted(len(present), "worker")
        missing = f", {len(silent)} silent" if silent else ""
        named = "".join(f", {name} silent for {seconds:.0f} s" for seconds, name in silent)
        (slowest, slow_name), (fastest, fast_name) = rates[0], rates[-1]
        texts = [f"{count}{missing}"]
        if len(present) > 1:
            texts.insert(0, f"{count}: {_rate(slowest)} to {_rate(fastest)} a second{missing}")
            extremes = f"{count}: fastest {fast_name} {_rate(fastest)}, slowest {slow_name} {_rate(slowest)} a second"
            texts = [f"{extremes}{named}", f"{extremes}{missing}", *texts]
        if len(present) <= MAX_NAMED:
            all_of_them = ", ".join(f"{name} {_rate(rate)}" for rate, name in sorted(rates, key=lambda pair: pair[1]))
            texts = [f"{count}: {all_of_them} a second{named}", f"{count}: {all_of_them} a second{missing}", *texts]
        return next((text for text in texts if len(text) <= width), texts[-1][: max(0, width)])


class _Worker:
    """What is known of a worker.

    Attributes
    ----------
    chunks
        Number of chunks that it has begun and not ended.
    heard
        Time when something was last heard of it.
    lost
        Whether it may be gone.
    sources
        Number of sources that it has finished.
    """

    __slots__ = ("_counted", "_mean", "_since", "chunks", "heard", "lost", "sources")

    def __init__(self, now: float) -> None:
        self.chunks = self.sources = 0
        self.heard = self._since = self._counted = now
        self.lost = False
        self._mean = 0.0
        """Exponentially weighted number of sources in a second, at the time `_counted`."""

    def finish(self, sources: int, now: float) -> None:
        """Count finished sources."""
        if sources:
            self._mean = self._mean_at(now) + sources / RATE_SECONDS
            self._counted = now
            self.sources += sources

    def _mean_at(self, now: float) -> float:
        return self._mean * math.exp((self._counted - now) / RATE_SECONDS)

    def rate(self, now: float) -> float:
        """Return the number of sources in a second lately; since it is known, if that is not long ago."""
        elapsed = max(1.0, now - self._since)
        return self._mean_at(now) / -math.expm1(-elapsed / RATE_SECONDS)

    def is_present(self, now: float) -> bool:
        """Return whether it works for the run, or was heard of a short time ago."""
        return not self.lost and (self.chunks > 0 or now - self.heard < IDLE_SECONDS)

    def is_silent(self, now: float) -> bool:
        """Return whether it has a chunk, and has given no sign of life for long."""
        return self.chunks > 0 and now - self.heard >= SILENT_SECONDS


def counts_text(counts: Mapping[str, int]) -> str:
    """Return in words how many sources workers have finished; an empty text for no workers.

    Parameters
    ----------
    counts
        Number of sources by the name of the worker, as `WorkerRates.counts` returns it.
    """
    if not counts:
        return ""
    if len(counts) <= MAX_NAMED and "" not in counts:
        return ", ".join(f"{_short(name)} {counted(number, 'source')}" for name, number in counts.items())
    known = [number for name, number in counts.items() if name]
    count = counted(len(known), "worker") if "" not in counts else f"more than {counted(len(known), 'worker')}"
    return f"{count} with {min(known)} to {max(known)} sources each"


def _short(name: str) -> str:
    return one_line(name, _NAME_LENGTH)


def _rate(rate: float) -> str:
    """Return a rate with three digits at most, as far as they say something."""
    return f"{rate:.0f}" if rate >= 100 or rate < 0.001 else f"{rate:.2g}" if rate < 1 else f"{rate:.3g}"
