"""Converting one source to named files, without a run around it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tonearm.errors import ItemError, OutputError
from tonearm.pipeline.converter import Converter
from tonearm.plugins.context import Context
from tonearm.plugins.item import Item
from tonearm.run.part import WHOLE_RUN_OWNER
from tonearm.run.prepared import PreparedFile
from tonearm.run.store.output_names import OutputNames
from tonearm.run.store.output_paths import output_path
from tonearm.run.store.temporaries import Temporaries, discard, rename_temporary, sweep
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.signals import Signal
from tonearm.source import Source


def convert_one(
    pipeline: Converter,
    source: Source,
    root: Path,
    *,
    force: bool,
    on_warning: Callable[[str], None],
    on_progress: Callable[[float, float | None], None] | None = None,
    on_step: Callable[[], None] = lambda: None,
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
    on_warning
        Function that is called with each warning.
    on_progress
        Function that is called with the progress of plugins, as `Context` calls it.
    on_step
        Function that is called after each item that was converted, and after each file that was written.

    Raises
    ------
    ItemError
        If an item fails, or a file exists and ``force`` is not given.
    OutputError
        If the output side fails.
    """
    pipeline.preflight()
    folder = os.fspath(root)
    names = OutputNames(folder, lambda _: False, force=force)
    published: list[Path] = []
    with InterruptGate() as gate:
        for outcome in gate.iterate(pipeline.items(source, on_warning=on_warning, on_progress=on_progress)):
            if outcome.error or outcome.item is None:
                raise outcome.error or ItemError("there is nothing to write", code="empty")
            on_step()
            files = _write(pipeline, source, outcome.item, outcome.context, folder, names, gate, on_step)
            try:
                for file in reversed(files):  # sidecars come after their file and are renamed before it
                    rename_temporary(folder, file)
            except OutputError:
                discard(folder, files)
                raise
            published += [root / file.output for file in files]
    return published


def _write(
    pipeline: Converter,
    source: Source,
    item: Item[Signal],
    context: Context,
    folder: str,
    names: OutputNames,
    gate: InterruptGate,
    on_step: Callable[[], None],
) -> list[PreparedFile]:
    """Return the files of an item, complete under temporary names."""
    taken = set()
    with Temporaries(folder, owner_id=_owner_id(os.getpid()), fsync=True) as temporaries:
        for output in pipeline.outputs:
            target = output_path(output, source, item)
            names.take(target, 0, source.name, source.path_text or "")
            taken.add(target)
            sink = temporaries.sink(target)
            with gate.opened:
                pipeline.encode(output, item, sink, context)
            on_step()
        files = temporaries.finish()
        try:
            for file in files:
                if file.output not in taken:
                    names.take(file.output, 0, source.name, source.path_text or "")
        except ItemError:
            discard(folder, files)
            raise
    return files


def remove_leftovers(folder: str, process_id: int) -> None:
    """Remove the temporaries that `convert_one` left in a folder when its process was killed."""
    sweep(folder, _owner_id(process_id))


def _owner_id(process_id: int) -> str:
    """Return the owner id of the temporaries of a process. A run into the same folder sweeps them as its own."""
    return f"{WHOLE_RUN_OWNER}{process_id & 0xFFFF:04x}"
