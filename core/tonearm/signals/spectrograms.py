"""Complex and magnitude spectrograms: values over frequency and time, on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tonearm.errors import SignalError
from tonearm.signals.grid import StftGrid
from tonearm.signals.signal import Signal, check_array, check_length

if TYPE_CHECKING:
    from tonearm.typing import Array


class FramedSignal(Signal):
    """The base class of signals whose values have the shape (channels, bins or bands, frames)."""

    values: Array

    def arrays(self) -> tuple[Array, ...]:
        """Return the values."""
        return (self.values,)

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.values.shape[0])

    @property
    def frames(self) -> int:
        """Number of frames."""
        return int(self.values.shape[2])


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Spectrogram(FramedSignal):
    """The base class of complex and magnitude spectrograms.

    Parameters
    ----------
    values
        Values of shape (channels, bins, frames).
    grid
        Grid of the analysis.
    length
        Length of the analysed waveform in samples, if known.
    """

    values: Array
    grid: StftGrid
    length: int | None = None
    value_kinds: ClassVar[str] = "f"

    def __post_init__(self) -> None:
        check_array(self.port, self.values, rank=3, kinds=self.value_kinds, shape="(channels, bins, frames)")
        if self.values.shape[1] != self.grid.bins:
            raise SignalError(
                f"the {self.port} has {self.values.shape[1]} bins, but n_fft {self.grid.n_fft} has {self.grid.bins}",
                code="bins-mismatch",
            )
        check_length(self.length)

    @property
    def sample_rate(self) -> int:
        """Sample rate of the analysed waveform in Hz."""
        return self.grid.sample_rate

    @property
    def samples_expected(self) -> int:
        """Number of samples that an inversion returns: ``length`` if known, else the number that the frames cover."""
        return self.length if self.length is not None else self.grid.samples(self.frames)


class ComplexSpectrogram(Spectrogram):
    """Complex values of a short-time Fourier transform: complex64 (channels, bins, frames)."""

    port: ClassVar[str] = "complex"
    value_kinds: ClassVar[str] = "c"


class MagnitudeSpectrogram(Spectrogram):
    """Linear magnitudes of a short-time Fourier transform: float32 (channels, bins, frames), ≥ 0."""

    port: ClassVar[str] = "magnitude"
