"""What there is to do, proven before any source is read, and without touching the output folder."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from tonearm.errors import ItemError, PipelineError, Problem, UsageError
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.provenance import fingerprint_of, plugins_of
from tonearm.plugins.transform import Regroup
from tonearm.run.sources.content_hash import state_of
from tonearm.run.store.history import Done, History, Items
from tonearm.run.store.index import Spool
from tonearm.run.store.journal import Shard
from tonearm.run.store.output_names import Names, entry_of, is_input, is_known_early, output_path
from tonearm.run.tasks import Task
from tonearm.source import Source

FORCED = Done(reason="--force")

MOST_PROBLEMS = 100
"""So many clashes are named; a wrong template makes a million."""


class Selection(Struct, frozen=True, kw_only=True):
    """What of the sources to do.

    Parameters
    ----------
    force
        Convert what is done already, and replace files that no run wrote.
    verify
        Look at the content of outputs that are there, not only at their sizes.
    shard
        Which part of the sources, of how many; None for all.
    """

    force: bool = False
    verify: bool = False
    shard: Shard | None = None


class Plan:
    """What there is to do; it holds a million sources in a few megabytes.

    Attributes
    ----------
    fingerprint
        Of the pipeline, its options after defaults, and its plugins' versions.
    plugins
        Names of the plugins, each with its package.
    done
        How many sources have nothing left to do.
    elsewhere
        How many sources belong to other shards.
    todo_bytes
        Of the sources to convert.
    names
        The names that are taken.
    history
        What earlier runs left.
    renewed
        Records of ends to be written anew: only the source's time has changed.
    """

    def __init__(self, pipeline: Converter, root: str, selection: Selection) -> None:
        self.pipeline = pipeline
        self.root = root
        self.selection = selection
        self.plugins = plugins_of(pipeline.checked)
        self.fingerprint = fingerprint_of(pipeline.checked)
        self.history = History(root)
        self.names = Names(
            root, self.history.owned.__contains__, force=selection.force, name_of=lambda number: self._name(number)
        )
        self.done = 0
        self.elsewhere = 0
        self.todo_bytes = 0
        self.renewed: list[dict[str, Any]] = []
        self._sources = Spool()
        self._todo = Spool()
        self._skipped = Spool()
        self._problems: list[Problem] = []
        self._regroups = any(isinstance(step.plugin, Regroup) for step in pipeline.checked.steps)
        self._early = [output for output in pipeline.outputs if is_known_early(output)]

    def __len__(self) -> int:
        return len(self._todo)

    def tasks(self) -> Iterator[tuple[Task, Items]]:
        """Yield every source to convert, with the items that are done already."""
        for number, name, path, folder, kept, _reason in self._todo:
            items: Items = dict(kept)
            yield Task(number, name, path, folder, frozenset(items)), items

    def explained(self) -> Iterator[tuple[Task, str]]:
        """Yield every source to convert, with the reason where an earlier run has come to it already."""
        for number, name, path, folder, kept, reason in self._todo:
            yield Task(number, name, path, folder, frozenset(name for name, _ in kept)), reason

    def skipped(self) -> Iterator[str]:
        """Yield the names of sources with nothing left to do."""
        for (name,) in self._skipped:
            yield name

    def outputs(self, task: Task) -> list[str]:
        """Return the outputs of a source below the root, as far as its name tells; templates for the rest."""
        found = []
        for output in self.pipeline.outputs:
            try:
                early = is_known_early(output)
                found.append(output_path(output, source_of(task), None) if early else output.template.text)
            except ItemError:
                continue
        return found

    def add(self, source: Source) -> None:
        """Take in a source."""
        number, path = len(self._sources), os.path.abspath(source.where or "")
        self._sources.append((source.name, path))
        owned = self._claim(source, number)
        if not self._is_ours(source, path):
            self.elsewhere += 1
            self._reserve(self.history.outputs(self.fingerprint, source.relative_dir, path), number)
            return
        state = state_of(path)
        done = FORCED
        if not self.selection.force:
            verify = self.selection.verify
            done = self.history.find(self.fingerprint, source.relative_dir, path, state, verify=verify)
        # What a step that regroups items calls them may hang on those that failed, so no part of it is taken as done.
        items = {} if self._regroups and not done.complete else done.items
        self._reserve((name for files in items.values() for name, _size, _hash in files), number)
        if done.complete:
            self.done += 1
            self._skipped.append((source.name,))
            if done.renewed and state:
                self.renewed.append({**done.renewed, "state": state, "renewed": True})
            return
        self.todo_bytes += state[0] if state else 0
        kept = tuple((item, tuple(files)) for item, files in items.items())
        reason = done.reason or ("the pipeline or a plugin has changed" if owned else "")
        self._todo.append((number, source.name, path, source.relative_dir, kept, reason))

    def _claim(self, source: Source, number: int) -> bool:
        """Take the names that follow from that of a source; return whether a run has written one of them before."""
        owned = False
        for output in self._early:
            try:
                target = output_path(output, source, None)
            except ItemError:
                continue  # its own failure, when its turn comes
            problem = self.names.claim(target, number, source.name)
            owned = owned or target in self.history.owned
            if problem and len(self._problems) < MOST_PROBLEMS:
                self._problems.append(problem)
        return owned

    def _reserve(self, names: Iterable[str], number: int) -> None:
        """Note names of what an earlier run made of a source, and that stays."""
        for name in names:
            self.names.reserve(name, number)

    def _is_ours(self, source: Source, path: str) -> bool:
        """Say whether a source belongs to this shard; its name tells, wherever its folder is mounted."""
        shard = self.selection.shard
        if shard is None:
            return True
        name = f"{source.relative_dir}/{os.path.basename(path)}"
        return zlib.crc32(os.fsencode(name)) % shard[1] == shard[0] - 1

    def prove(self) -> None:
        """Say what is wrong with the whole.

        Raises
        ------
        UsageError
            If there is no source at all.
        PipelineError
            If outputs would clash with one another, with a source, or with files that are not ours.
        """
        self._look_for_inputs()
        if self._problems:
            raise PipelineError(self._problems)
        if not len(self._sources):
            raise UsageError("there is no source to convert", code="no-source", hint="name files, folders or patterns")

    def _look_for_inputs(self) -> None:
        """Look for sources that lie below the output root, under a name that an output takes."""
        root = os.path.realpath(self.root) + "/"
        folders: dict[str, str] = {}
        for _name, path in self._sources:
            folder, base = os.path.split(path)
            if folder not in folders:
                if len(folders) > 10_000:
                    folders.clear()
                folders[folder] = entry_of(f"{folder}/x")[:-1]
            real = folders[folder] + base
            if real.startswith(root) and real[len(root) :] in self.names and len(self._problems) < MOST_PROBLEMS:
                self._problems.append(is_input(real[len(root) :]))

    def _name(self, number: int) -> str:
        for place, (name, _path) in enumerate(self._sources):
            if place == number:
                return str(name)
        return ""


def make_plan(pipeline: Converter, sources: Iterable[Source], root: str, selection: Selection) -> Plan:
    """Return what there is to do.

    Raises
    ------
    UsageError
        If there is no source at all.
    PipelineError
        If outputs would clash with one another, with a source, or with files that are not ours.
    """
    plan = Plan(pipeline, root, selection)
    for source in sources:
        plan.add(source)
    plan.prove()
    return plan


def source_of(task: Task, content: bytes | None = None) -> Source:
    """Return the source of a task, with what was read of it already."""
    return Source(name=task.name, path=task.path, relative_dir=task.folder, content=content)
