"""The options of a run."""

from __future__ import annotations

from msgspec import Struct

from tonearm.errors import UsageError, one_line
from tonearm.run.part import Part


class RunOptions(Struct, frozen=True, kw_only=True):
    """The options of a run.

    Parameters
    ----------
    out
        Output folder.
    force
        Whether to convert everything again and to replace files that no run wrote.
    verify
        Whether to compare the content of outputs, not only their sizes.
    jobs
        Number of worker processes. 0 converts in this process; None uses all usable cores.
    timeout
        Seconds that a source may take; None for no limit.
    max_failures
        Number of failed items after which the run stops; None for no limit.
    fsync
        Whether to flush each file to the disk before it gets its name.
    part
        Part of the sources to convert; None for all.
    executor
        Name of the executor; ``local`` is the only one.
    debug
        Whether to keep the tracebacks of plugins that fail.
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
        """Check that the options are valid.

        Raises
        ------
        UsageError
            If one is not.
        """
        if self.executor != "local":
            raise UsageError(f"there is no executor {one_line(self.executor)!r}", code="unknown-executor", hint="local")
        if self.jobs is not None and self.jobs < 0:
            raise UsageError(f"jobs is {self.jobs}, but cannot be negative", hint="0 converts in this process")
        if self.timeout is not None and not self.timeout > 0:
            raise UsageError(f"timeout is {self.timeout:g} s, but must be positive")
        if self.timeout is not None and self.jobs == 0:
            raise UsageError("a timeout needs a worker process", hint="use 1 job or more")
        if self.max_failures is not None and self.max_failures < 1:
            raise UsageError(f"max-failures is {self.max_failures}, but must be 1 or more")
        if self.part:
            self.part.check()
