"""``tonearm run``: a pipeline over many files."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tonearm.cli import console
from tonearm.startup import StopHandler, keep_freed_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tonearm.cli.progress import Observer
    from tonearm.run.part import Part
    from tonearm.run.plan import Plan
    from tonearm.run.report import Report

SHOWN = 5
"""So many files and failures are named at the end; the journal has all."""


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
    parser.add_argument(
        "--from", metavar="FILE", dest="listed", help="file that lists sources, one a line or NUL-separated; - is stdin"
    )
    parser.add_argument("--out", metavar="DIR", default=".", help="output folder; the current one if not given")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    again = parser.add_argument_group("what is done again")
    again.add_argument("--force", action="store_true", help="convert all, and replace files that no run wrote")
    again.add_argument("--verify", action="store_true", help="look at the content of outputs, not only at their sizes")
    again.add_argument("--part", type=_part, metavar="I/N", help="part I of N; each part may run elsewhere")
    work = parser.add_argument_group("how it works")
    work.add_argument(
        "--jobs", type=int, metavar="N", help="worker processes; the cores there are if not given, 0 for none"
    )
    work.add_argument("--timeout", type=float, metavar="S", help="seconds that a source may take")
    work.add_argument("--executor", metavar="NAME", default="local", help="who does the work; local is this machine")
    work.add_argument(
        "--fsync",
        choices=("file", "none"),
        default="file",
        help="flush each file to the disk, or leave it to the system",
    )
    end = parser.add_argument_group("when it ends")
    end.add_argument("--fail-fast", action="store_true", help="stop at the first item that fails")
    end.add_argument("--max-failures", type=int, metavar="N", help="stop when N items have failed")
    said = parser.add_argument_group("what it says")
    said.add_argument("--quiet", action="store_true", help="say nothing but what went wrong")
    said.add_argument("--json", action="store_true", help="print a line of JSON for each item on stdout")
    said.add_argument("--log-file", metavar="FILE", help="append all messages to a file, with the time")
    console.add_set(parser)


def main(arguments: argparse.Namespace) -> int:
    """Run the pipeline, and say what became of it."""
    StopHandler.install()  # before anything heavy is imported: whoever stops us early is heard too
    from tonearm.cli.progress import observer

    with console.logged(arguments.log_file):
        try:
            with observer(quiet=arguments.quiet, as_json=arguments.json) as watching:
                return _run(arguments, watching)
        except KeyboardInterrupt as interrupt:
            return console.stopped_by(interrupt)


def _run(arguments: argparse.Namespace, watching: Observer) -> int:
    from tonearm.python import load
    from tonearm.run.options import RunOptions
    from tonearm.run.run import Run

    pipeline = load(arguments.pipeline, overrides=arguments.overrides, plugins=console.registry())
    options = RunOptions(
        out=arguments.out,
        force=arguments.force,
        verify=arguments.verify,
        jobs=arguments.jobs,
        timeout=arguments.timeout,
        max_failures=1 if arguments.fail_fast else arguments.max_failures,
        fsync=arguments.fsync == "file",
        part=arguments.part,
        executor=arguments.executor,
        debug=arguments.debug,
    )
    run = Run(pipeline, options)
    if not run.jobs:
        keep_freed_memory()
    plan = run.plan(pipeline.find_sources(_sources(arguments), warn=run.report.warnings.append))
    for warning in run.report.warnings:
        console.say(f"warning: {warning}")
    if arguments.dry_run:
        run.release()
        _show(plan, watching)
        return console.DONE
    watching.begin(plan)
    try:
        run.execute(plan, watching, watching.tick)
    finally:
        watching.end()
        if run.report.total + run.report.skipped:
            for line in summary(run.report):
                (console.log if arguments.quiet else console.say)(line)
    return console.DONE if run.report.ok else console.SOME_FAILED


def _sources(arguments: argparse.Namespace) -> Iterable[str] | None:
    """Return the sources that were named; None for the pipeline's own."""
    if not arguments.listed:
        return arguments.sources or None
    import itertools

    from tonearm.run.sources.source_list import read_source_list

    return itertools.chain(arguments.sources, read_source_list(arguments.listed))


def _part(text: str) -> Part:
    from tonearm.errors import UsageError
    from tonearm.run.part import Part

    try:
        return Part.parse(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(error.message) from error


def _show(plan: Plan, watching: Observer) -> None:
    """Say what would be done."""
    from tonearm.errors import one_line

    for task, reason in plan.tasks_with_reasons():
        kept = f"{len(task.skip)} items are done" if task.skip else ""
        watching.print_plan(task.name, plan.outputs(task), "; ".join(filter(None, (reason, kept))))
    for name in plan.skipped():
        watching.print_plan(name, None, "done before, and unchanged")
    counts = [f"{len(plan)} to convert", f"{plan.done} done"]
    counts += [f"{plan.in_other_parts} in other parts"] if plan.in_other_parts else []
    console.say(f"{', '.join(counts)}; outputs go below {one_line(plan.root)}")


def summary(report: Report) -> Iterator[str]:
    """Yield how many, how fast, where the files are, what there is to know, and the first of what failed."""
    from tonearm.errors import one_line

    left = report.total - report.sources
    counts = [f"{report.converted} converted", f"{report.failed} failed"]
    counts += [f"{report.warned} with warnings"] if report.warned else []
    counts += [f"{report.skipped} done before"] if report.skipped else []
    counts += [f"{left} left"] if left else []
    yield f"{', '.join(counts)} in {console.duration(report.seconds)}{_rates(report)}"
    for name in report.first_outputs[:SHOWN]:
        yield f"    {one_line(report.out / name)}"
    if report.files > SHOWN:
        yield f"    and {report.files - SHOWN} more below {one_line(report.out)}"
    if report.noted:
        yield "warnings:"
    for kind, (count, source) in sorted(report.noted.items(), key=lambda one: -one[1][0]):
        yield f"    {count} × {kind}, first {one_line(source)}"
    if report.failed:
        yield "failed:"
    for code, count in report.codes.most_common():
        failure = next((failure for failure in report.failures if failure.code == code), None)
        yield f"    {count} × {code}" + (f", first {one_line(failure.source)}: {failure.message}" if failure else "")
        if failure and failure.hint:
            yield f"        hint: {failure.hint}"


def _rates(report: Report) -> str:
    """Return how fast it was, where there was enough of it to tell."""
    rates = [f"{report.sources / report.seconds:.0f} sources a second"] if report.sources >= 100 else []
    if report.sound > 10 and report.seconds > 1:
        rates.append(f"{report.sound / report.seconds:.0f} × real time")
    return f": {', '.join(rates)}" if rates else ""
