"""The waveform: samples over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tonearm.errors.short_errors import short_errors
from tonearm.signals.grid import check_sample_rate
from tonearm.signals.signal import Signal, check_array

if TYPE_CHECKING:
    from tonearm.typing import Array


MAX_AMPLITUDE = 4.0
"""Largest amplitude that an array of samples at ±1.0 full scale may have: +12 dBFS."""


@short_errors
@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Waveform(Signal):
    """A waveform: samples over time, full scale at ±1.0.

    Parameters
    ----------
    samples
        Samples of shape (channels, samples), float32; float64 if float32 would lose precision of the source.
    sample_rate
        Sample rate in Hz.
    """

    port: ClassVar[str] = "waveform"
    samples: Array
    sample_rate: int

    def __post_init__(self) -> None:
        check_sample_rate(self.sample_rate)
        check_array(self.port, self.samples, rank=2, kinds="f", shape="(channels, samples)")

    def arrays(self) -> tuple[Array, ...]:
        """Return the samples."""
        return (self.samples,)

    def described(self) -> dict[str, Any]:
        """Return the axes and the sample rate."""
        return {"axes": ["channel", "time"], "sample_rate": self.sample_rate}

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def length(self) -> int:
        """Number of samples in each channel."""
        return int(self.samples.shape[1])

    @property
    def duration(self) -> float:
        """Duration in seconds."""
        return self.length / self.sample_rate

    def _repr_html_(self) -> str:
        """Return a player, a picture and a verdict for notebooks; the sound is not normalised."""
        from tonearm.notebook.waveforms import waveform_figure
        from tonearm.signals.levels import decibels, measure_levels, sound_facts

        levels = measure_levels(self.samples)
        known = {
            "duration": self.duration,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "peak_db": decibels(levels.peak),
        }
        return waveform_figure(
            self.samples,
            self.sample_rate,
            ", ".join(sound_facts(known)),
            levels.verdict(self.duration) or ["no clipping, no offset, not too quiet, all samples finite"],
        )
