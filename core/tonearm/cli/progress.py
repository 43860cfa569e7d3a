"""Observers of a run: messages, progress for people, and JSON records for programs."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from tonearm.cli import console, styles
from tonearm.cli.json_records import plan_record, result_records, skipped_record
from tonearm.cli.repeats import MAX_FAILURES, MAX_NOTES, MAX_WARNINGS, Repeats
from tonearm.reporting.bar import DELAY, REFRESH_INTERVAL, SHORT_NAME_LENGTH, source_text

if TYPE_CHECKING:
    from rich.progress import Progress

    from tonearm.plugins.progress import Progress as WithinSource
    from tonearm.reporting.worker_rates import WorkerRates
    from tonearm.run.plan import Plan
    from tonearm.run.result import Result
    from tonearm.source import Source

LINE_INTERVAL = 5.0
"""Seconds between two lines of progress where stderr is no terminal."""

SILENCE = 2.0
"""Seconds without a report after which a source gives way to another that reports."""


class Observer:
    """Observer of a run that prints failures and warnings; subclasses show progress too.

    Parameters
    ----------
    lines
        Stream that gets one JSON record for each item; None for no records.
    quiet
        Whether warnings are only logged, not printed.

    Attributes
    ----------
    total
        Number of sources to convert.
    done
        Number of sources that are finished.
    failed
        Number of failed items.
    found
        Number of sources that were found so far, while the run is planned.
    has_begun
        Whether the plan is made, and the run has begun.
    workers
        Workers of the run that have names, with their rates; None before it begins.
    """

    def __init__(self, *, quiet: bool, lines: TextIO | None) -> None:
        self.quiet = quiet
        self.found = 0
        self.has_begun = False
        self.total = 0
        self.done = 0
        self.failed = 0
        self.workers: WorkerRates | None = None
        self._lines = lines
        self._warned = Repeats(MAX_WARNINGS)
        self._noted = Repeats(MAX_NOTES)
        self._failed: dict[str, Repeats] = {}  # by name of the source

    def count_sources(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Yield sources, count them, and print their number every few seconds."""
        last_line = time.monotonic()
        for source in sources:
            self.found += 1
            yield source
            if (now := time.monotonic()) - last_line >= LINE_INTERVAL:
                last_line = now
                if not self.quiet:
                    self.print_message(f"{self.found} sources found")

    def begin(self, plan: Plan) -> None:
        """Note how many sources there are to convert, and record those that are skipped."""
        self.has_begun = True
        self.total = len(plan)
        if self._lines:
            from tonearm.run.skipped import skipped_items

            for item in skipped_items(plan):
                self._write_record(skipped_record(item))

    def __call__(self, result: Result) -> None:
        """Count a result, report its failures and warnings, and record its items."""
        self.done += result.last
        self.failed += len(result.failures)
        if result.failures or result.warnings or result.source in self._failed:
            self._report(result)
        if self._lines:
            for record in result_records(result):
                self._write_record(record)
        self.progress(result)

    def _report(self, result: Result) -> None:
        """Print the first failures and warnings of each kind; the log file gets all of them."""
        from tonearm.cli.printing import kept_line
        from tonearm.errors import Problem, advise, one_line
        from tonearm.errors.text import counted, item_name
        from tonearm.run.report import warning_pattern

        name = one_line(result.source)
        failed = self._failed.pop(result.source, None) or Repeats(MAX_FAILURES)
        for failure in result.failures:
            problem = Problem(code=failure.code, message=failure.message, remedies=advise(failure.hint))
            report = self.print_message if failed.add(failure.code) >= 0 else console.log
            item = item_name(result.source, failure.key, failure.index)
            report(f"{item}: {problem}{kept_line(failure.kept)}")
            if failure.trace:
                report(failure.trace)
        if not result.last:
            self._failed[result.source] = failed
        else:
            for code, count in failed.unprinted():
                self.print_message(f"{name}: {one_line(code)}: and {counted(count, 'more item')}")
        for warning in result.warnings:
            left = self._warned.add(warning_pattern(warning))
            (console.log if self.quiet or left < 0 else self.print_message)(f"{name}: warning: {warning}")
            if left == 0 and not self.quiet:
                self.print_message("further warnings of this kind are only counted; the journal has all")

    def _write_record(self, record: dict[str, Any]) -> None:
        """Write a record as one line of JSON; the run continues if the reader of the lines has finished."""
        import json

        if self._lines is None:
            return
        try:
            print(json.dumps(record, separators=(",", ":")), file=self._lines, flush=True)
        except BrokenPipeError:
            console.discard_stream(self._lines)
            self._lines = None
        except OSError as error:
            from tonearm.errors import OutputError

            console.discard_stream(self._lines)
            self._lines = None
            raise OutputError(f"cannot write to stdout: {(error.strerror or str(error)).lower()}") from error

    def print_plan(self, source: str, outputs: list[str], reason: str, *, is_skipped: bool = False) -> None:
        """Print on stdout what the run would do with a source.

        Parameters
        ----------
        source
            Name of the source.
        outputs
            Names of the files that it would become, or that it has become before if it would be skipped.
        reason
            Reason why it would be converted again or skipped; may be empty.
        is_skipped
            Whether it would be skipped.
        """
        from tonearm.errors import one_line

        if self._lines:
            status = "skipped" if is_skipped else "planned"
            self._write_record({"source": source, "status": status, "outputs": outputs, "reason": reason})
            return
        action = "skipped" if is_skipped else f"-> {', '.join(map(one_line, outputs)) or 'nothing'}"
        console.print_data(f"{one_line(source)} {action}{f' ({reason})' if reason else ''}")

    def print_plan_summary(self, plan: Plan) -> None:
        """Record how many sources a plan has, as the last line of JSON."""
        if self._lines:
            self._write_record(plan_record(plan))

    def note(self, line: str) -> None:
        """Print a note of the executor, such as the address of a dashboard; of many of one kind, the first ones."""
        from tonearm.run.report import warning_pattern

        left = self._noted.add(warning_pattern(line))
        (console.log if self.quiet or left < 0 else self.print_message)(line)
        if left == 0 and not self.quiet:
            self.print_message("further notes of this kind are only logged")

    def print_message(self, line: str) -> None:
        """Print a message."""
        console.print_message(line)

    def progress(self, result: Result) -> None:
        """Show progress after a result."""

    def report(self, progress: WithinSource) -> None:
        """Show how far a source is that is at work."""

    def tick(self) -> None:
        """Show that time passes while no result comes."""

    def end(self) -> None:
        """Stop showing progress."""


class ProgressLines(Observer):
    """Observer that prints a line of progress every few seconds."""

    def __init__(self, *, quiet: bool, lines: TextIO | None) -> None:
        super().__init__(quiet=quiet, lines=lines)
        self._began = self._last_line = time.monotonic()

    def begin(self, plan: Plan) -> None:
        """Start measuring the rate."""
        super().begin(plan)
        self._began = self._last_line = time.monotonic()

    def tick(self) -> None:
        """Print a line of progress, if the last one is old enough."""
        now = time.monotonic()
        if now - self._last_line < LINE_INTERVAL:
            return
        self._last_line = now
        rate = self.done / (now - self._began)
        failed = f", {self.failed} failed" if self.failed else ""
        left = f", {(self.total - self.done) / rate:.0f} s left" if rate else ""
        workers = self.workers.describe() if self.workers else ""
        line = f"{self.done} of {self.total} sources{failed}, {rate:.1f} a second{left}"
        console.print_message(f"{line}; {workers}" if workers else line)


class ProgressBar(Observer):
    """Observer that draws a progress bar, on this thread alone, so that worker processes can be forked safely."""

    def __init__(self, bar: Progress, *, quiet: bool, lines: TextIO | None) -> None:
        super().__init__(quiet=quiet, lines=lines)
        self._bar = bar
        self._task = bar.add_task("", total=None, failed="", workers="")
        self._last_drawn = 0.0
        self._name = ""
        self._working: WithinSource | None = None
        """Last report of the source that is shown while it works; None for none."""
        self._working_since = self._heard = 0.0

    def begin(self, plan: Plan) -> None:
        """Draw the bar for the first time."""
        super().begin(plan)
        self._bar.update(self._task, total=self.total)
        self._bar.start()

    def print_message(self, line: str) -> None:
        """Print a message above the bar."""
        console.log(line)
        shown = styles.paint_labels(line) if styles.has_color(sys.stderr) else line
        self._bar.console.print(shown, markup=False, soft_wrap=True)

    def progress(self, result: Result) -> None:
        """Draw the bar, unless it was drawn a moment ago."""
        self._name = result.source
        if self._working is not None and result.last and self._working.source == result.source:
            self._working = None
        now = time.monotonic()
        if now - self._last_drawn >= REFRESH_INTERVAL or self.done >= self.total:
            self._draw(now)

    def report(self, progress: WithinSource) -> None:
        """Show how far a source is: of several that are at work, the one that was reported first, until it is done."""
        now = time.monotonic()
        shown = self._working
        if shown is None or shown.source != progress.source:
            if shown is not None and now - self._heard < SILENCE:
                return
            self._working_since = now
        self._working, self._heard = progress, now
        if now - self._working_since < DELAY:
            return
        if now - self._last_drawn >= REFRESH_INTERVAL or shown is None or shown.index != progress.index:
            self._draw(now)

    def _draw(self, now: float) -> None:
        """Draw the bar, with the source that has been at work for a while, or else with the last one that is done."""
        self._last_drawn = now
        failed = f"{self.failed} failed" if self.failed else ""
        text = source_text(self._name)
        working = self._working
        if working is not None and now - self._working_since >= DELAY:
            text = f"{source_text(working.source, SHORT_NAME_LENGTH)}: {working}"
        workers = self.workers.describe(max(0, self._bar.console.width - 1)) if self.workers else ""
        self._bar.update(self._task, completed=self.done, description=text, failed=failed, workers=workers)
        self._bar.refresh()

    def tick(self) -> None:
        """Draw the bar again, if no result has come for a while."""
        now = time.monotonic()
        if now - self._last_drawn > 10 * REFRESH_INTERVAL:
            self._draw(now)

    def end(self) -> None:
        """Erase the bar."""
        self._bar.stop()


@contextlib.contextmanager
def open_observer(*, quiet: bool, as_json: bool) -> Iterator[Observer]:
    """Give the observer for this run: a bar on a terminal, lines of progress elsewhere, neither if quiet.

    Parameters
    ----------
    quiet
        Whether to print failures only.
    as_json
        Whether to write JSON records to stdout.
    """
    lines = console.data() if as_json else None
    if quiet:
        yield Observer(quiet=True, lines=lines)
        return
    if not styles.is_terminal(sys.stderr):
        yield ProgressLines(quiet=False, lines=lines)
        return
    bar = _rich_progress()
    try:
        yield ProgressBar(bar, quiet=False, lines=lines)
    finally:
        bar.stop()


def _rich_progress() -> Progress:
    from rich.console import Console, RenderableType
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class WithWorkers(Progress):
        """A bar with a line about the workers below."""

        def get_renderables(self) -> Iterable[RenderableType]:
            yield from super().get_renderables()
            yield from (Text(task.fields["workers"]) for task in self.tasks if task.fields["workers"])

    return WithWorkers(
        BarColumn(),
        TaskProgressColumn(show_speed=True),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("[red]{task.fields[failed]}"),
        TextColumn("{task.description}", markup=False),
        console=Console(stderr=True, highlight=False, no_color=not styles.has_color(sys.stderr)),
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )
