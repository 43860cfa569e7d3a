"""Limits of a pipeline: what its sources may take, under ``limits:``, in ``--limit`` and in ``limits=``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from tonearm.plugins.option_types import Size
from tonearm.reading.memory import DEFAULT_MEMORY


@dataclass(frozen=True, kw_only=True)
class PipelineLimits:
    """Limits that guard a run against hostile and broken sources. They change no output, so no fingerprint has them."""

    memory: Annotated[
        Size,
        Meta(
            gt=0,
            description="Memory that one source may take while it is read. An array needs twice its size. A file that"
            " is mapped, such as a large .npy, needs none.",
        ),
    ] = DEFAULT_MEMORY
