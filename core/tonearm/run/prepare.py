"""Preparing a source: its items converted and written to temporaries, whole, flushed and hashed.

This is the part of a run that executors do anywhere: it takes a task, touches nothing but temporaries, and gives back
what the run will publish.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Iterator

from msgspec import Struct

from tonearm.errors import ItemError, OutputError, TonearmError, one_line
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.stages import Outcome
from tonearm.plugins.item import Item
from tonearm.plugins.sink import Sink
from tonearm.run.plan import source_of
from tonearm.run.prepared import ConvertedItem, Failure, PreparedFile, PreparedSource
from tonearm.run.sources.content_hash import SourceSnapshot, file_state, take_snapshot
from tonearm.run.store.output_paths import output_path
from tonearm.run.store.temporaries import Temporaries, cannot_write, discard
from tonearm.run.tasks import Task
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.signals import Signal
from tonearm.source import Source

PART = 256
"""So many items of one source wait for its end before they are published; then it comes in parts."""


class Settings(Struct, frozen=True, kw_only=True):
    """How outputs are prepared.

    Parameters
    ----------
    root
        The output folder.
    owner_id
        Hex digits with which the names of temporaries begin, up to eight.
    fsync
        Whether files are flushed to the disk.
    threads
        How many threads a plugin may use.
    debug
        Whether failures of plugins carry their traceback.
    flush_failures
        Whether failures are told at once, and wait for nothing else.
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
    pipeline, settings
        How.
    gate
        Opened while plugins work.
    """

    def __init__(self, pipeline: Converter, settings: Settings, gate: InterruptGate) -> None:
        self.pipeline = pipeline
        self.settings = settings
        self._gate = gate
        self._owner_id = settings.owner_id.ljust(8, "0")[:8]

    def prepare(self, task: Task) -> Iterator[PreparedSource]:
        """Yield what became of a source; in parts if it has very many items.

        Raises
        ------
        OutputError
            If the output side fails; no temporaries of the source are left.
        """
        began = time.perf_counter()
        content = take_snapshot(task.path)
        items: list[ConvertedItem] = []
        failures: list[Failure] = []
        warnings: list[str] = []
        source, threads = source_of(task, content.data), self.settings.threads
        whole = False
        try:
            for outcome in self._gate.iterate(self.pipeline.items(source, threads=threads, skip=task.skip)):
                try:
                    items.append(self._write(source, outcome))
                except OutputError:
                    raise
                except TonearmError as error:
                    failures.append(self._failure(task, outcome.item, error))
                    warnings += outcome.context.warnings
                del outcome  # while the next item is made, this one need not be there
                if len(items) >= PART and self._is_unchanged(task, content, failures):
                    now = time.perf_counter()
                    part = PreparedSource(
                        task=task, state=content.state, hash=content.hash, items=items, seconds=now - began, last=False
                    )
                    items, began = [], now
                    yield part
            if not self._is_unchanged(task, content, failures):
                discard(self.settings.root, _files(items))
                items = []
            whole = True
        finally:
            if not whole:
                discard(self.settings.root, _files(items))
        yield PreparedSource(
            task=task,
            state=content.state,
            hash=content.hash,
            items=items,
            failures=failures,
            warnings=warnings,
            seconds=time.perf_counter() - began,
        )

    def _is_unchanged(self, task: Task, content: SourceSnapshot, failures: list[Failure]) -> bool:
        """See that the source is what it was; if not, that is the only failure that counts."""
        changed = [failure for failure in failures if failure.code == "source-changed"]
        if not changed and content.state is not None and file_state(task.path) != content.state:
            error = ItemError(
                f"{one_line(task.name)} changed while it was read",
                code="source-changed",
                hint="convert it again when it is finished",
            )
            changed = [self._failure(task, None, error)]
        if changed:
            failures[:] = changed[:1]
        return not changed

    def _write(self, source: Source, outcome: Outcome) -> ConvertedItem:
        """Encode one item."""
        item, context = outcome.item, outcome.context
        if outcome.error or item is None:
            raise outcome.error or ItemError("there is nothing to write", code="empty")
        settings = self.settings
        with Temporaries(settings.root, owner_id=self._owner_id, fsync=settings.fsync) as temporaries:
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
        _forget_frames(error)
        return Failure(task.name, key, index, error.code, error.message, error.hint, trace)


def _forget_frames(error: BaseException | None) -> None:
    """Let go of what the functions held that an error came through: arrays, in a circle with the error itself."""
    while error is not None:
        earlier = error.__cause__ or error.__context__
        error.__traceback__ = error.__context__ = None
        error = earlier


def raise_if_unwritable(error: TonearmError, sink: Sink, target: str) -> None:
    """Raise `OutputError` if an encoder failed because nothing can be written: not every library says so."""
    if isinstance(error, OutputError) and isinstance(error.__cause__, OSError):
        raise cannot_write(target, error.__cause__) from error
    if error.code != "plugin-failed":
        return
    try:
        descriptor = os.open(sink.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            os.write(descriptor, bytes(1 << 16))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as why:
        raise cannot_write(target, why) from error


def _files(items: list[ConvertedItem]) -> Iterator[PreparedFile]:
    for item in items:
        yield from item.files
