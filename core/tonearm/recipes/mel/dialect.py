"""The dialect: the exact recipe by which a model family computes its mel spectrograms."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from msgspec import Meta

from tonearm.errors import OptionError
from tonearm.errors.short_errors import short_errors
from tonearm.recipes.mel.filter_bank import (
    MelNorm,
    MelScale,
    count_bins,
    max_filter_sum,
    mel_edges,
    mel_filter_bank,
    mel_to_hz,
)
from tonearm.recipes.recipe import PositiveInt, Recipe, grid_of
from tonearm.recipes.steps import PositiveFloat, power
from tonearm.signals import MAX_AMPLITUDE, MAX_SAMPLE_RATE, Padding, PadMode, StftGrid

if TYPE_CHECKING:
    from tonearm.typing import Array, Float64Array

MAX_MELS = 8192


class MelDialect(Recipe, frozen=True, kw_only=True):
    """A recipe for mel spectrograms, from samples to the values that a model writes.

    The order of operations is that of `Recipe`. Bands are sums of magnitudes or powers, weighted by mel filters.

    Raises
    ------
    OptionError
        If figures contradict each other.
    """

    hook: ClassVar[str] = "tonearm_dialects"
    noun: ClassVar[str] = "dialect"
    rows: ClassVar[str] = "mels"

    sample_rate: Annotated[int, Meta(description="Sample rate in Hz.", ge=1, le=MAX_SAMPLE_RATE)]
    n_fft: Annotated[int, Meta(description="Length of the Fourier transform in samples.", ge=2)]
    hop_length: Annotated[int, Meta(description="Samples from one frame to the next.", ge=1)]
    n_mels: Annotated[int, Meta(description="Number of mel bands.", ge=1, le=MAX_MELS)]
    win_length: Annotated[
        PositiveInt | None, Meta(description="Length of the window in samples, n_fft by default.")
    ] = None
    window: Annotated[str, Meta(description="Name of the analysis window.")] = "hann"
    padding: Annotated[
        Padding, Meta(description="Padding that the analysis added: center, half-overlap, snip, end or none.")
    ] = "center"
    pad_mode: Annotated[PadMode, Meta(description="Values of the padding.")] = "constant"
    last_frame: Annotated[
        Literal["keep", "drop", "mask"],
        Meta(description="Treatment of the last frame: keep, drop, or mask with 0 in all bands."),
    ] = "keep"
    exponent: Annotated[
        Literal[1, 2], Meta(description="Exponent of the magnitudes: 1 sums magnitudes, 2 sums powers.")
    ] = 1
    fmin: Annotated[float, Meta(description="Start of the lowest band in Hz.", ge=0)] = 0.0
    fmax: Annotated[
        PositiveFloat | None, Meta(description="End of the highest band in Hz, half the sample rate by default.")
    ] = None
    mel_scale: Annotated[MelScale, Meta(description="Mel scale.")] = "slaney"
    mel_norm: Annotated[
        MelNorm, Meta(description="Normalisation of the bands: slaney gives all the same area, none the same peak.")
    ] = "slaney"
    triangles: Annotated[
        Literal["hz", "mel"], Meta(description="Axis over which the flanks of the bands are straight.")
    ] = "hz"
    filterbank_sample_rate: Annotated[
        PositiveInt | None, Meta(description="Sample rate that the bands were computed for, sample_rate by default.")
    ] = None
    layout: Annotated[
        Literal["mels-frames", "frames-mels"], Meta(description="Order in which the model writes the axes.")
    ] = "mels-frames"

    @short_errors
    def __post_init__(self) -> None:
        _ = self.grid  # the grid checks itself
        rate = self.filterbank_sample_rate or self.sample_rate
        if self.top > rate / 2:
            raise OptionError(f"fmax {self.top:g} Hz is above half the rate of {rate} Hz", option="fmax")
        if self.fmin >= self.top:
            raise OptionError(f"fmin {self.fmin:g} Hz is not below fmax {self.top:g} Hz", option="fmin")
        bins = count_bins(self.n_fft, rate, self.fmin, self.top)
        if self.n_mels > bins:
            raise OptionError(
                f"there are fewer bins than mels: {bins} of n_fft {self.n_fft} lie between {self.fmin:g} and"
                f" {self.top:g} Hz, for {self.n_mels} mels",
                option="n_mels",
                hint="use fewer mels, or a larger n_fft",
            )
        super().__post_init__()

    @functools.cached_property
    def grid(self) -> StftGrid:
        """Grid of the analysis."""
        return grid_of(self)

    @property
    def row_count(self) -> int:
        """Number of mel bands."""
        return self.n_mels

    @property
    def top(self) -> float:
        """Where the highest band ends, in Hz."""
        return self.fmax if self.fmax is not None else (self.filterbank_sample_rate or self.sample_rate) / 2

    def frames(self, samples: int) -> int:
        """Return how many frames the analysis of a number of samples gives."""
        return max(self.grid.frames(samples) - (self.last_frame == "drop"), 0)

    def samples(self, frames: int) -> int:
        """Return the number of samples that a number of frames cover, if the true length is unknown."""
        # Dropped and masked frames are at the end: there is still sound under the last frame that remains.
        return self.grid.samples(frames + (self.last_frame != "keep"))

    def mel_basis(self) -> Float64Array:
        """Return the weight of each bin in each band, float64 (n_mels, bins), read only."""
        return mel_filter_bank(
            sample_rate=self.filterbank_sample_rate or self.sample_rate,
            n_fft=self.n_fft,
            n_mels=self.n_mels,
            fmin=self.fmin,
            fmax=self.top,
            scale=self.mel_scale,
            norm=self.mel_norm,
            triangles=self.triangles,
        )

    def to_native(self, linear: Array) -> Any:
        """Return a linear mel spectrogram as values of this recipe.

        Parameters
        ----------
        linear
            Linear mel (channels, mels, frames) of samples within ±1.

        Returns
        -------
        ndarray
            Values of shape (channels, mels, frames), float64.
        """
        import numpy as np

        from tonearm.recipes.conversion import from_energy

        values = from_energy(self, np.asarray(linear, dtype=np.float64) * power(self.input_scale, self.exponent))
        if self.last_frame == "mask":
            values[..., -1] = 0.0
        return values

    def to_linear(self, native: Array, *, double: bool = False) -> Any:
        """Return values of this recipe as a linear mel spectrogram.

        Parameters
        ----------
        native
            Values of this recipe, of shape (channels, mels, frames).
        double
            Whether to return double precision.

        Returns
        -------
        ndarray
            Linear mel (channels, mels, frames) of samples within ±1, float32, ≥ 0: sums of magnitudes, or of powers
            if ``exponent`` is 2. It is float64 in double precision.

        Raises
        ------
        ItemError
            If the values cannot be converted, see `refusal`.
        """
        import numpy as np

        from tonearm.recipes.conversion import require_finite, to_energy

        values = self._without_guard(to_energy(self, np.asarray(native, dtype=np.float64)))
        values /= power(self.input_scale, self.exponent)
        require_finite(self, values, native)
        return values.astype(np.float64 if double else np.float32)

    def _without_guard(self, values: Array) -> Any:
        """Return the mel of |X| from that of sqrt(|X|² + guard), exact if |X| is constant within a band."""
        import numpy as np

        if not self.magnitude_guard:
            return values
        silence = self.mel_basis().sum(axis=1)[:, None] * self.magnitude_guard ** (self.exponent / 2)
        if self.exponent == 2:
            return np.maximum(values - silence, 0.0)
        return np.sqrt(np.maximum(values**2 - silence**2, 0.0))

    @property
    def highest_energy(self) -> float:
        """Largest linear value of sounds up to 12 dB over full scale."""
        edges = mel_edges(self.n_mels, self.fmin, self.top, self.mel_scale)
        hz = [mel_to_hz(edge, self.mel_scale) for edge in edges]
        weight = max_filter_sum(self.n_fft, self.filterbank_sample_rate or self.sample_rate, hz, self.mel_norm)
        peak: float = MAX_AMPLITUDE * self.input_scale * self.grid.win_length  # no window exceeds 1
        return float(weight * power(max(peak, math.sqrt(self.magnitude_guard)), self.exponent))

    def effective(self, name: str) -> object:
        """Return the value of a figure, with the default of one that other figures determine."""
        if name == "fmax":
            return self.top
        if name == "filterbank_sample_rate":
            return self.filterbank_sample_rate or self.sample_rate
        return self.grid.win_length if name == "win_length" else getattr(self, name)

    def measured(self, values: Array) -> Array:
        """Return the part of the values that the statistics of an utterance cover: all but masked frames."""
        return values[..., :-1] if self.last_frame == "mask" and values.shape[-1] > 2 else values
