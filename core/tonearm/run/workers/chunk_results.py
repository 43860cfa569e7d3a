"""Results of chunks of tasks, as they travel from a worker to the run."""

from __future__ import annotations

from collections.abc import Sequence

from tonearm.errors import OutputError, TonearmError, one_line
from tonearm.plugins.executor import Results
from tonearm.plugins.progress import Progress
from tonearm.run.prepared import PreparedSource


class WorkerError(TonearmError):
    """No worker can work, and no item is at fault."""

    default_code = "broken-worker"


def of_worker(error: TonearmError, worker: str) -> TonearmError:
    """Return an error that ends the run with the name of the worker that it happened in.

    Parameters
    ----------
    error
        Error.
    worker
        Name of the worker; empty for a worker of this machine, which says nothing.
    """
    if not worker:
        return error
    kind = OutputError if isinstance(error, OutputError) else WorkerError
    named = kind(f"worker {one_line(worker)}: {error.message}", code=error.code, remedies=error.remedies)
    named.__cause__ = error
    return named


def does_not_see(worker: str, path: str, what: str) -> WorkerError:
    """Return the error of a worker that does not see a path of the run.

    Parameters
    ----------
    worker
        Name of the worker.
    path
        Path of a folder or file.
    what
        What must be shared, with its verb: ``the output folder is``.
    """
    return WorkerError(
        f"worker {one_line(worker)} does not see {one_line(path)}",
        code="unseen-folder",
        hint=f"make sure that {what} on a file system that all workers share, under the same path",
    )


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
    unfit
        What made the process unfit for the chunk, so that the rest of it is tried again; empty if nothing did.
    progress
        How far the source that is at work is, for a sign of life; None if no plugin has reported since the last one.
    """

    sources: Sequence[PreparedSource] = ()
    error: TonearmError | None = None
    ended_early: bool = False
    unfit: str = ""
    progress: Progress | None = None
