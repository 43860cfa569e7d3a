"""Preparing a source: its items are converted and written to temporaries, which are flushed and hashed.

This is the part of a run that executors can do anywhere. It takes a task, touches nothing but temporaries, and returns
what the run will publish.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Iterator

from msgspec import Struct

from tonearm.errors import ItemError, OutputError, TonearmError
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.stages import Outcome
from tonearm.plugins.item import Item
from tonearm.run.prepared import ConvertedItem, Failure, PreparedFile, PreparedSource
from tonearm.run.sources.content_hash import SourceSnapshot, file_state, take_snapshot
from tonearm.run.store.output_paths import output_path
from tonearm.run.store.temporaries import Temporaries, discard, raise_if_unwritable
from tonearm.run.tasks import Task
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.signals import Signal
from tonearm.source import Source, source_changed

MAX_WAITING_ITEMS = 256
"""Number of items of one source after which those that are converted are handed over, before the source is finished."""


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of a preparer.

    Parameters
    ----------
    root
        Output folder.
    owner_id
        Up to eight hex digits that start the ids of all owners of temporaries.
    fsync
        Whether to flush files to the disk.
    threads
        Number of threads that a plugin may use.
    debug
        Whether failures of plugins carry their traceback.
    flush_failures
        Whether failures are handed over at once, because the run may stop at one.
    """

    root: str
    owner_id: str
    fsync: bool = True
    threads: int = 1
    debug: bool = False
    flush_failures: bool = False


class Preparer:
    """Prepares one source after another.

    Parameters
    ----------
    pipeline
        Pipeline.
    settings
        Settings.
    gate
        Gate that is open for interrupts while plugins work.

    Attributes
    ----------
    owner
        Id of the owner of its temporaries: eight hex digits that no other preparer has.
    on_life
        Function of any arguments that is called whenever work goes on; None for none.
    """

    def __init__(self, pipeline: Converter, settings: Settings, gate: InterruptGate) -> None:
        self.pipeline = pipeline
        self.settings = settings
        self._gate = gate
        self.owner = (settings.owner_id + os.urandom(4).hex())[:8]
        self.on_life: Callable[..., None] | None = None

    def prepare(self, task: Task) -> Iterator[PreparedSource]:
        """Yield the outcome of a task. A source with very many items comes in several pieces.

        Raises
        ------
        OutputError
            If the output side fails. No temporaries of the source are left then.
        """
        began = time.perf_counter()
        snapshot = take_snapshot(task.path)
        items: list[ConvertedItem] = []
        failures: list[Failure] = []
        warnings: list[str] = []
        source, threads = task.source(snapshot.data), self.settings.threads
        complete = False
        try:
            for outcome in self._gate.iterate(self.pipeline.items(source, threads=threads, skip=task.skip)):
                try:
                    items.append(self._write(source, outcome))
                except OutputError:
                    raise
                except TonearmError as error:
                    failures.append(self._failure(task, outcome.item, error))
                    warnings += outcome.context.warnings
                del outcome  # frees its memory before the next item is made
                if self.on_life is not None:
                    self.on_life()
                if len(items) >= MAX_WAITING_ITEMS and self._is_unchanged(task, snapshot, failures):
                    now = time.perf_counter()
                    piece = PreparedSource(
                        task=task,
                        state=snapshot.state,
                        hash=snapshot.hash,
                        items=items,
                        seconds=now - began,
                        last=False,
                    )
                    items, began = [], now
                    yield piece
            if not self._is_unchanged(task, snapshot, failures):
                discard(self.settings.root, _files(items))
                items = []
            complete = True
        finally:
            if not complete:
                discard(self.settings.root, _files(items))
        yield PreparedSource(
            task=task,
            state=snapshot.state,
            hash=snapshot.hash,
            items=items,
            failures=failures,
            warnings=warnings,
            seconds=time.perf_counter() - began,
        )

    def _is_unchanged(self, task: Task, snapshot: SourceSnapshot, failures: list[Failure]) -> bool:
        """Return whether the source is unchanged. If not, that becomes its only failure."""
        changed = [failure for failure in failures if failure.code == "source-changed"]
        if not changed and snapshot.state is not None and file_state(task.path) != snapshot.state:
            changed = [self._failure(task, None, source_changed(task.name))]
        if changed:
            failures[:] = changed[:1]
        return not changed

    def _write(self, source: Source, outcome: Outcome) -> ConvertedItem:
        """Encode one item."""
        item, context = outcome.item, outcome.context
        if outcome.error or item is None:
            raise outcome.error or ItemError("there is nothing to write", code="empty")
        settings = self.settings
        with Temporaries(settings.root, owner_id=self.owner, fsync=settings.fsync) as temporaries:
            for output in self.pipeline.outputs:
                target = output_path(output, source, item)
                sink = temporaries.sink(target)
                try:
                    with self._gate.opened:
                        self.pipeline.encode(output, item, sink, context)
                except TonearmError as error:
                    raise_if_unwritable(error, sink, os.path.join(settings.root, target))
                    raise
            files = temporaries.finish()
        return ConvertedItem(item.key, item.index, files, context.measurements, context.warnings)

    def _failure(self, task: Task, item: Item[Signal] | None, error: TonearmError) -> Failure:
        key, index = (item.key, item.index) if item else ("", 0)
        trace = "".join(traceback.format_exception(error)) if self.settings.debug else ""
        _clear_frames(error)
        return Failure(task.name, key, index, error.code, error.message, error.hint, trace)


def _clear_frames(error: BaseException | None) -> None:
    """Release what the frames of an error hold: arrays, in a reference cycle with the error itself."""
    while error is not None:
        earlier = error.__cause__ or error.__context__
        error.__traceback__ = error.__context__ = None
        error = earlier


def _files(items: list[ConvertedItem]) -> Iterator[PreparedFile]:
    for item in items:
        yield from item.files
