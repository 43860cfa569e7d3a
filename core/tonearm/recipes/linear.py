"""The recipe of a linear spectrogram: how its values are computed from magnitudes, and on which grid."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from msgspec import Meta

from tonearm.recipes.recipe import PositiveInt, Recipe, grid_of
from tonearm.recipes.steps import power
from tonearm.signals import MAX_AMPLITUDE, MAX_SAMPLE_RATE, Padding, PadMode, StftGrid

if TYPE_CHECKING:
    from tonearm.typing import Array

SampleRate = Annotated[int, Meta(ge=1, le=MAX_SAMPLE_RATE)]
FftLength = Annotated[int, Meta(ge=2)]


class LinearRecipe(Recipe, frozen=True, kw_only=True):
    """A recipe for linear spectrograms. Figures of the grid that a generic recipe leaves open are None.

    Raises
    ------
    OptionError
        If figures contradict each other.
    """

    hook: ClassVar[str] = "tonearm_recipes"
    noun: ClassVar[str] = "recipe"
    rows: ClassVar[str] = "bins"

    sample_rate: Annotated[SampleRate | None, Meta(description="Sample rate in Hz.")] = None
    n_fft: Annotated[FftLength | None, Meta(description="Length of the Fourier transform in samples.")] = None
    hop_length: Annotated[PositiveInt | None, Meta(description="Samples from one frame to the next.")] = None
    win_length: Annotated[
        PositiveInt | None, Meta(description="Length of the window in samples, n_fft by default.")
    ] = None
    window: Annotated[str | None, Meta(description="Name of the analysis window.")] = None
    padding: Annotated[
        Padding | None, Meta(description="Padding that the analysis added: center, half-overlap, snip, end or none.")
    ] = None
    pad_mode: Annotated[PadMode | None, Meta(description="Values of the padding.")] = None

    def __post_init__(self) -> None:
        _ = self.grid  # the grid checks itself
        super().__post_init__()

    @functools.cached_property
    def grid(self) -> StftGrid | None:
        """Grid of the analysis; None if the sample rate, n_fft or hop length is open."""
        if self.sample_rate is None or self.n_fft is None or self.hop_length is None:
            return None
        return grid_of(self)

    @property
    def row_count(self) -> int | None:
        """Number of bins; None if n_fft is open."""
        return None if self.n_fft is None else self.n_fft // 2 + 1

    @property
    def highest_energy(self) -> float:
        """Largest linear value of sounds up to 12 dB over full scale; infinite if the window is open."""
        length = self.win_length or self.n_fft
        if length is None:
            return float("inf")
        peak: float = MAX_AMPLITUDE * self.input_scale * length  # no window exceeds 1
        return power(power(peak, 2) + self.magnitude_guard, self.exponent / 2)

    def to_native(self, linear: Array) -> Any:
        """Return magnitudes as values of this recipe.

        Parameters
        ----------
        linear
            Magnitudes (channels, bins, frames) of samples within ±1, without pre-emphasis.

        Returns
        -------
        ndarray
            Values of shape (channels, bins, frames), float64.
        """
        import numpy as np

        from tonearm.recipes.conversion import from_energy

        values = np.asarray(linear, dtype=np.float64) * self.input_scale
        if self.preemphasis:
            values = values * self._response(values)
        if self.magnitude_guard:
            values = np.sqrt(values**2 + self.magnitude_guard)
        return from_energy(self, values**self.exponent)

    def to_linear(self, native: Array) -> Any:
        """Return values of this recipe as magnitudes.

        Parameters
        ----------
        native
            Values of this recipe (channels, bins, frames), float32 or float64.

        Returns
        -------
        ndarray
            Magnitudes (channels, bins, frames) of samples within ±1 without pre-emphasis, ≥ 0, of the same type.

        Raises
        ------
        ItemError
            If the values cannot be converted, see `refusal`.
        """
        from tonearm.recipes.conversion import require_finite

        values = self.to_magnitude(native)
        require_finite(self, values, native)
        return values

    def to_magnitude(self, native: Array, *, positive: bool = False) -> Any:
        """Return values as `to_linear` does, but keep NaN and infinity.

        Parameters
        ----------
        native
            Values of this recipe (channels, bins, frames), float32 or float64.
        positive
            Whether no value is negative.
        """
        import numpy as np

        from tonearm.recipes.conversion import to_energy

        values = to_energy(self, native, positive=positive)
        with np.errstate(invalid="ignore", over="ignore"):  # minus infinity becomes NaN
            if self.exponent == 2:
                values = np.sqrt(values)
            elif self.exponent != 1:
                values = np.power(values, 1.0 / self.exponent)
            if self.magnitude_guard:
                values = np.sqrt(np.maximum(values**2 - self.magnitude_guard, 0.0))
        if self.input_scale != 1:
            values = values / self.input_scale
        return values / self._response(values) if self.preemphasis else values

    def _response(self, values: Array) -> Any:
        """Return the response of pre-emphasis, (bins, 1), in the type of some values."""
        n_fft = self.n_fft or 2 * (values.shape[-2] - 1)
        return self.preemphasis_response(n_fft).astype(values.dtype)[:, None]

    def effective(self, name: str) -> object:
        """Return the value of a figure, with the default of one that other figures determine."""
        return self.n_fft if name == "win_length" and self.win_length is None else getattr(self, name)
