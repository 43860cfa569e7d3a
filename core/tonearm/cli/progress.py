"""What a person sees of a run while it runs, or a program."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

from tonearm.cli import console

if TYPE_CHECKING:
    from rich.progress import Progress

    from tonearm.run.plan import Plan
    from tonearm.run.result import Result

LINE_EVERY = 5.0
"""Seconds between two lines of progress where nobody is looking."""

REFRESH_EVERY = 0.1

MOST_WARNINGS = 5
"""So many of one kind are said; the journal has all."""


class Observer:
    """Says what failed and what to know; more in subclasses.

    Parameters
    ----------
    lines
        Where a line of JSON for each item goes; None for nowhere.
    quiet
        Whether warnings are kept back.
    """

    def __init__(self, *, quiet: bool, lines: TextIO | None) -> None:
        self.quiet = quiet
        self.total = 0
        self.done = 0
        self.failed = 0
        self._lines = lines
        self._warned: Counter[str] = Counter()

    def begin(self, plan: Plan) -> None:
        """Take note of what there is to do."""
        self.total = len(plan)
        if self._lines:
            for name in plan.skipped():
                self._print({"source": name, "status": "skipped", "reason": "done before, and unchanged"})

    def __call__(self, result: Result) -> None:
        """Take note of a result."""
        self.done += result.last
        self.failed += len(result.failures)
        if result.failures or result.warnings:
            self._tell(result)
        if self._lines:
            for values in _items(result):
                self._print(values)
        self.progress(result)

    def _tell(self, result: Result) -> None:
        """Say what failed, and what is worth knowing; of warnings of one kind only the first ones, all in the log."""
        from tonearm.errors import Problem, advise, one_line
        from tonearm.run.report import warning_pattern

        name = one_line(result.source)
        for failure in result.failures:
            self.say(f"{name}: {Problem(code=failure.code, message=failure.message, remedies=advise(failure.hint))}")
            if failure.trace:
                self.say(failure.trace)
        for warning in result.warnings:
            kind = warning_pattern(warning)
            self._warned[kind] += 1
            if self.quiet or self._warned[kind] > MOST_WARNINGS:
                console.log(f"{name}: warning: {warning}")
            else:
                self.say(f"{name}: warning: {warning}")
            if self._warned[kind] == MOST_WARNINGS and not self.quiet:
                self.say("further warnings of this kind are only counted; the journal has all")

    def _print(self, values: dict[str, Any]) -> None:
        import json

        if self._lines is None:
            return
        try:
            print(json.dumps(values, separators=(",", ":")), file=self._lines, flush=True)
        except BrokenPipeError:
            console.forget(self._lines)  # whoever read it has left; the work goes on
            self._lines = None
        except OSError as error:
            from tonearm.errors import OutputError

            console.forget(self._lines)
            self._lines = None
            raise OutputError(f"cannot write to stdout: {(error.strerror or str(error)).lower()}") from error

    def print_plan(self, source: str, outputs: list[str] | None, why: str) -> None:
        """Say what would be done with a source, on stdout; with no outputs it would be skipped."""
        from tonearm.errors import one_line

        if self._lines:
            status = "skipped" if outputs is None else "planned"
            self._print({"source": source, "status": status, "outputs": outputs or [], "reason": why})
            return
        what = "skipped" if outputs is None else f"-> {', '.join(map(one_line, outputs)) or 'nothing'}"
        print(f"{one_line(source)} {what}{f' ({why})' if why else ''}")

    def say(self, line: str) -> None:
        """Say something that a person should know."""
        console.say(line)

    def progress(self, result: Result) -> None:
        """Show how far it is."""

    def tick(self) -> None:
        """Show that time passes."""

    def end(self) -> None:
        """Show no more."""


class Lines(Observer):
    """A line of progress every few seconds."""

    def __init__(self, *, quiet: bool, lines: TextIO | None) -> None:
        super().__init__(quiet=quiet, lines=lines)
        self._began = self._said = time.monotonic()

    def begin(self, plan: Plan) -> None:
        """Begin to count the time."""
        super().begin(plan)
        self._began = self._said = time.monotonic()

    def tick(self) -> None:
        """Say how far it is, now and then."""
        now = time.monotonic()
        if now - self._said < LINE_EVERY:
            return
        self._said = now
        rate = self.done / (now - self._began)
        failed = f", {self.failed} failed" if self.failed else ""
        left = f", {(self.total - self.done) / rate:.0f} s left" if rate else ""
        console.say(f"{self.done} of {self.total} sources{failed}, {rate:.1f} a second{left}")


class Bar(Observer):
    """A progress bar; it is drawn when results come, by no thread of its own, so that workers can be forked."""

    def __init__(self, bar: Progress, *, quiet: bool, lines: TextIO | None) -> None:
        super().__init__(quiet=quiet, lines=lines)
        self._bar = bar
        self._task = bar.add_task("", total=None, failed="")
        self._drawn = 0.0

    def begin(self, plan: Plan) -> None:
        """Draw it for the first time."""
        super().begin(plan)
        self._bar.update(self._task, total=self.total)
        self._bar.start()

    def say(self, line: str) -> None:
        """Print a line above it."""
        console.log(line)
        self._bar.console.print(line, markup=False, soft_wrap=True)

    def progress(self, result: Result) -> None:
        """Draw it."""
        from tonearm.errors import one_line

        now = time.monotonic()
        if now - self._drawn < REFRESH_EVERY and self.done < self.total:
            return
        self._drawn = now
        failed = f"{self.failed} failed" if self.failed else ""
        name = one_line(os.path.basename(result.source), 40)  # noqa: PTH119
        self._bar.update(self._task, completed=self.done, description=name, failed=failed)
        self._bar.refresh()

    def tick(self) -> None:
        """Draw it anew, if nothing has come for a while."""
        now = time.monotonic()
        if now - self._drawn > 10 * REFRESH_EVERY:
            self._drawn = now
            self._bar.refresh()

    def end(self) -> None:
        """Wipe it away."""
        self._bar.stop()


@contextlib.contextmanager
def observer(*, quiet: bool, as_json: bool) -> Iterator[Observer]:
    """Give what shows a run: a bar on a terminal, a line now and then elsewhere, JSON on stdout if asked for."""
    lines = _own_stdout() if as_json else None
    if quiet:
        yield Observer(quiet=True, lines=lines)
        return
    if not console.is_terminal(sys.stderr):
        yield Lines(quiet=False, lines=lines)
        return
    bar = _bar()
    try:
        yield Bar(bar, quiet=False, lines=lines)
    finally:
        bar.stop()


def _own_stdout() -> TextIO:
    """Return stdout for us alone; what plugins print goes to stderr from here on."""
    sys.stdout.flush()
    own = os.fdopen(os.dup(1), "w", encoding="ascii", errors="backslashreplace")
    os.dup2(2, 1)
    return own


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        BarColumn(),
        TaskProgressColumn(show_speed=True),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("[red]{task.fields[failed]}"),
        TextColumn("{task.description}", markup=False),
        console=Console(stderr=True, highlight=False),
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _items(result: Result) -> Iterator[dict[str, Any]]:
    for item in result.items:
        yield {
            "source": result.source,
            "key": item.key,
            "index": item.index,
            "status": "converted",
            "outputs": [file.output for file in item.files],
            "measured": item.measured,
            "warnings": item.warnings,
        }
    for failure in result.failures:
        yield {
            "source": result.source,
            "key": failure.key,
            "index": failure.index,
            "status": "failed",
            "code": failure.code,
            "message": failure.message,
            "hint": failure.hint,
        }
