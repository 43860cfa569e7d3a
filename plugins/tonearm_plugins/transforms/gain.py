"""``gain``: a change of level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Decibels, Meta, Transform, Waveform


@dataclass(frozen=True, kw_only=True)
class GainOptions:
    """Options of ``gain``."""

    gain_db: Annotated[
        Decibels,
        Meta(ge=-200, le=200, description="Gain in dB; a negative one makes it quieter.", examples=[-3, "6 dB"]),
    ]


class Gain(Transform[Waveform, Waveform, GainOptions]):
    """Change the level by a number of dB; nothing is clipped here, and limiter can follow."""

    keeps_double = True

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform times the gain."""
        from tonearm_plugins.dsp import levels

        samples = levels.apply_gain(signal.samples, levels.db_to_amplitude(self.options.gain_db))
        return Waveform(samples=samples, sample_rate=signal.sample_rate)
