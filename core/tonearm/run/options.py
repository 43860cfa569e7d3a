"""The options of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tonearm.addresses import refuse_address
from tonearm.errors import UsageError
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
        Number of worker processes, or of chunks that another executor has in flight. None uses all usable cores, or as
        many as keep the workers of another executor busy. 0 converts in this process; for another executor it is None.
    timeout
        Seconds that a chunk of sources may take without a sign of life; 0 for no limit. None is 600 if the executor
        can stop a source that hangs, and no limit if not.
    max_failures
        Number of failed items after which the run stops; None for no limit.
    fsync
        Whether to flush each file to the disk before it gets its name.
    part
        Part of the sources to convert; None for all.
    executor
        Name of the executor; empty for the one that follows from ``jobs``.
    executor_options
        Options of the executor by name, or assignments as ``--executor-option`` takes them.
    quarantine
        Folder for copies of the waveforms that a step, a limit or an encoder refuses; empty to keep none.
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
    executor: str = ""
    executor_options: Mapping[str, object] | Sequence[str] = ()
    quarantine: str = ""
    debug: bool = False

    def check(self) -> None:
        """Check that the options are valid.

        Raises
        ------
        UsageError
            If one is not.
        """
        refuse_address(self.out, written=True)
        if self.jobs is not None and self.jobs < 0:
            raise UsageError(f"jobs is {self.jobs}, but cannot be negative", hint="0 converts in this process")
        if self.timeout is not None and not self.timeout >= 0:
            raise UsageError(f"timeout is {self.timeout:g} s, but cannot be negative", hint="0 is no limit")
        if self.max_failures is not None and self.max_failures < 1:
            raise UsageError(f"max-failures is {self.max_failures}, but must be 1 or more")
        if self.part:
            self.part.check()
