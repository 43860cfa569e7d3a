"""``tonearm run``: a pipeline over many files."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING

from tonearm.cli import console

if TYPE_CHECKING:
    import argparse

    from tonearm.batch.run import Report, Result

SHOWN = 5
"""So many files and failures are named at the end; the journal has all."""

LINE_EVERY = 5.0
"""Seconds between two lines of progress where nobody is looking."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("pipeline", metavar="PIPELINE", help="YAML file")
    parser.add_argument(
        "sources",
        nargs="*",
        default=[],
        metavar="SOURCE",
        help="files, folders or patterns; else the pipeline's own",
    )
    parser.add_argument("--out", metavar="DIR", default=".", help="output folder; the current one if not given")
    parser.add_argument("--force", action="store_true", help="convert all, and replace files that no run wrote")
    parser.add_argument("--fail-fast", action="store_true", help="stop at the first item that fails")
    parser.add_argument(
        "--fsync",
        choices=("file", "none"),
        default="file",
        help="flush each file to the disk, or leave it to the system",
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing but what went wrong")
    console.add_set(parser)


def main(arguments: SimpleNamespace) -> int:
    """Run the pipeline, and say what became of it."""
    # Before anything heavy is imported: whoever stops us early is heard too.
    signal.signal(signal.SIGTERM, _terminated)
    from tonearm.python import load

    pipeline = load(arguments.pipeline, overrides=arguments.overrides, plugins=console.registry())
    with _progress(quiet=arguments.quiet) as observe:
        report = pipeline.run(
            arguments.sources or None,
            out=arguments.out,
            force=arguments.force,
            fail_fast=arguments.fail_fast,
            fsync=arguments.fsync == "file",
            observe=observe,
        )
    if not arguments.quiet:
        _summarise(report)
    return console.DONE if report.ok else console.SOME_FAILED


def _terminated(*_: object) -> None:
    raise console.Terminated


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[Result], None]]:
    """Show how far it is: a bar on a terminal, a line now and then elsewhere; warnings and failures in any case."""
    if quiet or not console.is_terminal(sys.stderr):
        yield _Lines(quiet=quiet)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    terminal = Console(stderr=True, highlight=False)
    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=terminal, transient=True) as bar:
        task = bar.add_task("", total=None)

        def observe(result: Result) -> None:
            for line in _lines_of(result):
                terminal.print(line, markup=False, soft_wrap=True)
            bar.update(task, advance=1, description=result.source.stem)

        yield observe


class _Lines:
    """A line of progress every few seconds."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.done = 0
        self.said = time.monotonic()

    def __call__(self, result: Result) -> None:
        for line in _lines_of(result):
            if result.errors or not self.quiet:
                console.say(line)
        self.done += 1
        if not self.quiet and time.monotonic() - self.said > LINE_EVERY:
            self.said = time.monotonic()
            console.say(f"{self.done} sources converted")


def _lines_of(result: Result) -> Iterator[str]:
    from tonearm.errors import one_line

    name = one_line(result.source.name)
    for error in result.errors:
        yield f"{name}: {error.problem}"
    for warning in result.warnings:
        yield f"{name}: warning: {warning}"


def _summarise(report: Report) -> None:
    """Say how many, and where the files are."""
    from tonearm.errors import one_line

    counts = [f"{report.items} converted", f"{len(report.errors)} failed"]
    counts += [f"{report.skipped} done before"] if report.skipped else []
    console.say(f"{', '.join(counts)} in {report.seconds:.1f} s")
    outputs = report.outputs
    for path in outputs[:SHOWN]:
        console.say(f"    {one_line(path)}")
    if len(outputs) > SHOWN:
        console.say(f"    and {len(outputs) - SHOWN} more below {one_line(report.out)}")
