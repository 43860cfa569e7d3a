"""One source to one named file, with no run around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tonearm.batch.naming import Names, output_path
from tonearm.batch.publish import Publication
from tonearm.pipeline import Pipeline
from tonearm.source import Source


def convert_one(
    pipeline: Pipeline, source: Source, root: Path, *, force: bool, on_warning: Callable[[str], None]
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
    names = Names(root, (), force=force)
    published = []
    for outcome in pipeline.items(source, on_warning=on_warning):
        if outcome.error:
            raise outcome.error
        if outcome.item is None:
            continue
        with Publication(root, None, fsync=True) as publication:
            for output in pipeline.outputs:
                target = output_path(output, source, outcome.item)
                names.take(target, source)
                pipeline.encode(output, outcome.item, publication.sink(target), outcome.context)
            published += [root / name for name, _ in publication.publish()]
    return published
