"""Which workers see the sources of a run. Without that, each source would fail on its own, for no fault of its own."""

from __future__ import annotations

from tonearm.content_hash import file_state
from tonearm.errors import TonearmError
from tonearm.run.workers.chunk_results import ChunkResults, does_not_see


class Sight:
    """Judges by their results whether workers elsewhere see the sources that this process sees."""

    def __init__(self) -> None:
        self._seeing: set[str] = set()
        """Names of workers that have found a source."""

    def error_of(self, results: ChunkResults) -> TonearmError | None:
        """Return the error of a worker that has found no source so far, if one of those is there; else None.

        Parameters
        ----------
        results
            Results of the worker. One that has no name works on this machine.
        """
        worker, sources = results.worker, results.sources
        if not worker or not sources or worker in self._seeing:
            return None
        missing = [prepared.task.path for prepared in sources if prepared.task.path and prepared.state is None]
        if len(missing) < len(sources):
            self._seeing.add(worker)
            return None
        there = next((path for path in missing if file_state(path) is not None), None)
        return None if there is None else does_not_see(worker, there, "the sources are")
