"""One run: a pipeline over many sources, with a journal of what became of each."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tonearm.errors import OutputError, one_line
from tonearm.pipeline.converter import Converter
from tonearm.run.options import RunOptions
from tonearm.run.part import WHOLE_RUN_OWNER
from tonearm.run.plan import Plan, Selection, make_plan
from tonearm.run.prepare import Settings
from tonearm.run.report import Report
from tonearm.run.result import Result
from tonearm.run.sources.content_hash import file_state
from tonearm.run.store.free_space import space_warnings
from tonearm.run.store.journal import Journal
from tonearm.run.store.lock import Lock, LockedError
from tonearm.run.store.publisher import Publisher
from tonearm.run.store.run_folder import find_journals, journal_path
from tonearm.run.store.temporaries import ANY_OWNER, discard, sweep
from tonearm.run.tasks import Task
from tonearm.run.workers.chunks import Chunks
from tonearm.run.workers.cores import usable_cores
from tonearm.run.workers.executor import Batch, Executor
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.source import Source


class Run:
    """One run, from its plan to its report.

    Parameters
    ----------
    pipeline
        What to do.
    options
        How.

    Raises
    ------
    UsageError
        If the options cannot be.
    """

    def __init__(self, pipeline: Converter, options: RunOptions) -> None:
        options.check()
        self.pipeline = pipeline
        self.options = options
        self.report = Report(Path(options.out))
        self._lock = Lock(options.out, options.part)

    def plan(self, sources: Iterable[Source]) -> Plan:
        """Return what there is to do; nothing on the disk is changed.

        Raises
        ------
        LockedError
            If another run holds the output folder.
        UsageError
            If there is no source at all.
        PipelineError
            If outputs would clash.
        TonearmError
            If a plugin finds something missing.
        """
        options = self.options
        self._lock.acquire(create=False)
        try:
            self.pipeline.preflight()
            selection = Selection(force=options.force, verify=options.verify, part=options.part)
            plan = make_plan(self.pipeline, sources, options.out, selection)
        except BaseException:
            self._lock.release()
            raise
        self.report.total, self.report.skipped = len(plan), plan.done
        self.report.warnings += space_warnings(plan.root, plan.bytes_to_convert)
        return plan

    def release(self) -> None:
        """Let go of the output folder, if a plan is not to be carried out."""
        self._lock.release()

    def execute(self, plan: Plan, observe: Callable[[Result], None], tick: Callable[[], None] | None = None) -> Report:
        """Convert what a plan says, and return what became of it.

        Whatever ends a run early, the journal is closed, no temporaries are left, and `report` says what was done.

        Parameters
        ----------
        plan
            From `plan`.
        observe
            Called with each source's result as it comes.
        tick
            Called about every second, whether anything has come or not.

        Raises
        ------
        LockedError
            If another run holds the output folder.
        OutputError
            If the output side fails; what was finished stays.
        """
        report = self.report
        began = time.monotonic()
        try:
            with InterruptGate() as gate:
                self._lock.acquire(create=True)
                _check_no_other_run(plan)
                report.warnings += [self._lock.warning] if self._lock.warning else []
                with contextlib.closing(Journal(self.options.out, self.options.part)) as journal:
                    start = journal.size
                    try:
                        self._convert(plan, journal, gate, observe, tick or (lambda: None))
                    finally:
                        report.seconds = time.monotonic() - began
                        report.read_from(journal.path, start, journal.size)
        except OutputError:
            report.stopped = report.stopped or "output"
            raise
        except KeyboardInterrupt:
            report.stopped = "interrupted"
            raise
        finally:
            self._lock.release()
        return report

    def _convert(
        self,
        plan: Plan,
        journal: Journal,
        gate: InterruptGate,
        observe: Callable[[Result], None],
        tick: Callable[[], None],
    ) -> None:
        options, report = self.options, self.report
        if not plan.history.clean:
            sweep(options.out, options.part.owner_id if options.part else ANY_OWNER, deep=True)
        journal.write(
            "run",
            time=time.time(),
            pipeline=plan.fingerprint,
            file=os.path.abspath(self.pipeline.checked.file) if self.pipeline.checked.file else "",
            plugins=plan.plugins,
            sources=len(plan),
            skipped=plan.done,
            jobs=self.jobs,
        )
        for record in plan.renewed:
            journal.write(**record)
        publisher = Publisher(options.out, journal, plan.names, fsync=options.fsync)
        publisher.begin()

        def tasks() -> Iterator[Task]:
            for task, items in plan.tasks():
                publisher.keep(task.number, items)
                yield task

        executor = self._executor([*self._lock.descriptors, journal.descriptor], gate)
        stopped: BaseException | None = None
        try:
            for batch in executor.results(Chunks(tasks(), len(plan), self.jobs)):
                self._publish(publisher, batch, observe)
                tick()
                if options.max_failures is not None and report.failed >= options.max_failures:
                    report.stopped = "failures"
                    break
            if report.sources != len(plan) and not report.stopped:
                raise AssertionError(f"{len(plan) - report.sources} sources were lost")
        except BaseException as error:
            stopped = error
            raise
        finally:
            self._shut_down(executor, publisher, journal, observe, stopped)

    def _shut_down(
        self,
        executor: Executor,
        publisher: Publisher,
        journal: Journal,
        observe: Callable[[Result], None],
        stopped: BaseException | None,
    ) -> None:
        """End the workers; what they had finished is published, unless that is what failed. Then close the journal."""
        report = self.report
        failed = stopped if isinstance(stopped, Exception) else None
        for batch in executor.stop():
            try:
                if failed is None:
                    self._publish(publisher, batch, observe)
            except Exception as error:
                failed = error
            if failed is not None:
                discard(self.options.out, [file for one in batch for item in one.items for file in item.files])
        reason = report.stopped or _stop_reason(failed or stopped)
        try:
            publisher.sync()
            journal.write("stop", time=time.time(), converted=report.converted, failed=report.failed, reason=reason)
            if self.options.fsync:
                journal.flush()
        except OutputError as error:
            failed = failed or error
        if failed is not None and failed is not stopped:
            raise failed

    def _publish(self, publisher: Publisher, batch: Batch, observe: Callable[[Result], None]) -> None:
        with contextlib.closing(publisher.publish(batch)) as results:
            for result in results:
                self.report.add(result)
                observe(result)

    @property
    def jobs(self) -> int:
        """How many worker processes; 0 for none."""
        return usable_cores() if self.options.jobs is None else self.options.jobs

    def _executor(self, foreign: list[int], gate: InterruptGate) -> Executor:
        options = self.options
        threads = max(1, usable_cores() // max(1, self.jobs))
        settings = Settings(
            root=options.out,
            owner_id=options.part.owner_id if options.part else WHOLE_RUN_OWNER,
            fsync=options.fsync,
            threads=threads,
            debug=options.debug,
            flush_failures=options.max_failures is not None,
        )
        if not self.jobs:
            from tonearm.run.workers.in_process import InProcessExecutor

            return InProcessExecutor(self.pipeline, settings, gate)
        from tonearm.run.workers.local import LocalExecutor

        return LocalExecutor(
            self.pipeline, settings, jobs=self.jobs, gate=gate, timeout=options.timeout, foreign=foreign
        )


def _stop_reason(stopped: BaseException | None) -> str:
    """Return why a run ended before all was done, in a word."""
    if stopped is None:
        return ""
    kinds = {KeyboardInterrupt: "interrupted", OutputError: "output"}
    return next((word for kind, word in kinds.items() if isinstance(stopped, kind)), "error")


def _check_no_other_run(plan: Plan) -> None:
    """Raise `LockedError` if another run came and went since the plan was made: before, there was no lock to hold."""
    part = plan.selection.part
    for path in find_journals(plan.root) if part is None else [journal_path(plan.root, part)]:
        size, _ = file_state(path) or (0, 0)
        if size != plan.history.sizes.get(path, 0):
            raise LockedError(f"another run wrote to {one_line(plan.root)} meanwhile", hint="run it again")
