"""The waveform: samples over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tonearm.signals.grid import check_sample_rate
from tonearm.signals.signal import Signal, check_array

if TYPE_CHECKING:
    from tonearm.typing import Array


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Waveform(Signal):
    """Sound: samples over time, full scale is ±1.0.

    Parameters
    ----------
    samples
        (channels, samples), float32; float64 where float32 would lose what the file has.
    sample_rate
        In Hz.
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
        """Seconds."""
        return self.length / self.sample_rate

    def _repr_html_(self) -> str:
        """Return a player for notebooks: the sound as it is, not normalised, with its verdict."""
        from tonearm.signals.player import player

        return player(self.samples, self.sample_rate)
