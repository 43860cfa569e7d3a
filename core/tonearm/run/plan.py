"""The plan of a run: which sources to convert. It is made before any source is read, and writes nothing."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from tonearm.content_hash import SourceState, file_state, hash_memory, hash_path
from tonearm.errors import ItemError, PipelineError, Problem, UsageError, advise
from tonearm.errors.text import counted
from tonearm.pipeline.checked import Output
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.output_templates import joined_sources
from tonearm.pipeline.provenance import fingerprint_of, fingerprints_of, plugins_of
from tonearm.plugins.transform import Regroup
from tonearm.run.options import RunOptions
from tonearm.run.store.history import NO_PRIOR_WORK, History, PriorWork, PublishedItems
from tonearm.run.store.output_names import OutputNames, output_is_input
from tonearm.run.store.output_paths import is_known_before_reading, is_output_path, output_path
from tonearm.run.store.records import EndRecord
from tonearm.run.store.spool import Spool
from tonearm.run.store.store import Store
from tonearm.run.tasks import ItemId, Task
from tonearm.source import Source

MAX_PROBLEMS = 100
"""Largest number of clashes that are reported. A wrong template makes a million."""

MAX_REASONS = 3
"""Largest number of warnings that the error of a run without a source repeats."""

_FORCED = PriorWork(reason="--force")


class Plan:
    """The plan of a run. A million sources take a few megabytes.

    Parameters
    ----------
    pipeline
        Pipeline.
    store
        Store of the outputs.
    options
        Options of the run.

    Attributes
    ----------
    fingerprint
        Fingerprint of the pipeline.
    fingerprints
        Fingerprints of its outputs.
    plugins
        Names of the plugins, each with its package and version.
    done
        Number of sources with nothing left to do.
    in_other_parts
        Number of sources that belong to other parts.
    outputs_left_out
        Number of files that are no sources, because an earlier run wrote them.
    bytes_to_convert
        Size of all sources to convert in bytes.
    names
        Names of outputs that are taken.
    history
        History of the output folder.
    renewed
        Records to write again with a new state: the sources' times have changed, but not their content.
    """

    def __init__(self, pipeline: Converter, store: Store, options: RunOptions) -> None:
        self.pipeline = pipeline
        self.store = store
        self.options = options
        self.plugins = plugins_of(pipeline.checked)
        self.fingerprints = fingerprints_of(pipeline.checked)
        self.fingerprint = fingerprint_of(pipeline.checked, self.fingerprints)
        self.history = History(store)
        self.names = OutputNames(
            store, self.history.owned.__contains__, force=options.force, name_of=lambda number: self._name(number)
        )
        self.done = 0
        self.in_other_parts = 0
        self.outputs_left_out = 0
        self.bytes_to_convert = 0
        self.renewed: list[EndRecord] = []
        self._sources = Spool()
        self._todo = Spool()
        self._skipped = Spool()
        self._in_memory: dict[int, Source] = {}
        self._named_outputs = Spool()
        self._problems: list[Problem] = []
        self._regroups = [
            any(isinstance(step.plugin, Regroup) for step in (*pipeline.checked.steps, *output.steps))
            for output in pipeline.outputs
        ]
        self._known_early = [
            number for number, output in enumerate(pipeline.outputs) if is_known_before_reading(output)
        ]

    def __len__(self) -> int:
        return len(self._todo)

    def tasks(self) -> Iterator[tuple[Task, dict[int, PublishedItems]]]:
        """Yield the sources to convert, each with the items that are done already, by output."""
        for number, name, path, folder, outputs, kept, _reason, key in self._todo:
            task = _task(number, name, path, folder, outputs, kept, key, self._in_memory.get(number))
            yield task, {output: dict(items) for output, items in kept}

    def tasks_with_reasons(self) -> Iterator[tuple[Task, str]]:
        """Yield the sources to convert, each with the reason if an earlier run has worked on it."""
        for number, name, path, folder, outputs, kept, reason, key in self._todo:
            yield _task(number, name, path, folder, outputs, kept, key, None), reason

    def skipped(self) -> Iterator[tuple[str, str, str]]:
        """Yield the name, the path and the folder of each source with nothing left to do."""
        skipped = iter(self._skipped)
        next_number, folder, is_keyed = next(skipped, (-1, "", False))
        for number, (name, path) in enumerate(self._sources):
            if number == next_number:
                yield name, name if is_keyed else path, folder
                next_number, folder, is_keyed = next(skipped, (-1, "", False))

    def outputs(self, task: Task) -> list[str]:
        """Return the paths of a source's outputs below the root; templates where the content of the source decides."""
        found = []
        for number in task.outputs:
            output = self.pipeline.outputs[number]
            try:
                known = is_known_before_reading(output)
                found.append(output_path(output, task.source(), None) if known else output.template.text)
            except ItemError:
                continue
        return found

    def add(self, source: Source) -> None:
        """Add a source, unless it is an output of an earlier run.

        An output that is named waits: it is a source only if no other is. A list that a shell or ``find`` has made
        names outputs, too.
        """
        if not source.key and self._is_own_output(source):
            if source.found:
                self.outputs_left_out += 1
            else:
                self._named_outputs.append((source.name, source.absolute_path))
            return
        self._add(source)

    def _add_named_outputs(self) -> None:
        """Add the named outputs of earlier runs if there is no other source."""
        if len(self._sources):
            self.outputs_left_out += len(self._named_outputs)
            return
        for name, path in self._named_outputs:
            self._add(Source(name=name, path=name, relative_dir=".", absolute_path=path))

    def _add(self, source: Source) -> None:
        """Add a source."""
        path = source.absolute_path
        number = len(self._sources)
        source_id = source.name if source.key else path
        self._sources.append((source.name, path))
        targets = self._targets(source)
        is_ours = self._is_in_part(source, source_id)
        owned = self._claim(targets, number, source.name, will_write=is_ours)
        if not is_ours:
            self.in_other_parts += 1
            for published in self.history.outputs(self.fingerprints, source.relative_dir, source_id):
                self.names.reserve(published, number)
            return
        state = hash_memory(source) or None if source.in_memory else file_state(path)
        works = self._prior_works(source, source_id, path, state, targets)
        if all(work.complete for work in works):
            self._skip(source, number, works)
            return
        unfinished = {self.fingerprints[output] for output, work in enumerate(works) if not work.complete}
        # Outputs with one fingerprint differ in their names alone, and have one record.
        outputs = tuple(output for output, found in enumerate(self.fingerprints) if found in unfinished)
        # How a regrouping step names its items may depend on those that failed, so it starts from none.
        kept = {output: work.items for output, work in enumerate(works) if work.complete or not self._regroups[output]}
        for items in kept.values():
            self._reserve_files(items, number)
        self._renew(works)
        if source.in_memory:
            self._in_memory[number] = source
            self.bytes_to_convert += sum(array.nbytes for array in source.memory_arrays.values())
        elif isinstance(state, tuple):
            self.bytes_to_convert += state[0]
        left = tuple((output, tuple(items.items())) for output, items in kept.items() if output in outputs and items)
        reason = next((work.reason for work in works if work.reason), "")
        if not reason and len(outputs) < len(works):
            reason = f"{len(outputs)} of {len(works)} outputs"
        reason = reason or ("the pipeline or a plugin has changed" if owned else "")
        self._todo.append((number, source.name, path, source.relative_dir, outputs, left, reason, source.key))

    def _skip(self, source: Source, number: int, works: list[PriorWork]) -> None:
        """Note a source with nothing left to do."""
        for work in works:
            self._reserve_files(work.items, number)
        self._renew(works)
        self.done += 1
        self._skipped.append((number, source.relative_dir, bool(source.key)))

    def _renew(self, works: list[PriorWork]) -> None:
        """Note the records to write again. Several outputs may have one record."""
        for work in works:
            if work.renewed and work.renewed not in self.renewed[-len(works) :]:
                self.renewed.append(work.renewed)

    def _prior_works(
        self, source: Source, source_id: str, path: str, state: SourceState | None, targets: Mapping[int, str]
    ) -> list[PriorWork]:
        """Return earlier runs' work on a source, for each output."""
        if self.options.force:
            return [_FORCED] * len(self.fingerprints)
        if not self.history.journals:
            return [NO_PRIOR_WORK] * len(self.fingerprints)
        hashes: list[str] = []

        def content_hash() -> str:
            if not hashes:
                hashes.append(hash_path(path))
            return hashes[0]

        def path_check(output: int) -> Callable[[ItemId, str], bool]:
            """Return the function that tells whether an item's output has a path."""
            target = targets.get(output)
            if target is not None:
                return lambda _item, found: found == target
            return functools.partial(_is_path, self.pipeline.outputs[output], source)

        return [
            self.history.find(
                fingerprint,
                source.relative_dir,
                source_id,
                state,
                verify=self.options.verify,
                is_path=path_check(output),
                content_hash=content_hash,
            )
            for output, fingerprint in enumerate(self.fingerprints)
        ]

    def _is_own_output(self, source: Source) -> bool:
        """Return whether an earlier run wrote a file, or another part of this run meanwhile."""
        if not source.absolute_path or not (len(self.history.owned) or self.options.part):
            return False
        below = self.store.path_of(source.absolute_path)
        if below is None:
            return False
        if self.options.part and below not in self.history.owned:
            self.history.read_new_names()
        return below in self.history.owned

    def _targets(self, source: Source) -> dict[int, str]:
        """Return the paths of outputs that follow from a source's own name, by the number of the output."""
        targets = {}
        for number in self._known_early:
            try:
                targets[number] = output_path(self.pipeline.outputs[number], source, None)
            except ItemError:
                continue  # the source fails when it is converted
        return targets

    def _claim(self, targets: Mapping[int, str], number: int, name: str, *, will_write: bool) -> bool:
        """Claim the names of outputs for a source. Return whether an earlier run wrote one of the files."""
        owned = False
        for output, target in targets.items():
            problem = self.names.claim(target, number, name, will_write=will_write)
            owned = owned or target in self.history.owned
            if problem and problem.code == "same-output":
                problem = self._joined(output) or problem
            if problem and problem not in self._problems[-1:] and len(self._problems) < MAX_PROBLEMS:
                self._problems.append(problem)
        return owned

    def _joined(self, output: int) -> Problem | None:
        """Return the problem of several sources whose items a step joins into one name; None if no step does."""
        plan = self.pipeline.outputs[output]
        steps = (*self.pipeline.checked.steps, *plan.steps)
        joiner = next((step.name for step in steps if isinstance(step.plugin, Regroup)), "")
        if not joiner or plan.template.fields:
            return None
        message, hint = joined_sources(joiner, "several sources are given", plan.template.text)
        return Problem(code="same-output", message=message, remedies=advise(hint))

    def _reserve_files(self, items: PublishedItems, number: int) -> None:
        """Reserve the names of files that an earlier run made of a source and that stay."""
        for files in items.values():
            for path, _size, _hash in files:
                self.names.reserve(path, number)

    def _is_in_part(self, source: Source, source_id: str) -> bool:
        """Return whether a source is in the part that this run converts."""
        part = self.options.part
        return part is None or part.contains(f"{source.relative_dir}/{os.path.basename(source_id)}")

    def validate(self, warnings: Sequence[str] = ()) -> None:
        """Check the plan as a whole.

        Parameters
        ----------
        warnings
            Warnings of the search for sources, which say why there is none.

        Raises
        ------
        UsageError
            If there is no source.
        PipelineError
            If outputs clash with one another, with a source, or with files that no run wrote.
        """
        self._add_named_outputs()
        self._find_inputs_among_outputs()
        if self._problems:
            raise PipelineError(self._problems)
        if not len(self._sources):
            raise self._no_source(warnings)

    def _no_source(self, warnings: Sequence[str]) -> UsageError:
        """Return the error for a run without a source."""
        reasons = "; ".join(warnings[:MAX_REASONS])
        if len(warnings) > MAX_REASONS:
            reasons += f"; and {counted(len(warnings) - MAX_REASONS, 'more warning')}"
        hint = "name files, folders or patterns"
        if self.outputs_left_out:
            hint = "earlier runs wrote all files that were found; name them alone to convert them nevertheless"
        elif warnings:
            hint = "a pipeline's patterns start at the folder of its file, and those of a command at the current folder"
        return UsageError(reasons or "there is no source to convert", code="no-source", hint=hint)

    def _find_inputs_among_outputs(self) -> None:
        """Find sources below the output folder whose names an output takes."""
        for _name, path in self._sources:
            below = self.store.path_of(path) if path else None
            if below is not None and below in self.names and len(self._problems) < MAX_PROBLEMS:
                self._problems.append(output_is_input(below))

    def _name(self, number: int) -> str:
        for place, (name, _path) in enumerate(self._sources):
            if place == number:
                return str(name)
        return ""


def _is_path(output: Output, source: Source, item: ItemId, path: str) -> bool:
    try:
        return is_output_path(output, source, item, path)
    except ItemError:
        return False


def _task(
    number: int,
    name: str,
    path: str,
    folder: str,
    outputs: tuple[int, ...],
    kept: tuple[tuple[int, tuple[Any, ...]], ...],
    key: str,
    source: Source | None,
) -> Task:
    """Return the task of a source, which is given itself if it is in memory."""
    skip = frozenset((item, output) for output, items in kept for item, _files in items)
    task = Task(number, name, path, folder, outputs, skip, key=key)
    if source is None:
        return task
    return replace(task, array=source.array, arrays=source.arrays, signal=source.signal)


def make_plan(
    pipeline: Converter, store: Store, sources: Iterable[Source], options: RunOptions, warnings: Sequence[str] = ()
) -> Plan:
    """Return the plan of a run.

    Parameters
    ----------
    pipeline, store, sources, options
        Pipeline, store of the outputs, sources, and options of the run.
    warnings
        Warnings of the search for sources, which grow while it goes on.

    Raises
    ------
    UsageError
        If there is no source.
    PipelineError
        If outputs clash with one another, with a source, or with files that no run wrote.
    """
    plan = Plan(pipeline, store, options)
    for source in sources:
        plan.add(source)
    plan.validate(warnings)
    return plan
