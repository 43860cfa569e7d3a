"""Outputs that exist already, found before a source is converted in vain."""

from __future__ import annotations

import contextlib

from tonearm.errors import ItemError
from tonearm.pipeline.converter import Converter
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.output_names import OutputNames
from tonearm.run.store.output_paths import KNOWN_AFTER_READING, output_path
from tonearm.source import Source


def refuse_existing(pipeline: Converter, source: Source, root: str) -> None:
    """Refuse to convert a source if a file exists that must not be replaced.

    Files whose names are known only when the source has been read are looked for when they are published.

    Parameters
    ----------
    pipeline
        Pipeline.
    source
        Source.
    root
        Output folder.

    Raises
    ------
    ItemError
        If a file exists.
    """
    with contextlib.closing(LocalStore(root)) as store:
        names = OutputNames(store, lambda _: False, force=False)
        for output in pipeline.outputs:
            if output.template.fields & KNOWN_AFTER_READING:
                continue
            problem = names.replacement_problem(output_path(output, source, None))
            if problem:
                raise ItemError(problem.message, code=problem.code, remedies=problem.remedies)
