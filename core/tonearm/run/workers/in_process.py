"""The executor that works in the run's own process."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator

from tonearm.plugins.executor import Died, Executor, Handle, Work
from tonearm.plugins.plugin import NoOptions
from tonearm.run.workers.chunk_results import ChunkResults
from tonearm.run.workers.work import PipelineWork


class InProcessExecutor(Executor[NoOptions]):
    """Convert in this process, one source after the other; for debuggers. A plugin that crashes ends the run."""

    def open(self, work: Work, slots: int) -> None:  # noqa: ARG002 - there is one, this process
        """Start."""
        assert isinstance(work, PipelineWork)
        self._work = work
        self._numbers = itertools.count()
        self._waiting: deque[tuple[int, object]] = deque()
        self._cancelled: deque[int] = deque()

    def submit(self, chunk: object) -> int:
        """Keep a chunk until `wait`."""
        self._waiting.append((next(self._numbers), chunk))
        return self._waiting[-1][0]

    def wait(self, seconds: float) -> Iterator[tuple[int, ChunkResults | Died]]:  # noqa: ARG002 - it works meanwhile
        """Work at the next chunk, and yield what is finished. Errors are raised as they are, for debuggers."""
        while self._cancelled:
            yield self._cancelled.popleft(), Died("it was stopped")
        if self._waiting:
            number, chunk = self._waiting[0]
            for sources in self._work.batches(chunk):
                yield number, ChunkResults(last=False, sources=sources)
            self._waiting.popleft()
            yield number, self._work.end()

    def cancel(self, handle: Handle) -> None:
        """Forget a chunk."""
        self._waiting = deque(pair for pair in self._waiting if pair[0] != handle)
        self._cancelled += [handle] if isinstance(handle, int) else []

    def close(self) -> None:
        """Do nothing: no work goes on outside `wait`."""
