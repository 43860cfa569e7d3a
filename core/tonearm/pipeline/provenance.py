"""Provenance of a file: its source with hash, and its pipeline with fingerprint, as in the journal of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from tonearm.pipeline.checked import BoundPlugin, CheckedPipeline
from tonearm.plugins.context import Provenance
from tonearm.source import Source
from tonearm.version import __version__


def plugins_of(checked: CheckedPipeline) -> list[tuple[str, str]]:
    """Return the plugins of a pipeline, each with its package and version."""
    return [(bound.entry.full_name, bound.entry.package.label) for bound in _stages(checked)]


def fingerprint_of(checked: CheckedPipeline) -> str:
    """Return a hash of everything that determines the outputs: plugins, versions, options with defaults."""
    import hashlib
    import json

    parts: list[Any] = [__version__, plugins_of(checked)]
    parts += [msgspec.to_builtins(bound.plugin.options) for bound in _stages(checked)]
    parts.append([output.template.text for output in checked.outputs])
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def provenance_of(checked: CheckedPipeline, source: Source) -> Provenance:
    """Return the provenance of files that a pipeline makes from a source.

    Raises
    ------
    ItemError
        If the source cannot be read.
    """
    stages = [
        {"use": bound.name, "package": bound.entry.package.label} | {"with": msgspec.to_builtins(bound.plugin.options)}
        for bound in _stages(checked)
    ]
    return Provenance(
        source=source.name, sha256=source.sha256(), pipeline=fingerprint_of(checked), stages=tuple(stages)
    )


def _stages(checked: CheckedPipeline) -> Iterator[BoundPlugin]:
    yield from (checked.decoder, *checked.steps, *(output.encoder for output in checked.outputs))
