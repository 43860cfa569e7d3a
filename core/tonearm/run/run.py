"""A run: one pipeline over many sources, with a journal of what happened to each item."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path

from tonearm.errors import OutputError, TonearmError, one_line
from tonearm.pipeline.converter import Converter
from tonearm.plugins.progress import Progress
from tonearm.reporting.worker_rates import WorkerRates
from tonearm.run.options import RunOptions
from tonearm.run.plan import Plan, make_plan
from tonearm.run.prepare import Settings
from tonearm.run.report import Report
from tonearm.run.result import Result
from tonearm.run.store.free_space import space_warnings
from tonearm.run.store.journal import Journal
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.lock import LockedError
from tonearm.run.store.publisher import Publisher
from tonearm.run.store.quarantine import Quarantine
from tonearm.run.store.records import RunRecord, StopRecord
from tonearm.run.store.store import Store
from tonearm.run.tasks import Task
from tonearm.run.workers.choice import ChosenExecutor
from tonearm.run.workers.chunks import Chunks
from tonearm.run.workers.dispatch import HELD_TIMEOUT, Batch, Dispatcher
from tonearm.run.workers.health import Health
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.run.workers.work import PipelineWork
from tonearm.source import Source
from tonearm.usable_cores import usable_cores


class Run:
    """A run, from its plan to its report.

    Parameters
    ----------
    pipeline
        Pipeline.
    options
        Options of the run.
    store
        Store of the outputs; None for the folder that the options name.

    Attributes
    ----------
    jobs
        Number of worker processes; 0 for none.
    report
        Report so far.
    rates
        Workers that have names, with their rates.
    health
        Health of this process, if another one can take over the run; else None, as it is at first.

    Raises
    ------
    UsageError
        If an option is not valid.
    """

    def __init__(self, pipeline: Converter, options: RunOptions, store: Store | None = None) -> None:
        options.check()
        self.pipeline = pipeline
        self.options = options
        self.report = Report(Path(options.out))
        self.store = store or LocalStore(options.out)
        self.rates = WorkerRates()
        cores = usable_cores()
        self.health: Health | None = None
        self._quarantine = Quarantine(options.quarantine) if options.quarantine else None
        self._executor = ChosenExecutor(options, cores)
        self.jobs = self._executor.jobs

    def plan(self, sources: Iterable[Source]) -> Plan:
        """Return the plan of the run. Nothing on the disk changes.

        Raises
        ------
        LockedError
            If another run holds the output folder.
        UsageError
            If there is no source, or the quarantine holds files of somebody else.
        PipelineError
            If outputs clash.
        TonearmError
            If a plugin finds something missing.
        """
        if self._quarantine is not None:
            self._quarantine.check(self.options.out)
        self.store.lock(self.options.part, create=False)
        try:
            self.pipeline.preflight()
            plan = make_plan(self.pipeline, self.store, sources, self.options, self.report.warnings)
        except BaseException:
            self.release()
            raise
        self.report.total, self.report.skipped = len(plan), plan.done
        self.report.outputs_left_out = plan.outputs_left_out
        self.report.warnings += space_warnings(self.store, plan.bytes_to_convert)
        if plan.history.nonsense:
            lines = "line" if plan.history.nonsense == 1 else "lines"
            self.report.warnings.append(f"{plan.history.nonsense} {lines} of the journal make no sense and are skipped")
        return plan

    def release(self) -> None:
        """Release the output folder, if the plan is not to be executed."""
        self.store.close()

    def execute(
        self,
        plan: Plan,
        observe: Callable[[Result], None],
        tick: Callable[[], None] | None = None,
        alive: Callable[..., None] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> Report:
        """Execute a plan and return the report.

        Whatever ends the run early, the journal is closed, no temporaries are left, and `report` is up to date.

        Parameters
        ----------
        plan
            Plan that `plan` returned.
        observe
            Function that is called with each source's result.
        tick
            Function that is called about every second, whether there are results or not.
        alive
            Function of any arguments that is called whenever work in this process goes on.
        on_progress
            Function that is called with the progress within sources: those of this process, and those of workers that
            send it along with their signs of life. What it raises ends the run.
        on_note
            Function that is called with each note of the executor for people.

        Raises
        ------
        LockedError
            If another run holds the output folder.
        OutputError
            If the output side fails. What was finished stays.
        """
        report = self.report
        began = time.monotonic()
        try:
            with InterruptGate() as gate:
                warning = self.store.lock(self.options.part, create=True)
                _check_no_other_run(plan)
                report.warnings += [warning] if warning else []
                with contextlib.closing(self.store.open_journal(self.options.part)) as file:
                    start = file.size
                    try:
                        dispatcher = self._dispatcher(gate, alive, on_progress, on_note)
                        self._convert(plan, Journal(file), dispatcher, observe, tick or (lambda: None))
                    finally:
                        report.seconds = time.monotonic() - began
                        report.workers = self.rates.counts()
                        report.read_from(self.store, file.name, start, file.size)
        except OutputError:
            report.stopped = report.stopped or "output"
            raise
        except KeyboardInterrupt:
            report.stopped = "interrupted"
            raise
        finally:
            self.release()
        return report

    def _convert(
        self,
        plan: Plan,
        journal: Journal,
        dispatcher: Dispatcher,
        observe: Callable[[Result], None],
        tick: Callable[[], None],
    ) -> None:
        options, report = self.options, self.report
        # The journal may have lost the records of a run that was killed, but not its owners of temporaries.
        was_killed = not plan.history.clean
        if was_killed or self.store.has_dead_owner():
            self.store.sweep()
        elif len(plan):  # a `convert` that was killed has no journal
            self.store.sweep(folders=[""])
        if self._quarantine is not None:
            self._quarantine.sweep()
        journal.write(
            RunRecord(
                time=plan.history.time_of_next_run(time.time()),
                pipeline=plan.fingerprint,
                file=os.path.abspath(self.pipeline.checked.file) if self.pipeline.checked.file else "",
                plugins=plan.plugins,
                outputs=list(plan.fingerprints),
                part=(options.part.index, options.part.count) if options.part else None,
                sources=len(plan),
                skipped=plan.done,
                jobs=self.jobs,
            )
        )
        for record in plan.renewed:
            journal.write(record)
        publisher = Publisher(
            self.store,
            journal,
            plan.names,
            plan.fingerprints,
            fsync=options.fsync,
            unrecorded=plan.history.unrecorded,
        )
        publisher.begin()

        def tasks() -> Iterator[Task]:
            for task, items in plan.tasks():
                publisher.keep(task.number, items)
                yield task

        stopped: BaseException | None = None
        try:
            chunks = Chunks(tasks(), len(plan), self._executor.slots, self._executor.plugin.chunk_seconds)
            with contextlib.closing(dispatcher.results(chunks)) as batches:
                for batch in batches:
                    self._publish_all(publisher.publish(batch), observe)
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
            self._shut_down(dispatcher, publisher, journal, observe, stopped)
            # Workers elsewhere may have gone on without it. An interrupt does not wait for a search of all folders.
            if was_killed and self._executor.name and not isinstance(stopped, KeyboardInterrupt):
                self.store.sweep()

    def _shut_down(
        self,
        dispatcher: Dispatcher,
        publisher: Publisher,
        journal: Journal,
        observe: Callable[[Result], None],
        stopped: BaseException | None,
    ) -> None:
        """Stop the executor, publish what it had finished unless publishing has failed, and end the journal."""
        report = self.report
        failed = stopped if isinstance(stopped, Exception) else None
        batches: list[Batch] = []
        try:
            # Stopping the workers makes room on a full disk. What was whole when it filled is published then.
            batches += dispatcher.stop()
        except TonearmError as error:  # the executor could not stop its work
            failed = failed or error
        if failed is None or isinstance(failed, TonearmError):
            for results in (*map(publisher.publish, batches), publisher.publish_rest()):
                try:
                    self._publish_all(results, observe)
                except Exception as error:
                    failed = failed or error
            while publisher.discard_last():
                with contextlib.suppress(OutputError):
                    self._publish_all(publisher.publish_rest(), observe)
        else:  # whoever watches wants no more, or this is a bug
            for batch in batches:
                dispatcher.discard(batch)
        publisher.discard_rest()
        dispatcher.sweep_dead(at_end=True, patience=0.0 if isinstance(stopped, KeyboardInterrupt) else HELD_TIMEOUT)
        if self._quarantine is not None:
            self._quarantine.sweep()
        reason = report.stopped or _stop_reason(failed or stopped)
        try:
            publisher.sync()
            journal.write(StopRecord(time=time.time(), converted=report.converted, failed=report.failed, reason=reason))
            if self.options.fsync:
                journal.file.flush()
        except OutputError as error:
            failed = failed or error
        if failed is not None and failed is not stopped:
            raise failed

    def _publish_all(self, results: Generator[Result, None, None], observe: Callable[[Result], None]) -> None:
        with contextlib.closing(results):
            for result in results:
                self.report.add(result)
                observe(result)

    def _dispatcher(
        self,
        gate: InterruptGate,
        alive: Callable[..., None] | None,
        on_progress: Callable[[Progress], None] | None,
        on_note: Callable[[str], None] | None,
    ) -> Dispatcher:
        options, chosen = self.options, self._executor
        settings = Settings(
            fsync=options.fsync,
            threads=chosen.threads,
            debug=options.debug,
            flush_failures=options.max_failures is not None,
            quarantine=self._quarantine,
        )
        work = PipelineWork(self.pipeline, self.store, settings, gate, _life(alive, on_progress))
        work.health = self.health
        return Dispatcher(
            chosen.plugin,
            work,
            name=chosen.name,
            slots=chosen.slots,
            follows_capacity=chosen.follows_capacity,
            timeout=chosen.timeout,
            on_progress=on_progress,
            on_note=on_note,
            rates=self.rates,
        )


def _life(
    alive: Callable[..., None] | None, on_progress: Callable[[Progress], None] | None
) -> Callable[..., None] | None:
    """Return the function to call whenever work in this process goes on, with the progress that is reported."""
    if on_progress is None:
        return alive

    def live(*reports: Progress) -> None:
        if alive is not None:
            alive()
        for report in reports:
            on_progress(report)

    return live


def _stop_reason(stopped: BaseException | None) -> str:
    """Return why a run ended early, in a word; an empty text if it did not."""
    if stopped is None:
        return ""
    words = {KeyboardInterrupt: "interrupted", OutputError: "output"}
    return next((word for kind, word in words.items() if isinstance(stopped, kind)), "error")


def _check_no_other_run(plan: Plan) -> None:
    """Raise `LockedError` if another run has come and gone since the plan was made.

    When the plan is made, the output folder may not exist yet, and then there is no lock to hold.
    """
    part, store = plan.options.part, plan.store
    for name in store.journals() if part is None else [store.journal_name(part)]:
        if store.journal_size(name) != plan.history.sizes.get(name, 0):
            raise LockedError(f"another run wrote to {one_line(store.root)} meanwhile", hint="run it again")
