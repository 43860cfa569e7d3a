"""``gain``: a change of level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import BlockTransform, Context, Decibels, EachBlock, Meta, Spec, StartedTransform, Waveform


@dataclass(frozen=True, kw_only=True)
class GainOptions:
    """Options of ``gain``."""

    gain_db: Annotated[
        Decibels,
        Meta(ge=-200, le=200, description="Gain in dB; a negative one makes it quieter.", examples=[-3, "6 dB"]),
    ]


class Gain(BlockTransform[Waveform, Waveform, GainOptions]):
    """Change the level by a number of dB; nothing is clipped here, and limiter can follow."""

    keeps_double = True
    any_blocks = True

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the multiplication by the gain."""
        from tonearm_plugins.dsp import levels

        gain = levels.db_to_amplitude(self.options.gain_db)
        return EachBlock(lambda block: levels.apply_gain(block, gain))
