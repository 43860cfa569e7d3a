"""What ``check`` and the JSON Schema find wrong in a pipeline."""

from __future__ import annotations

from typing import Any

from tonearm.errors import PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.document import from_plain
from tonearm.plugins.registry import Registry


def is_right(document: Any, registry: Registry) -> bool:
    """Return whether ``tonearm check`` takes a pipeline."""
    try:
        check(from_plain(document), None, registry, needs_outputs=False)
    except PipelineError:
        return False
    return True


def errors(validator: Any, document: Any) -> list[tuple[str, str]]:
    """Return the path and the message of each error."""
    return [("/".join(map(str, error.absolute_path)), error.message) for error in validator.iter_errors(document)]
