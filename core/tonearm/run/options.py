"""How a run goes."""

from __future__ import annotations

from msgspec import Struct

from tonearm.errors import UsageError, one_line
from tonearm.run.part import Part


class RunOptions(Struct, frozen=True, kw_only=True):
    """How a run goes.

    Parameters
    ----------
    out
        The output folder.
    force
        Convert what is done already, and replace files that no run wrote.
    verify
        Look at the content of outputs that are there, not only at their sizes.
    jobs
        How many worker processes; 0 converts in this one, and None takes as many as there are cores to use.
    timeout
        Seconds that a source may take; None is for ever.
    max_failures
        Stop when so many items have failed; None goes on whatever happens.
    fsync
        Flush each file to the disk before it gets its name.
    part
        Which part of the sources to do, of how many: (1, 4) is the first quarter. None does all.
    executor
        Name of what does the work; ``local``.
    debug
        Keep the tracebacks of plugins that fail.
    """

    out: str
    force: bool = False
    verify: bool = False
    jobs: int | None = 0
    timeout: float | None = None
    max_failures: int | None = None
    fsync: bool = True
    part: Part | None = None
    executor: str = "local"
    debug: bool = False

    def check(self) -> None:
        """Say what cannot be.

        Raises
        ------
        UsageError
            With what is wrong.
        """
        if self.executor != "local":
            raise UsageError(f"there is no executor {one_line(self.executor)!r}", code="unknown-executor", hint="local")
        if self.jobs is not None and self.jobs < 0:
            raise UsageError(f"jobs is {self.jobs}, but cannot be negative", hint="0 converts in this process")
        if self.timeout is not None and not self.timeout > 0:
            raise UsageError(f"timeout is {self.timeout:g} s, but must be positive")
        if self.timeout is not None and self.jobs == 0:
            raise UsageError("a source can be timed out in a worker process only", hint="--jobs 1 or more")
        if self.max_failures is not None and self.max_failures < 1:
            raise UsageError(f"max-failures is {self.max_failures}, but must be 1 or more")
        if self.part:
            self.part.check()
