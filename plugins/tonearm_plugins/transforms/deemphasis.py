"""``deemphasis``: the inverse of the pre-emphasis that a model was trained with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import BlockTransform, Context, Meta, Spec, StartedTransform, Waveform
from tonearm_plugins.transforms.started import Started


@dataclass(frozen=True, kw_only=True)
class DeemphasisOptions:
    """Options of ``deemphasis``."""

    coefficient: Annotated[
        float, Meta(ge=0, lt=1, description="Coefficient of the pre-emphasis: 0.97 in most recipes, 0.85 in some.")
    ] = 0.97


class Deemphasis(BlockTransform[Waveform, Waveform, DeemphasisOptions]):
    """Undo pre-emphasis exactly, by 1 / (1 - coefficient · z⁻¹); a recipe with pre-emphasis does this itself."""

    keeps_double = True
    any_blocks = True

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the inverse filter, from rest."""
        from tonearm_plugins.dsp.preemphasis import InversePreemphasis

        return Started(InversePreemphasis(self.options.coefficient), context)
