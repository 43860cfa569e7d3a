"""Converting one source to named files, without a run around it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tonearm.errors import ItemError, OutputError
from tonearm.pipeline.checked import Output
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.outcome import Outcome
from tonearm.plugins.progress import Progress
from tonearm.plugins.sink import Sink
from tonearm.run.prepared import PreparedFile
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.output_names import OutputNames, output_is_input, two_items
from tonearm.run.store.output_paths import output_folder, output_path
from tonearm.run.store.temporaries import Temporaries
from tonearm.run.workers.health import Health
from tonearm.run.workers.interrupts import InterruptGate, OpenGate
from tonearm.source import Source
from tonearm.writing.templates import PER_ITEM


def convert_one(
    pipeline: Converter,
    source: Source,
    root: str | os.PathLike[str],
    *,
    force: bool,
    fsync: bool = True,
    is_call: bool = False,
    on_warning: Callable[[str], None],
    on_progress: Callable[[Progress], None] | None = None,
    on_step: Callable[[], None] = lambda: None,
    on_item: Callable[[str, Mapping[str, float | int | str]], None] = lambda _, __: None,
) -> list[Path]:
    """Convert one source, publish its outputs below a folder, and return their paths.

    Parameters
    ----------
    pipeline
        Pipeline.
    source
        Source.
    root
        Output folder.
    force
        Whether to replace existing files.
    fsync
        Whether to flush each file to the disk before it gets its name, and for a call, its name as well.
    is_call
        Whether a program calls this for one sound of many, in a process of its own. Then handlers of signals are left
        alone, leftovers in a folder are looked for once in the life of the process, and a file keeps the permissions of
        the one that it replaces.
    on_warning
        Function that is called with each warning.
    on_progress
        Function that is called with the progress of plugins; what it raises ends the conversion.
    on_step
        Function that is called after each item that was converted, and after each file that was written.
    on_item
        Function that is called with the path of each item's file below the folder, and what was measured of it.

    Raises
    ------
    ItemError
        If an item fails, or a file exists and ``force`` is not given.
    OutputError
        If the output side fails.
    """
    with contextlib.nullcontext() if is_call else _damage_by_plugins():
        pipeline.preflight()
        store = LocalStore(os.fspath(root))
        names = OutputNames(store, lambda _: False, force=force)
        # The source may be a link: neither it nor the file that it leads to is replaced.
        read = [os.path.abspath(source.path_text), os.path.realpath(source.path_text)] if source.path_text else []
        sources = {store.path_of(path) for path in read}
        published: list[Path] = []
        with contextlib.closing(store), OpenGate() if is_call else InterruptGate() as gate:
            folders = {output_folder(output, source) or "" for output in pipeline.outputs}
            if is_call:
                sweep_once(store, folders)
            else:
                store.sweep(folders=folders)
            outcomes = iter(gate.iterate(pipeline.items(source, on_warning=on_warning, on_progress=on_progress)))
            is_single = any(not output.template.fields & PER_ITEM for output in pipeline.outputs)
            for outcome in outcomes:
                if outcome.error or outcome.item is None:
                    raise outcome.error or ItemError("there is nothing to write", code="empty")
                on_step()
                with store.temporaries(None, fsync=fsync, hashed=False) as temporaries:
                    try:
                        files = _write(pipeline, source, outcome, temporaries, names, sources, gate, on_step, on_item)
                        rest = outcomes if is_single else iter(())
                        publish_item(files, source, rest, store, names, keep_mode=is_call)
                    except BaseException:  # Ctrl-C, too, where no gate holds it back
                        temporaries.take_back()
                        raise
                published += [Path(os.path.join(root, file.output)) for file in files]
                if is_call and fsync:
                    store.flush({os.path.dirname(file.output) for file in files})
        return published


def write_one(
    output: Output, source: Source, root: str | os.PathLike[str], write: Callable[[Sink], None], *, force: bool
) -> Path:
    """Write the file of a source that still comes, publish it below a folder, and return its path.

    Parameters
    ----------
    output
        Output.
    source
        Source.
    root
        Output folder.
    write
        Function that writes the file to a sink. Ctrl-C may interrupt it.
    force
        Whether to replace an existing file.

    Raises
    ------
    ItemError
        If ``write`` raises it, or the file exists and ``force`` is not given.
    OutputError
        If the output side fails.
    """
    with _damage_by_plugins():
        store = LocalStore(os.fspath(root))
        names = OutputNames(store, lambda _: False, force=force)
        with contextlib.closing(store), InterruptGate() as gate:
            store.sweep(folders={output_folder(output, source) or ""})
            with store.temporaries(None, fsync=True, hashed=False) as temporaries:
                target = output_path(output, source, ("", 0))
                problem = names.claim(target, 0, source.name)
                if problem:
                    raise ItemError(problem.message, code=problem.code, remedies=problem.remedies)
                sink = temporaries.sink(target, output.encoder.name)
                with gate.opened:
                    write(sink)
                files = [file for files in temporaries.finish() for file in files]
                try:
                    publish_item(files, source, iter(()), store, names, keep_mode=False)
                except BaseException:
                    temporaries.take_back()
                    raise
        return Path(os.path.join(root, target))


@contextlib.contextmanager
def _damage_by_plugins() -> Iterator[None]:
    """Blame plugins for errors of the output side that come of what they did to the process."""
    health = Health()
    try:
        yield
    except OutputError as error:
        if not health.explains(error):
            raise
        raise ItemError(
            f"a plugin closes files that are not its own, or lowers limits: {error.message}", code="plugin-failed"
        ) from error


def _write(
    pipeline: Converter,
    source: Source,
    outcome: Outcome,
    temporaries: Temporaries,
    names: OutputNames,
    sources: Collection[str | None],
    gate: InterruptGate | OpenGate,
    on_step: Callable[[], None],
    on_item: Callable[[str, Mapping[str, float | int | str]], None],
) -> list[PreparedFile]:
    """Return the files of an item, complete under temporary names."""
    for output in pipeline.outputs:
        for branch in gate.iterate(pipeline.branch(output, outcome)):
            item = branch.item
            if branch.error or item is None:
                raise branch.error or ItemError("there is nothing to write", code="empty")
            target = output_path(output, source, (item.key, item.index))
            problem = output_is_input(target) if target in sources else names.claim(target, 0, source.name)
            if problem:
                raise ItemError(problem.message, code=problem.code, remedies=problem.remedies)
            sink = temporaries.sink(target, output.encoder.name)
            with gate.opened:
                pipeline.encode(output, branch, sink)
            on_item(target, branch.context.measurements)
            on_step()
    return [file for files in temporaries.finish() for file in files]


def publish_item(
    files: Sequence[PreparedFile],
    source: Source,
    rest: Iterator[Outcome],
    store: LocalStore,
    names: OutputNames,
    *,
    keep_mode: bool,
) -> None:
    """Publish the files of an item, unless another one comes that would have the same name.

    Parameters
    ----------
    files
        Files, complete under temporary names.
    source
        Source of the item.
    rest
        Outcomes that would get the same name, of which none may come.
    store
        Store.
    names
        Names that are taken.
    keep_mode
        Whether a file keeps the permissions of the one that it replaces.
    """
    for file in files:
        names.take(file.output, 0, source.name, source.path_text or "")
        if keep_mode:
            store.keep_mode(file)
    if (second := next(rest, None)) is not None:  # before anything is published
        raise second.error or _two_items(source, files[0].output)
    for file in reversed(files):  # sidecars come after their file and are renamed before it
        store.publish(file)


def _two_items(source: Source, path: str) -> ItemError:
    """Return the error for two items that would become the same file."""
    message, hint = two_items(source.name, path)
    return ItemError(message, code="same-output", hint=hint)


_swept: set[str] = set()
"""Folders in which this process has looked for leftovers."""

MAX_SWEPT = 10_000
"""Largest number of folders that are remembered."""


def sweep_once(store: LocalStore, folders: Iterable[str]) -> None:
    """Remove leftovers in the folders of a call, unless this process has looked for them there."""
    new = {os.path.join(store.scratch, folder) if folder else store.scratch for folder in folders} - _swept
    if len(_swept) > MAX_SWEPT:
        _swept.clear()
    _swept.update(new)
    if new:
        store.sweep(folders=folders)


def remove_leftovers(folder: str) -> None:
    """Remove the temporaries in a folder that nobody holds, such as those of a `convert_one` that was killed."""
    with contextlib.closing(LocalStore(folder)) as store:
        store.sweep(folders=[""])
