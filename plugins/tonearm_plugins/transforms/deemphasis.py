"""``deemphasis``: undoes the pre-emphasis that a model was trained with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Meta, Transform, Waveform


@dataclass(frozen=True, kw_only=True)
class DeemphasisOptions:
    """Options of ``deemphasis``."""

    coefficient: Annotated[
        float,
        Meta(ge=0, lt=1, description="Part of each sample that the next one lost: 0.97 in most recipes, 0.85 in some."),
    ] = 0.97


class Deemphasis(Transform[Waveform, Waveform, DeemphasisOptions]):
    """Undo pre-emphasis exactly, by 1 / (1 - coefficient · z⁻¹); where there is a mel, its dialect does it."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform as it was before."""
        from tonearm_plugins.dsp.preemphasis import deemphasised

        samples = deemphasised(signal.samples, self.options.coefficient)
        return Waveform(samples=samples, sample_rate=signal.sample_rate)
