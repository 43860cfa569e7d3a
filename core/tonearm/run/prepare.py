"""Preparing a source: its items are converted and written to temporaries, which are flushed and hashed.

This is the part of a run that executors can do anywhere. It takes a task, touches nothing but temporaries, and returns
what the run will publish.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator

from msgspec import Struct

from tonearm.content_hash import SourceSnapshot, memory_snapshot, take_snapshot
from tonearm.errors import ItemError, OutputError, ShowTraceback, TonearmError
from tonearm.errors.problem import hint_of
from tonearm.errors.tracebacks import causes
from tonearm.pipeline.checked import Output
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.outcome import Outcome
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.item import Item
from tonearm.run.prepared import ConvertedItem, Failure, PreparedFile, PreparedSource
from tonearm.run.store.output_paths import output_path
from tonearm.run.store.quarantine import Quarantine
from tonearm.run.store.store import Store
from tonearm.run.store.temporaries import Temporaries, raise_if_unwritable
from tonearm.run.tasks import ItemId, Task
from tonearm.run.workers.health import Health, UnfitError
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.signals import Signal, Waveform
from tonearm.source import Source, source_changed

MAX_WAITING_ITEMS = 256
"""Number of items of one source after which those that are converted are handed over, before the source is finished."""


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of a preparer.

    Parameters
    ----------
    fsync
        Whether to flush files to the disk.
    threads
        Number of threads that a plugin may use.
    debug
        Whether failures of plugins carry their traceback.
    flush_failures
        Whether failures are handed over at once, because the run may stop at one.
    quarantine
        Folder for copies of waveforms that are refused; None to keep none.
    """

    fsync: bool = True
    threads: int = 1
    debug: bool = False
    flush_failures: bool = False
    quarantine: Quarantine | None = None


class Preparer:
    """Prepares one source after another.

    Parameters
    ----------
    pipeline
        Pipeline.
    store
        Store of the outputs.
    settings
        Settings.
    gate
        Gate that is open for interrupts while plugins work.

    Attributes
    ----------
    owner
        Owner of the temporaries.
    on_life
        Function of any arguments that is called whenever work goes on; None for none.
    health
        Health of this process, if another one can take over its work; else None.
    """

    def __init__(self, pipeline: Converter, store: Store, settings: Settings, gate: InterruptGate) -> None:
        self.pipeline = pipeline
        self.settings = settings
        self.owner = store.owner()
        self._store = store
        self._gate = gate
        self._handled: BaseException | None = None
        """Exception that the caller handles, if it does."""
        self.on_life: Callable[..., None] | None = None
        self.health: Health | None = None
        self._refused: Item[Signal] | None = None
        """Item that a step or an encoder has refused, if copies are kept."""
        decoder = pipeline.checked.decoder.plugin
        self._reads_content = isinstance(decoder, Decoder) and decoder.reads == "content"

    def close(self, *, abandon: bool = False) -> None:
        """Release the temporaries that were not handed over.

        Parameters
        ----------
        abandon
            Whether nobody will publish those that were, so that the next run has to look for them.
        """
        if abandon:
            self.owner.abandon()
        else:
            self.owner.close()

    def prepare(self, task: Task) -> Iterator[PreparedSource]:
        """Yield the outcome of a task. A source with very many items comes in several pieces.

        Raises
        ------
        OutputError
            If the output side fails, after the items of the source that are complete. No other temporaries of the
            source are left then.
        """
        began = time.perf_counter()
        self._handled = sys.exc_info()[1]
        is_file = bool(task.path)
        snapshot = take_snapshot(task.path, read=self._reads_content) if is_file else memory_snapshot(task.source())
        items: list[ConvertedItem] = []
        failures: list[Failure] = []
        warnings: list[str] = []
        source, threads = task.source(snapshot.content, snapshot.identity), self.settings.threads
        task = task.without_memory()
        done = _items_with_all_outputs(task)
        complete = False
        stopped: OutputError | None = None
        try:
            for outcome in self._gate.iterate(
                self.pipeline.items(source, threads=threads, on_progress=self.on_life, skip=done)
            ):
                try:
                    items += self._write(task, source, outcome)
                except OutputError as error:
                    stopped = error
                except TonearmError as error:
                    if self.health is not None and self.health.explains(error):
                        raise UnfitError(error.message) from error
                    try:
                        kept = self._keep(task, source, warnings)
                    except OutputError as unwritable:
                        stopped, kept = unwritable, ""
                    failures.append(self._failure(task, outcome.item, error, kept))
                    warnings += outcome.context.warnings
                del outcome  # frees its memory before the next item is made
                if self.on_life is not None:
                    self.on_life()
                is_due = len(items) >= MAX_WAITING_ITEMS or (stopped is not None and items)
                if is_due and self._is_unchanged(task, snapshot, failures):
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
                if stopped is not None:
                    raise stopped
            if not self._is_unchanged(task, snapshot, failures):
                self._store.discard(_files(items))
                items = []
            complete = True
        finally:
            if not complete:
                self._store.discard(_files(items))
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
        if not changed and not snapshot.is_current(task.path):
            changed = [self._failure(task, None, source_changed(task.name))]
        if changed:
            failures[:] = changed[:1]
        return not changed

    def _write(self, task: Task, source: Source, outcome: Outcome) -> list[ConvertedItem]:
        """Encode one item for all outputs that lack it."""
        if outcome.error or outcome.item is None:
            self._note_refused(outcome.item)
            raise outcome.error or ItemError("there is nothing to write", code="empty")
        written: list[tuple[int, ItemId, Context]] = []
        with self._store.temporaries(self.owner, fsync=self.settings.fsync) as temporaries:
            for number in task.outputs:
                if ((outcome.item.key, outcome.item.index), number) in task.skip:
                    continue
                output = self.pipeline.outputs[number]
                written += [
                    (number, self._encode(output, source, branch, temporaries), branch.context)
                    for branch in self._branches(output, outcome)
                ]
            files = temporaries.finish()
        return [
            ConvertedItem(key, index, number, own, context.measurements, context.warnings)
            for (number, (key, index), context), own in zip(written, files, strict=True)
        ]

    def _branches(self, output: Output, outcome: Outcome) -> Iterator[Outcome]:
        """Yield what an output's own steps make of an item. Interrupts pass while these work."""
        found = self.pipeline.branch(output, outcome)
        return self._gate.iterate(found) if output.steps else found

    def _encode(self, output: Output, source: Source, branch: Outcome, temporaries: Temporaries) -> ItemId:
        """Encode one item for one output, and return its key and index."""
        item = branch.item
        if branch.error or item is None:
            self._note_refused(item)
            raise branch.error or ItemError("there is nothing to write", code="empty")
        identity = item.key, item.index
        target = output_path(output, source, identity)
        sink = temporaries.sink(target, output.encoder.name)
        try:
            with self._gate.opened:
                self.pipeline.encode(output, branch, sink)
        except TonearmError as error:
            raise_if_unwritable(error, sink, os.path.join(self._store.root, target))
            self._note_refused(item)
            raise
        return identity

    def _note_refused(self, item: Item[Signal] | None) -> None:
        if self.settings.quarantine is not None:
            self._refused = item

    def _keep(self, task: Task, source: Source, warnings: list[str]) -> str:
        """Keep a copy of the waveform that was refused, and return its path; an empty text if there is none."""
        item, self._refused = self._refused, None
        if self.settings.quarantine is None or item is None or not isinstance(item.signal, Waveform):
            return ""
        identity = item.key, item.index
        kept = self.settings.quarantine.keep(
            task.source_id, source.stem, identity, item.signal, fsync=self.settings.fsync
        )
        if not kept:
            warnings.append("the waveform is too large to be kept in the quarantine")
        return kept

    def _failure(self, task: Task, item: Item[Signal] | None, error: TonearmError, kept: str = "") -> Failure:
        key, index = (item.key, item.index) if item else ("", 0)
        trace, hint = "", error.hint
        if self.settings.debug:
            trace = "".join(traceback.format_exception(error))
            others = tuple(remedy for remedy in error.remedies if not isinstance(remedy, ShowTraceback))
            hint = hint_of(others, error.place)
        _clear_frames(error, self._handled)
        return Failure(task.name, key, index, error.code, error.message, hint, trace, kept)


def _clear_frames(error: BaseException | None, handled: BaseException | None) -> None:
    """Release what the frames of an error hold: arrays, in a reference cycle with the error itself.

    What the caller handled before is the context of every error, and is left as it is.
    """
    for one in causes(error):
        if one is handled:
            break
        one.__traceback__ = one.__context__ = None


def _items_with_all_outputs(task: Task) -> frozenset[ItemId]:
    """Return the items that are done for all outputs of a task."""
    if not task.skip:
        return frozenset()
    counts = Counter(item for item, _output in task.skip)
    return frozenset(item for item, count in counts.items() if count == len(task.outputs))


def _files(items: list[ConvertedItem]) -> Iterator[PreparedFile]:
    for item in items:
        yield from item.files
