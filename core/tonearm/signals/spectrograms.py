"""Complex and magnitude spectrograms: values over frequency and time, on a grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tonearm.errors import SignalError
from tonearm.errors.short_errors import short_errors
from tonearm.signals.grid import StftGrid
from tonearm.signals.signal import Signal, check_array, check_length, describe

if TYPE_CHECKING:
    from tonearm.typing import Array


MAX_MARKS = 8
"""Largest number of marks on an axis of frequencies."""


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


@short_errors
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
                f"the {self.port} has {self.values.shape[1]} bins, but {self._bins_expected()}", code="bins-mismatch"
            )
        check_length(self.length)

    def described(self) -> dict[str, Any]:
        """Return the axes, the fields of the grid, and the length if it is known."""
        found = {"axes": ["channel", "bin", "frame"], **self.grid.described()}
        return found if self.length is None else found | {"length": self.length}

    @property
    def sample_rate(self) -> int:
        """Sample rate of the analysed waveform in Hz."""
        return self.grid.sample_rate

    @property
    def samples_expected(self) -> int:
        """Number of samples that an inversion returns: ``length`` if known, else the number that the frames cover."""
        return self.length if self.length is not None else self.grid.samples(self.frames)

    def plain(self, on_warning: Callable[[str], None] | None = None) -> Self:
        """Return the spectrogram with plain values: one side with all bins, no scaling, phases from the frame's start.

        Every step that computes with the values calls it first. It returns the spectrogram itself, without a copy, if
        its values are plain.

        Parameters
        ----------
        on_warning
            Function called with a warning if two sides of the spectrum differ by more than rounding.

        Raises
        ------
        SignalError
            If two sides of the spectrum contradict each other.
        """
        if self.grid.is_plain:
            return self
        from tonearm.signals.plain_values import to_plain_values

        return replace(self, values=to_plain_values(self.values, self.grid, on_warning), grid=self.grid.plain())

    def _repr_html_(self) -> str:
        """Return a picture for notebooks, with axes in Hz and seconds."""
        import numpy as np

        from tonearm.notebook.plot import linear_axis
        from tonearm.notebook.spectrograms import spectrogram_figure

        values, grid = self.values, self.grid
        lowest, step = grid.lowest_frequency, grid.sample_rate / grid.n_fft
        return spectrogram_figure(
            lambda first, last: np.abs(values[:, :, first:last]),
            values.shape,
            seconds=grid.seconds(self.frames),
            frequencies=linear_axis("Hz", lowest - step / 2, lowest + (grid.bins - 0.5) * step, MAX_MARKS),
            title=describe(self),
            notes=[grid_words(grid)],
        )

    def _bins_expected(self) -> str:
        """Return how many bins the grid has, and why, for messages."""
        grid = self.grid
        words = f"n_fft {grid.n_fft}"
        if grid.sides != "one":
            words += f" with sides {grid.sides!r}"
        if grid.end_bins != "both":
            words += f" and end_bins {grid.end_bins!r}"
        return f"{words} has {grid.bins}"


def grid_words(grid: StftGrid) -> str:
    """Return the fields of a grid in words: all that every analysis has, and those of the convention that are set."""
    found = grid.described() | ({} if isinstance(grid.window, str) else {"window": "given by its values"})
    return ", ".join(f"{name}: {value}" for name, value in found.items() if name != "sample_rate")


class ComplexSpectrogram(Spectrogram):
    """Complex values of a short-time Fourier transform: complex64 (channels, bins, frames)."""

    port: ClassVar[str] = "complex"
    value_kinds: ClassVar[str] = "c"


class MagnitudeSpectrogram(Spectrogram):
    """Linear magnitudes of a short-time Fourier transform: float32 (channels, bins, frames), ≥ 0."""

    port: ClassVar[str] = "magnitude"
