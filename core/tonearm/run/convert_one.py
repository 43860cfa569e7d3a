"""One source to one named file, with no run around it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tonearm.errors import ItemError
from tonearm.pipeline.converter import Converter
from tonearm.plugins.context import Context
from tonearm.plugins.item import Item
from tonearm.run.prepared import PreparedFile
from tonearm.run.store.output_names import OutputNames
from tonearm.run.store.output_paths import output_path
from tonearm.run.store.temporaries import Temporaries, cannot_write, discard, temporary_path
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.signals import Signal
from tonearm.source import Source


def convert_one(
    pipeline: Converter, source: Source, root: Path, *, force: bool, on_warning: Callable[[str], None]
) -> list[Path]:
    """Convert one source and publish its outputs below a folder; return their paths.

    Raises
    ------
    ItemError
        If an item fails, or a file that is there would be replaced without ``force``.
    OutputError
        If the output side fails.
    """
    pipeline.preflight()
    folder = os.fspath(root)
    names = OutputNames(folder, lambda _: False, force=force)
    published: list[Path] = []
    with InterruptGate() as gate:
        for outcome in gate.iterate(pipeline.items(source, on_warning=on_warning)):
            if outcome.error or outcome.item is None:
                raise outcome.error or ItemError("there is nothing to write", code="empty")
            files = _written(pipeline, source, outcome.item, outcome.context, folder, names, gate)
            for file in reversed(files):  # what lies beside a file stands behind it, and gets its name before it
                try:
                    os.replace(temporary_path(folder, file), os.path.join(folder, file.output))
                except OSError as error:
                    discard(folder, files)
                    raise cannot_write(root / file.output, error) from error
            published += [root / file.output for file in files]
    return published


def _written(
    pipeline: Converter,
    source: Source,
    item: Item[Signal],
    context: Context,
    folder: str,
    names: OutputNames,
    gate: InterruptGate,
) -> list[PreparedFile]:
    """Return the outputs of an item, whole, under temporary names."""
    taken = set()
    with Temporaries(folder, owner_id="00000000", fsync=True) as temporaries:
        for output in pipeline.outputs:
            target = output_path(output, source, item)
            names.take(target, 0, source.name, source.where or "")
            taken.add(target)
            sink = temporaries.sink(target)
            with gate.opened:
                pipeline.encode(output, item, sink, context)
        files = temporaries.finish()
        try:
            for file in files:
                if file.output not in taken:
                    names.take(file.output, 0, source.name, source.where or "")
        except ItemError:
            discard(folder, files)
            raise
    return files
