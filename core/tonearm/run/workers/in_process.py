"""The executor that works in the run's own process."""

from __future__ import annotations

from collections.abc import Iterator

from tonearm.pipeline.converter import Converter
from tonearm.run.prepare import Preparer, Settings
from tonearm.run.store.store import Store
from tonearm.run.workers.chunks import Chunks
from tonearm.run.workers.executor import Batch, Executor
from tonearm.run.workers.flush_timer import FlushTimer
from tonearm.run.workers.interrupts import InterruptGate


class InProcessExecutor(Executor):
    """Prepares sources in this process, one after the other. A plugin that crashes ends the run.

    Parameters
    ----------
    pipeline
        Pipeline.
    settings
        Settings of the preparer.
    gate
        Gate that is open for interrupts while plugins work.
    """

    def __init__(self, pipeline: Converter, store: Store, settings: Settings, gate: InterruptGate) -> None:
        self._preparer = Preparer(pipeline, store, settings, gate)
        self._batch: Batch = []

    def results(self, chunks: Chunks) -> Iterator[Batch]:
        """Yield prepared sources in order."""
        timer = FlushTimer(flush_failures=self._preparer.settings.flush_failures)
        while chunk := chunks.take():
            for task in chunk:
                for prepared in self._preparer.prepare(task):
                    self._batch.append(prepared)
                    if timer.is_due(prepared):
                        yield self._hand_over(chunks)
                        timer.restart()
        yield self._hand_over(chunks)

    def _hand_over(self, chunks: Chunks) -> Batch:
        batch, self._batch = self._batch, []
        chunks.learn(batch)
        return batch

    def stop(self) -> Iterator[Batch]:
        """Yield what was finished."""
        self._preparer.close()
        if self._batch:
            batch, self._batch = self._batch, []
            yield batch
