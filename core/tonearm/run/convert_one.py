"""Converting one source to named files, without a run around it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tonearm.errors import ItemError, OutputError
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.stages import Outcome
from tonearm.run.part import WHOLE_RUN_OWNER
from tonearm.run.prepared import PreparedFile
from tonearm.run.store.output_names import OutputNames
from tonearm.run.store.output_paths import output_path
from tonearm.run.store.temporaries import Temporaries, discard, rename_temporary
from tonearm.run.workers.interrupts import InterruptGate
from tonearm.source import Source


def convert_one(
    pipeline: Converter, source: Source, root: Path, *, force: bool, on_warning: Callable[[str], None]
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
        for outcome in gate.iterate(pipeline.items(source, on_warning=on_warning)):
            if outcome.error or outcome.item is None:
                raise outcome.error or ItemError("there is nothing to write", code="empty")
            files = _write(pipeline, source, outcome, folder, names, gate)
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
    outcome: Outcome,
    folder: str,
    names: OutputNames,
    gate: InterruptGate,
) -> list[PreparedFile]:
    """Return the files of an item, complete under temporary names."""
    taken = set()
    with Temporaries(folder, owner_id=WHOLE_RUN_OWNER + "0000", fsync=True) as temporaries:
        for output in pipeline.outputs:
            for made in gate.iterate(pipeline.branch(output, outcome)):
                if made.error or made.item is None:
                    raise made.error or ItemError("there is nothing to write", code="empty")
                target = output_path(output, source, made.item)
                names.take(target, 0, source.name, source.path_text or "")
                taken.add(target)
                sink = temporaries.sink(target)
                with gate.opened:
                    pipeline.encode(output, made.item, sink, made.context)
        files = temporaries.finish()
        try:
            for file in files:
                if file.output not in taken:
                    names.take(file.output, 0, source.name, source.path_text or "")
        except ItemError:
            discard(folder, files)
            raise
    return files
