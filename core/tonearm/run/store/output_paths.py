"""Which file an item becomes: templates filled in."""

from __future__ import annotations

import os

from tonearm.errors import ItemError, one_line
from tonearm.pipeline.check import Output
from tonearm.pipeline.templates import PER_ITEM, Template
from tonearm.plugins.item import Item
from tonearm.signals import Signal
from tonearm.source import Source

KNOWN_AFTER_READING = PER_ITEM | {"source_hash"}
"""Fields that are known only when a source has been read."""

MAX_NAME = 255
"""Bytes of a file's name that file systems take."""


def output_path(output: Output, source: Source, item: Item[Signal] | None) -> str:
    """Return the path of an item's output below the output root.

    Raises
    ------
    ItemError
        If a value is no name for a file.
    """
    return _rendered(output.template, source, item)


def _rendered(template: Template, source: Source, item: Item[Signal] | None) -> str:
    def value(field: str) -> str:
        if field in PER_ITEM and item is not None:
            return str(getattr(item, field))
        if field == "source_hash":
            return source.sha256()[:16]
        if field == "relative_dir":
            return source.relative_dir
        if field == "stem":
            return source.stem
        path = os.path.abspath(source.where or source.stem)
        if field == "parent":
            return os.path.basename(os.path.dirname(path)) or "root"
        return os.path.basename(path)

    path = template.render(value)
    for part in path.split("/"):
        if len(part) * 4 > MAX_NAME and len(os.fsencode(part)) > MAX_NAME:
            raise ItemError(
                f"{one_line(path, 80)} has a name of more than {MAX_NAME} bytes",
                code="name-too-long",
                hint="{source_hash} is short, and {index} tells items apart",
            )
    return path


def output_folder(output: Output, source: Source) -> str | None:
    """Return the folder of an output below the output root; None if only the content of the source tells."""
    folder = output.template.folder(KNOWN_AFTER_READING)
    try:
        return None if folder is None else os.path.dirname(_rendered(folder, source, None))
    except ItemError:
        return None


def is_known_before_reading(output: Output) -> bool:
    """Say whether the name of an output follows from that of its source alone."""
    return not output.template.fields & KNOWN_AFTER_READING
