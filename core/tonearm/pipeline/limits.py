"""Limits of a pipeline, under ``limits:``, in ``--limit`` and in ``limits=``: memory, scale, and doubtful recipes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from tonearm.plugins.option_types import Decibels, Size
from tonearm.reading.memory import DEFAULT_MEMORY
from tonearm.signals.levels import QUIET_DB


@dataclass(frozen=True, kw_only=True)
class PipelineLimits:
    """Limits that guard a run against broken sources and wrong scale. They change no output, nor its fingerprint."""

    memory: Annotated[
        Size,
        Meta(
            gt=0,
            description="Memory that one source may take while it is read. An array needs twice its size. A file that"
            " is mapped, such as a large .npy, needs none.",
        ),
    ] = DEFAULT_MEMORY
    beyond: Annotated[
        float,
        Meta(
            gt=0,
            description="Largest peak of a waveform that a step makes of a spectrogram, mel, tokens or latents, or that"
            " is written as floats. A larger one is the error beyond-full-scale.",
        ),
    ] = 4.0
    clipped: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Largest share of samples that an encoder may clip, because they are beyond ±1.0. A larger one"
            " is the error clipped.",
        ),
    ] = 0.01
    quiet_db: Annotated[
        Decibels,
        Meta(le=0, description="Peak in dBFS below which a waveform that is written is reported as too-quiet."),
    ] = QUIET_DB
    dialect: Annotated[
        Literal["off", "warn", "error"],
        Meta(
            description="Action for values that contradict the given recipe, kind or grid and fit another"
            " (dialect-doubtful, kind-doubtful, grid-doubtful): off, warn or error."
        ),
    ] = "warn"
    strict: Annotated[
        bool, Meta(description="Whether what these limits would warn about is an error, as with --strict.")
    ] = False
