"""``tonearm run``: convert files with a pipeline."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tonearm.cli import console
from tonearm.cli.parser import add_download_option, add_env_option, add_set_option, add_strict_option
from tonearm.startup import StopHandler, keep_freed_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tonearm.cli.ceiling import Watch
    from tonearm.cli.progress import Observer
    from tonearm.errors import PipelineError
    from tonearm.pipeline.yaml.nodes import Node
    from tonearm.plugins.registry import Registry
    from tonearm.run.plan import Plan
    from tonearm.run.report import Report

MAX_FILES = 5
"""Number of written files that the summary names; the journal has all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("pipeline", metavar="PIPELINE", help="Pipeline file (YAML)")
    parser.add_argument(
        "sources",
        nargs="*",
        default=[],
        metavar="SOURCE",
        help="Files, folders or patterns to convert (default: the sources that the pipeline names)",
    )
    add_set_option(parser)
    add_strict_option(parser)
    add_env_option(parser)
    add_download_option(parser)
    group = parser.add_argument_group("Input")
    group.add_argument(
        "--from",
        metavar="FILE",
        dest="listed",
        help="List of sources: a file with one source a line, or separated by NUL; - reads it from stdin",
    )
    group.add_argument(
        "--part",
        metavar="I/N",
        help="Part of the sources: part I of N, or slurm, pbs or k8s for the part of this job of an array; parts can"
        " run on different machines",
    )
    group = parser.add_argument_group("Output")
    group.add_argument("-o", "--out", metavar="DIR", default=".", help="Output folder (default: the current folder)")
    group.add_argument(
        "--force", action="store_true", help="Convert everything again, and replace files that no run wrote"
    )
    group.add_argument(
        "--verify", action="store_true", help="Verify existing outputs by their content, not only by their size"
    )
    group.add_argument(
        "--fsync",
        choices=("file", "none"),
        default="file",
        help="When outputs reach the disk: file flushes each file before it gets its name, none leaves it to the"
        " system (default: file)",
    )
    group.add_argument(
        "--quarantine",
        metavar="DIR",
        help="Folder for copies of the sounds that a step, a limit or an encoder refuses, as WAV files to listen to",
    )
    group = parser.add_argument_group("Execution")
    group.add_argument("-n", "--dry-run", action="store_true", help="List what the run would do, without converting")
    group.add_argument(
        "-j",
        "--jobs",
        type=int,
        metavar="N",
        help="Number of worker processes; 0 converts in one process (default: one for each usable core). With an"
        " executor of other machines, number of chunks of sources in flight (default: what keeps all workers busy)",
    )
    group.add_argument(
        "--timeout",
        type=float,
        metavar="S",
        help="Seconds that work may go on without a sign of life; 0 for no limit (default: 600, if the executor can"
        " stop a source that hangs)",
    )
    group.add_argument(
        "--executor",
        metavar="NAME",
        default="local",
        help="Executor: local uses worker processes, dask the workers of a cluster, in-process converts in this process"
        " for debuggers; tonearm plugins lists all (default: local)",
    )
    group.add_argument(
        "--executor-option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="executor_options",
        help="Option of the executor; tonearm plugins NAME lists them",
    )
    group.add_argument("--fail-fast", action="store_true", help="Stop at the first failed item")
    group.add_argument("--max-failures", type=int, metavar="N", help="Number of failed items that stops the run")
    group = parser.add_argument_group("Messages")
    group.add_argument("-q", "--quiet", action="store_true", help="Print only failures")
    group.add_argument("--json", action="store_true", help="Print one JSON object for each item on stdout")
    group.add_argument("--log-file", metavar="FILE", help="Log file; every message is appended with its time")


def main(arguments: argparse.Namespace) -> int:
    """Run the pipeline and print a summary."""
    watcher = sys.modules.get("tonearm.cli.watcher")
    if watcher is None or watcher.pipe is None:
        StopHandler.install()  # before anything heavy is imported, so that an early signal is handled too
        return _main(arguments, None)
    from tonearm.cli.ceiling import watched
    from tonearm.cli.watched_work import WatchedWork

    with watched() as watch:
        watch.begin(WatchedWork("", 0))  # making a plan may take long
        return _main(arguments, watch if watcher.attempt == 1 else None)


def _main(arguments: argparse.Namespace, watch: Watch | None) -> int:
    from tonearm.cli.progress import open_observer

    with console.log_to(arguments.log_file):
        observer = None
        try:
            with open_observer(quiet=arguments.quiet, as_json=arguments.json) as observer:
                return _run(arguments, observer, watch)
        except KeyboardInterrupt as interrupt:
            if observer is None or not observer.has_begun:
                _print_summary(_early_summary(observer.found if observer else 0), arguments)
            return console.report_interrupt(interrupt)


def _print_summary(line: str, arguments: argparse.Namespace) -> None:
    (console.log if arguments.quiet else console.print_message)(line)


def _early_summary(found: int) -> str:
    """Return the summary of a run that was stopped before it began."""
    from tonearm.cli.printing import format_count

    return f"0 converted, 0 failed: stopped while the run was planned, with {format_count(found, 'source')} found"


def _with_reading_problem(
    error: PipelineError, root: Node, file: str | None, arguments: argparse.Namespace, registry: Registry
) -> PipelineError:
    """Return the problems of a pipeline with that of reading its first source, if options are missing."""
    import os

    from tonearm.pipeline.given_limits import read_limits
    from tonearm.pipeline.problems import Problems
    from tonearm.pipeline.structure import read_structure
    from tonearm.run.reading_problem import first_file, with_reading_problem

    given = [*arguments.sources]
    patterns = given or read_structure(root, Problems(file)).files
    folder = "" if given else os.path.dirname(file or "")  # noqa: PTH120 - pathlib takes 6 ms
    return with_reading_problem(
        error,
        root,
        registry,
        lambda _: first_file(patterns, folder),
        file=file,
        env=arguments.env,
        memory=lambda: int(read_limits(arguments.limits, registry).memory),
    )


def _run(arguments: argparse.Namespace, observer: Observer, watch: Watch | None) -> int:
    """Run the pipeline: in this process if it is watched, or else in worker processes."""
    from msgspec.structs import replace

    from tonearm.errors import PipelineError
    from tonearm.pipeline.check import check
    from tonearm.pipeline.document import read_pipeline
    from tonearm.python import Pipeline
    from tonearm.run.options import RunOptions
    from tonearm.run.part import Part
    from tonearm.run.run import Run
    from tonearm.run.workers.choice import DEFAULT_TIMEOUT
    from tonearm.run.workers.health import Health

    root, file = read_pipeline(arguments.pipeline, arguments.overrides, arguments.limits)
    registry = console.load_registry()
    if arguments.download:
        from tonearm.pipeline.downloads import with_downloads

        root = with_downloads(root, registry)
    try:
        pipeline = Pipeline(check(root, file, registry, env=arguments.env))
    except PipelineError as error:
        raise _with_reading_problem(error, root, file, arguments, registry) from None
    options = RunOptions(
        out=arguments.out,
        force=arguments.force,
        verify=arguments.verify,
        jobs=arguments.jobs,
        timeout=arguments.timeout,
        max_failures=1 if arguments.fail_fast else arguments.max_failures,
        fsync=arguments.fsync == "file",
        part=Part.of(arguments.part),
        executor=arguments.executor,
        executor_options=arguments.executor_options,
        quarantine=arguments.quarantine or "",
        debug=arguments.debug,
    )
    options.check()
    if watch:
        options = replace(options, executor="in-process", timeout=None)
    run = Run(pipeline, options)
    if not run.jobs:
        keep_freed_memory()
    sources = pipeline.find_sources(_sources(arguments), warn=run.report.warnings.append)
    plan = run.plan(observer.count_sources(sources))
    for warning in run.report.warnings:
        console.print_message(f"warning: {warning}")
    if arguments.dry_run:
        try:
            _print_plan(plan, observer)
        finally:
            run.release()
        return console.DONE
    alive = None
    if watch:
        from tonearm.cli.watched_work import WatchedWork

        timeout = DEFAULT_TIMEOUT if arguments.timeout is None else arguments.timeout
        watch.begin(WatchedWork("", timeout, can_continue=True))
        alive = watch.alive
    run.health = Health() if watch else None
    try:
        observer.begin(plan)
        observer.workers = run.rates
        run.execute(plan, observer, observer.tick, alive, observer.report, observer.note)
    except Exception as error:
        if watch and run.health and run.health.explains(error):
            watch.leave()
        raise
    finally:
        observer.end()
        if run.report.total + run.report.skipped:
            for line in summary(run.report):
                _print_summary(line, arguments)
    return console.DONE if run.report.ok else console.SOME_FAILED


def _sources(arguments: argparse.Namespace) -> Iterable[str] | None:
    """Return the sources that the command line names; None for the sources of the pipeline."""
    if not arguments.listed:
        return arguments.sources or None
    import itertools

    from tonearm.run.sources.source_list import read_source_list

    return itertools.chain(arguments.sources, read_source_list(arguments.listed))


def _print_plan(plan: Plan, observer: Observer) -> None:
    """List what the run would do."""
    from tonearm.cli.printing import format_count
    from tonearm.errors import one_line
    from tonearm.run.report import left_out
    from tonearm.run.skipped import DONE_BEFORE

    for task, reason in plan.tasks_with_reasons():
        kept = f"{format_count(len(task.skip), 'item')} done" if task.skip else ""
        observer.print_plan(task.name, plan.outputs(task), "; ".join(filter(None, (reason, kept))))
    for name, source_id, folder in plan.skipped():
        outputs = plan.history.outputs(plan.fingerprints, folder, source_id)
        observer.print_plan(name, outputs, DONE_BEFORE, is_skipped=True)
    observer.print_plan_summary(plan)
    counts = [f"{len(plan)} to convert", f"{plan.done} done"]
    counts += [f"{plan.in_other_parts} in other parts"] if plan.in_other_parts else []
    counts += [left_out(plan.outputs_left_out)] if plan.outputs_left_out else []
    console.print_message(f"{', '.join(counts)}; outputs go below {one_line(plan.store.root)}")


def summary(report: Report) -> Iterator[str]:
    """Yield the counts and rates of a run, the first files that it wrote, and its warnings and failures by kind."""
    import shlex

    from tonearm.cli.printing import code_lines, format_duration, warning_lines
    from tonearm.errors import one_line
    from tonearm.reporting.worker_rates import counts_text

    yield f"{', '.join(report.counts())} in {format_duration(report.seconds)}{_rates(report)}"
    named = MAX_FILES if report.files > MAX_FILES + 1 else report.files  # "and 1 more" would hide a line behind a line
    for name in report.first_outputs[:named]:
        yield f"    {one_line(report.out / name)}"
    if report.files > named:
        yield f"    and {report.files - named} more below {one_line(report.out)}"
    if report.workers:
        yield f"workers: {counts_text(report.workers)}"
    if report.noted:
        yield "warnings:"
    yield from warning_lines(report.noted)
    if report.failed:
        yield "failed:"  # each failure has been printed when it happened
        yield from code_lines(report.codes)
        out = shlex.quote(one_line(report.out))
        yield f"    hint: tonearm status {out} --code CODE lists all items that failed with a code"


def _rates(report: Report) -> str:
    """Return the rates of a run that was long enough to measure them."""
    rates = [f"{report.sources / report.seconds:.0f} sources a second"] if report.sources >= 100 else []
    if report.sound > 10 and report.seconds > 1:
        rates.append(f"{report.sound / report.seconds:.0f} × real time")
    return f": {', '.join(rates)}" if rates else ""
