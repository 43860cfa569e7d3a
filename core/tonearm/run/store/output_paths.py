"""The paths of outputs, from the templates of a pipeline."""

from __future__ import annotations

import os
import re

from tonearm.errors import ItemError, one_line
from tonearm.pipeline.checked import Output
from tonearm.pipeline.templates import MAX_NAME, Template
from tonearm.run.tasks import ItemId
from tonearm.source import Source
from tonearm.writing.templates import PER_ITEM, field_value

KNOWN_AFTER_READING = PER_ITEM | {"source_hash"}
"""Fields of templates that are known only when the source has been read."""

_ANY_HASH = "__source_hash__"
"""Stands for the hash of a source that has not been read."""


def output_path(output: Output, source: Source, item: ItemId | None) -> str:
    """Return the path of an item's output below the output root.

    Raises
    ------
    ItemError
        If a value cannot be part of a file's name.
    """
    return _rendered(output.template, source, item)


def _rendered(template: Template, source: Source, item: ItemId | None, *, source_hash: str = "") -> str:
    def value(field: str) -> str:
        if field in PER_ITEM and item is not None:
            return item[0] if field == "key" else str(item[1])
        if field == "source_hash" and source_hash:
            return source_hash
        return field_value(field, source)

    path = template.render(value)
    for part in path.split("/"):
        if len(part) * 4 > MAX_NAME and len(os.fsencode(part)) > MAX_NAME:
            raise ItemError(
                f"{one_line(path, 80)} has a name longer than {MAX_NAME} bytes",
                code="name-too-long",
                hint="{source_hash} is short, and {index} distinguishes items",
            )
    return path


def is_output_path(output: Output, source: Source, item: ItemId, path: str) -> bool:
    """Return whether an item's output has a path. Any hash of the source will do, so the source need not be read."""
    if "source_hash" not in output.template.fields:
        return _rendered(output.template, source, item) == path
    expected = _rendered(output.template, source, item, source_hash=_ANY_HASH)
    return re.fullmatch(re.escape(expected).replace(_ANY_HASH, "[0-9a-f]{16}"), path) is not None


def output_folder(output: Output, source: Source) -> str | None:
    """Return the folder of an output below the output root; None if it depends on the content of the source."""
    if output.template.parts == (output.template.text,) and "/" not in output.template.text:
        return ""
    folder = output.template.folder(KNOWN_AFTER_READING)
    try:
        return None if folder is None else os.path.dirname(_rendered(folder, source, None))
    except ItemError:
        return None


def is_known_before_reading(output: Output) -> bool:
    """Return whether the name of an output follows from the name of its source alone."""
    return not output.template.fields & KNOWN_AFTER_READING
