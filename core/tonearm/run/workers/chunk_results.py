"""Results of chunks of tasks, as they travel from a worker to the run."""

from __future__ import annotations

from collections.abc import Sequence

from tonearm.errors import TonearmError
from tonearm.plugins.executor import Results
from tonearm.plugins.progress import Progress
from tonearm.run.prepared import PreparedSource


class WorkerError(TonearmError):
    """No worker can work, and no item is at fault."""

    default_code = "broken-worker"


class ChunkResults(Results, frozen=True, kw_only=True):
    """Finished work on a chunk of tasks.

    Parameters
    ----------
    sources
        Prepared sources.
    error
        Error that ends the run, because no item is at fault.
    ended_early
        Whether tasks of the chunk were not begun, because the run may stop.
    progress
        How far the source that is at work is, for a sign of life; None if no plugin has reported since the last one.
    """

    sources: Sequence[PreparedSource] = ()
    error: TonearmError | None = None
    ended_early: bool = False
    progress: Progress | None = None
