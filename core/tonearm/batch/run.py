"""One run: a pipeline over many sources, item by item, with a journal of what became of each."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tonearm.batch.journal import History, Journal, read_history
from tonearm.batch.naming import Names, is_known_early, output_path
from tonearm.batch.publish import Publication, sweep
from tonearm.errors import ItemError, OutputError, PipelineError, Problem, TonearmError, UsageError
from tonearm.pipeline import Outcome, Pipeline
from tonearm.source import Source


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run goes.

    Parameters
    ----------
    out
        The output folder.
    force
        Convert what is done already, and replace files that no run wrote.
    fail_fast
        Stop at the first item that fails.
    fsync
        Flush each file to the disk before it gets its name.
    """

    out: Path
    force: bool = False
    fail_fast: bool = False
    fsync: bool = True


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one source.

    Parameters
    ----------
    source
        The source.
    outputs
        Paths below the output folder.
    errors
        What went wrong with its items.
    warnings
        What is worth knowing.
    skipped
        Whether there was nothing left to do.
    seconds
        How long it took.
    """

    source: Source
    outputs: tuple[str, ...] = ()
    errors: tuple[TonearmError, ...] = ()
    warnings: tuple[str, ...] = ()
    skipped: bool = False
    seconds: float = 0.0


@dataclass
class Report:
    """What became of a run.

    Attributes
    ----------
    out
        The output folder.
    results
        For each source that was converted or failed, in order.
    skipped
        How many sources had nothing left to do.
    items
        How many items were converted.
    seconds
        How long it took.
    """

    out: Path
    results: list[Result] = field(default_factory=list)
    skipped: int = 0
    items: int = 0
    seconds: float = 0.0

    @property
    def outputs(self) -> list[Path]:
        """Every file that was written, in order."""
        return [self.out / name for result in self.results for name in result.outputs]

    @property
    def errors(self) -> list[tuple[Source, TonearmError]]:
        """What went wrong, with its source."""
        return [(result.source, error) for result in self.results for error in result.errors]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not any(result.errors for result in self.results)


@dataclass(frozen=True)
class Plan:
    """What there is to do, proven before any source is read.

    Parameters
    ----------
    todo
        Sources to convert.
    done
        Sources with nothing left to do.
    names
        The names that are taken.
    fingerprint
        Of the pipeline, its options after defaults, and its plugins' versions.
    """

    todo: tuple[Source, ...]
    done: tuple[Source, ...]
    names: Names
    fingerprint: str


def make_plan(pipeline: Pipeline, sources: Iterable[Source], options: RunOptions) -> Plan:
    """Return what there is to do.

    Raises
    ------
    UsageError
        If there is no source at all.
    PipelineError
        If outputs would clash with one another, with a source, or with files that are not ours.
    """
    history = read_history(options.out)
    names = Names(options.out, history.outputs, force=options.force)
    fingerprint = fingerprint_of(pipeline)
    early = [output for output in pipeline.outputs if is_known_early(output)]
    problems: list[Problem] = []
    todo: list[Source] = []
    done: list[Source] = []
    for source in sources:
        for output in early:
            try:
                problem = names.problem(output_path(output, source, None), source)
            except ItemError:
                continue  # its own failure, when its turn comes
            problems += [problem] if problem else []
        (done if not options.force and _is_done(source, history, fingerprint, options.out) else todo).append(source)
    if problems:
        raise PipelineError(problems)
    if not todo and not done:
        raise UsageError("there is no source to convert", code="no-source", hint="name files, folders or patterns")
    return Plan(tuple(todo), tuple(done), names, fingerprint)


def _is_done(source: Source, history: History, fingerprint: str, root: Path) -> bool:
    return source.path is not None and history.is_done(source.name, _state(source), fingerprint, root)


def _state(source: Source) -> list[int]:
    """Return what changes when a source does: its size and time."""
    try:
        status = source.path.stat() if source.path else None
    except OSError:
        status = None
    return [status.st_size, status.st_mtime_ns] if status else []


def fingerprint_of(pipeline: Pipeline) -> str:
    """Return a hash of all that decides what outputs sound like: plugins, versions, options after defaults."""
    import msgspec

    from tonearm.version import __version__

    checked = pipeline.checked
    parts: list[Any] = [__version__]
    for bound in (checked.decoder, *checked.steps, *(output.encoder for output in checked.outputs)):
        options = msgspec.to_builtins(bound.plugin.options)
        parts.append([bound.entry.full_name, bound.entry.offer.package, options])
    parts.append([output.template.text for output in checked.outputs])
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def run(pipeline: Pipeline, plan: Plan, options: RunOptions, observe: Callable[[Result], None]) -> Report:
    """Convert what a plan says, and return what became of it.

    Parameters
    ----------
    pipeline
        The pipeline.
    plan
        From `make_plan`.
    options
        How.
    observe
        Called with each source's result as it comes.

    Raises
    ------
    LockedError
        If another run holds the output folder.
    OutputError
        If the output side fails; what was finished stays.
    """
    pipeline.preflight()
    report = Report(options.out, skipped=len(plan.done))
    started = time.monotonic()
    journal = Journal(options.out)
    try:
        journal.write("run", pipeline=plan.fingerprint, time=time.time(), sources=len(plan.todo))
        converter = _Converter(pipeline, plan, options, journal)
        for source in plan.todo:
            result, items = converter.convert(source)
            report.results.append(result)
            report.items += items
            observe(result)
            if result.errors and options.fail_fast:
                break
    finally:
        report.seconds = time.monotonic() - started
        journal.close(fsync=options.fsync)
    return report


class _Converter:
    """Converts sources one by one."""

    def __init__(self, pipeline: Pipeline, plan: Plan, options: RunOptions, journal: Journal) -> None:
        self.pipeline = pipeline
        self.plan = plan
        self.options = options
        self.journal = journal
        self._swept: set[Path] = set()

    def convert(self, source: Source) -> tuple[Result, int]:
        """Convert one source; return what became of it, and how many items it had."""
        started = time.monotonic()
        state = _state(source)
        outputs: list[tuple[str, int]] = []
        errors: list[TonearmError] = []
        warnings: list[str] = []
        items = 0
        for outcome in self._outcomes(source):
            try:
                published = self._write(source, outcome)
                outputs += published
                items += 1
            except OutputError:
                raise
            except TonearmError as error:
                errors.append(error)
                self._note_error(source, outcome, error)
            warnings += outcome.context.warnings
        seconds = time.monotonic() - started
        self.journal.write(
            "end",
            source=source.name,
            state=state,
            pipeline=self.plan.fingerprint,
            outputs=outputs,
            failed=len(errors),
            seconds=round(seconds, 6),
        )
        names = tuple(name for name, _ in outputs)
        return Result(
            source=source, outputs=names, errors=tuple(errors), warnings=tuple(warnings), seconds=seconds
        ), items

    def _outcomes(self, source: Source) -> Iterator[Outcome]:
        return self.pipeline.items(source)

    def _write(self, source: Source, outcome: Outcome) -> list[tuple[str, int]]:
        """Encode and publish one item."""
        if outcome.error or outcome.item is None:
            raise outcome.error or ItemError("there is nothing to write", code="empty")
        with Publication(self.options.out, self.journal, fsync=self.options.fsync) as publication:
            for output in self.pipeline.outputs:
                target = output_path(output, source, outcome.item)
                if not is_known_early(output):
                    self.plan.names.take(target, source)
                self._sweep((self.options.out / target).parent)
                self.pipeline.encode(output, outcome.item, publication.sink(target), outcome.context)
            published = publication.publish()
        self.journal.write(
            "out",
            source=source.name,
            key=outcome.item.key,
            index=outcome.item.index,
            outputs=[name for name, _ in published],
            measured=outcome.context.measurements,
            warnings=outcome.context.warnings,
        )
        return published

    def _sweep(self, folder: Path) -> None:
        if folder not in self._swept:
            self._swept.add(folder)
            sweep(folder)

    def _note_error(self, source: Source, outcome: Outcome, error: TonearmError) -> None:
        item = outcome.item
        self.journal.write(
            "err",
            source=source.name,
            key=item.key if item else "",
            index=item.index if item else 0,
            code=error.code,
            message=error.message,
            hint=error.hint,
        )
