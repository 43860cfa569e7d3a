"""Provenance of a file: short in its tags, and in full as JSON beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tonearm.plugins.context import Provenance
from tonearm.plugins.item import Item
from tonearm.signals import Signal
from tonearm.writing.signal_metadata import as_written, described
from tonearm.writing.tags import OWN, valid_tag


def provenance_tags(made: Provenance, item: Item[Signal]) -> dict[str, str]:
    """Return the provenance of an item as tags.

    Parameters
    ----------
    made
        Provenance, as `Context.provenance` returns it.
    item
        Item that is written.

    Returns
    -------
    dict
        Texts by name: ``tonearm_source``, ``tonearm_sha256`` and others. What is not known is left out.
    """
    found = {
        "version": made.tonearm,
        "source": made.source,
        "sha256": made.sha256,
        "key": item.key,
        "index": str(item.index) if item.index else "",
        "pipeline": made.pipeline,
    }
    return {f"{OWN}{name}": valid_tag(value) for name, value in found.items() if value}


def write_sidecar(path: Path, made: Provenance, item: Item[Signal], tags: Mapping[str, str]) -> None:
    """Write the provenance of a file and the description of its signal as JSON in UTF-8.

    Parameters
    ----------
    path
        Path to write: ``sink.sidecar(".json")``.
    made
        Provenance, as `Context.provenance` returns it.
    item
        Item that is written.
    tags
        Tags of the file.
    """
    content: dict[str, Any] = {
        "tonearm": made.tonearm,
        "source": {"name": made.source, "sha256": made.sha256, "key": item.key, "index": item.index},
        "signal": described(item.signal),
        "shape": [list(array.shape) for array in as_written(item.signal)],
        "tags": dict(tags),
        "pipeline": {"fingerprint": made.pipeline, "stages": list(made.stages)},
    }
    # A name that is not UTF-8 has lone surrogates, which JSON can hold as \\udcff.
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    path.write_bytes(text.encode("utf-8", "backslashreplace"))
