"""Options that the transforms from spectrograms to waveforms share."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from tonearm.api import Meta, OptionError, SetOption, Spec

EngineName: TypeAlias = Annotated[
    Literal["auto", "native", "scipy", "librosa"],
    Meta(description="Engine that does the work; auto is the fastest that can."),
]

Start: TypeAlias = Literal["random", "zero", "plgi", "pghi"]

Iterations: TypeAlias = Annotated[
    int | None, Meta(ge=0, le=100_000, description="Number of iterations; the preset's if not given.")
]

Momentum: TypeAlias = Annotated[
    float | None,
    Meta(
        ge=0,
        lt=1.1,
        description="Weight of each iteration's direction in the next; 0 is the algorithm of 1984; the preset's if not"
        " given.",
    ),
]

Seed: TypeAlias = Annotated[
    int, Meta(ge=0, description="Seed of the random phases: the same seed gives the same sound.")
]


def refuse_single_engine(engine: str, spec: Spec) -> None:
    """Raise `OptionError` if an engine that works in single precision was asked for, but the input is double."""
    if engine == "native" and spec.precision == "double":
        raise OptionError(
            "the native engine computes in single precision, but the input has precision: double",
            option="engine",
            code="loses-precision",
            remedies=(SetOption("engine", "scipy"), SetOption("precision", "single", stage="input")),
        )
