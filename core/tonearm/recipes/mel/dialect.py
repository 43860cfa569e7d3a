"""The dialect: the exact recipe by which a model family computes its mel spectrograms."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from tonearm.errors import OptionError
from tonearm.recipes.mel.filter_bank import (
    MelNorm,
    MelScale,
    count_bins,
    max_filter_sum,
    mel_edges,
    mel_filter_bank,
    mel_to_hz,
)
from tonearm.recipes.steps import LOGARITHM_BASES, MelStep, PositiveFloat, ValueRange
from tonearm.signals import MAX_AMPLITUDE, MAX_SAMPLE_RATE, Padding, PadMode, StftGrid

if TYPE_CHECKING:
    from tonearm.typing import Array, Float64Array

Logarithm = Literal["ln", "log10", "log2", "none"]

PositiveInt = Annotated[int, Meta(ge=1)]

MAX_MELS = 8192

METADATA = ("layout", "name", "source", "notes")
"""Fields that have no effect on values."""


class MelDialect(Struct, frozen=True, kw_only=True, dict=True, omit_defaults=True, forbid_unknown_fields=True):
    """A recipe for mel spectrograms, from samples to the values that a model writes.

    The order of operations is: samples times ``input_scale``; pre-emphasis; frames of ``grid``; magnitudes
    ``sqrt(|X|² + magnitude_guard)`` to the power of ``exponent``; mel filters; floor; logarithm times ``log_factor``;
    ``steps``; statistics.

    Raises
    ------
    OptionError
        If figures contradict each other.
    """

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
    input_scale: Annotated[float, Meta(description="Full scale of the analysed samples.", gt=0)] = 1.0
    preemphasis: Annotated[
        float, Meta(description="Fraction of each sample that is subtracted from the next.", ge=0, lt=1)
    ] = 0.0
    preemphasis_scope: Annotated[
        Literal["signal", "frame"],
        Meta(description="Scope of pre-emphasis: the whole signal, or each frame separately."),
    ] = "signal"
    remove_dc: Annotated[bool, Meta(description="Whether the mean of each frame is subtracted first.")] = False
    magnitude_guard: Annotated[
        float, Meta(description="Constant added to squared magnitudes under the square root.", ge=0)
    ] = 0.0
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
    floor: Annotated[
        float, Meta(description="Floor of the linear mel before the logarithm; no effect without one.", ge=0)
    ] = 1e-5
    floor_mode: Annotated[
        Literal["clamp", "add", "replace"],
        Meta(description="Use of the floor: clamp raises lower values to it, add adds it, replace replaces 0 by it."),
    ] = "clamp"
    log: Annotated[Logarithm, Meta(description="Logarithm.")] = "ln"
    log_factor: Annotated[float, Meta(description="Factor of the logarithm, such as 20 for decibels.", gt=0)] = 1.0
    steps: Annotated[tuple[MelStep, ...], Meta(description="Steps after the logarithm, in order.")] = ()
    statistics: Annotated[
        Literal["none", "stored", "utterance"],
        Meta(
            description="Standardisation of the final values: none, by statistics stored with the model, or by the"
            " statistics of each utterance."
        ),
    ] = "none"
    mean: Annotated[
        float | tuple[float, ...] | None, Meta(description="Mean, subtracted last: one number, or one per band.")
    ] = None
    std: Annotated[
        float | tuple[float, ...] | None,
        Meta(description="Standard deviation, divided by last: one number, or one per band."),
    ] = None
    layout: Annotated[
        Literal["mels-frames", "frames-mels"], Meta(description="Order in which the model writes the axes.")
    ] = "mels-frames"
    name: Annotated[str, Meta(description="Name of the dialect in messages.")] = ""
    source: Annotated[str, Meta(description="Source of the figures.")] = ""
    notes: Annotated[str, Meta(description="Notes on the dialect.")] = ""

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
        if self.log != "none" and self.floor == 0:
            raise OptionError("silence has no logarithm without a floor", option="floor")
        if (self.mean is None) != (self.std is None):
            missing = "mean" if self.mean is None else "std"
            raise OptionError(f"statistics are a mean and a std; '{missing}' is missing", option=missing)
        for option in ("mean", "std"):
            values = getattr(self, option)
            if isinstance(values, tuple) and len(values) != self.n_mels:
                raise OptionError(f"{option} has {len(values)} numbers for {self.n_mels} mels", option=option)
        if self.std is not None and 0.0 in (self.std if isinstance(self.std, tuple) else (self.std,)):
            raise OptionError("a std of 0 cannot divide values", option="std")

    @functools.cached_property
    def grid(self) -> StftGrid:
        """Grid of the analysis."""
        return StftGrid(
            sample_rate=self.sample_rate,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            win_length=self.n_fft if self.win_length is None else self.win_length,
            window=self.window,
            padding=self.padding,
            pad_mode=self.pad_mode,
        )

    def replace(self, **changes: Any) -> MelDialect:
        """Return a copy with some figures changed."""
        return replace(self, **changes)

    @property
    def top(self) -> float:
        """Where the highest band ends, in Hz."""
        return self.fmax if self.fmax is not None else (self.filterbank_sample_rate or self.sample_rate) / 2

    @property
    def standardised(self) -> bool:
        """Whether the final values are standardised."""
        return self.statistics != "none" or self.mean is not None

    @property
    def refusal(self) -> str | None:
        """Reason why values cannot be converted to linear ones; None if they can."""
        if self.statistics == "none" or self.mean is not None:
            return None
        whose = "each utterance's own" if self.statistics == "utterance" else "the model's"
        return f"values in the dialect {self.label} are standardised by {whose} statistics, which are not given"

    @property
    def label(self) -> str:
        """Name of the dialect, or a substitute if it has none."""
        return self.name or "spelled out"

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

    def to_native(self, linear: Array) -> Array:
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
        from tonearm.recipes.conversion import to_native

        values: Array = to_native(self, linear)
        return values

    def to_linear(self, native: Array, *, double: bool = False) -> Array:
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
        from tonearm.recipes.conversion import to_linear

        values: Array = to_linear(self, native, double=double)
        return values

    @functools.cached_property
    def range(self) -> ValueRange:
        """Range of the values of sounds up to 12 dB over full scale, before standardisation."""
        edges = mel_edges(self.n_mels, self.fmin, self.top, self.mel_scale)
        hz = [mel_to_hz(edge, self.mel_scale) for edge in edges]
        weight = max_filter_sum(self.n_fft, self.filterbank_sample_rate or self.sample_rate, hz, self.mel_norm)
        peak = MAX_AMPLITUDE * self.input_scale * self.grid.win_length  # no window exceeds 1
        high = weight * max(peak, math.sqrt(self.magnitude_guard)) ** self.exponent
        if self.log == "none":
            found = ValueRange(0.0, high)
        else:
            unit = self.log_factor / math.log(LOGARITHM_BASES[self.log])
            low = -math.inf if self.floor_mode == "replace" else math.log(self.floor) * unit
            found = ValueRange(low, math.log(high + self.floor) * unit, unit=math.log(2) * unit * self.exponent)
        for step in self.steps:
            found = step.range(found)
        return found

    def contradiction(self, low: float, high: float) -> str:
        """Return how values from ``low`` to ``high`` contradict this dialect; an empty text if they do not.

        A factor of two (6 dB) beyond the range is tolerated, as models are inaccurate. Standardised values have no
        limits.
        """
        if self.standardised:
            return ""
        limits = self.range
        slack = limits.unit + 1e-3 * (high - low)
        if low < limits.low - slack:
            return f"the smallest value is {_shown(low)}, but in {self.label} none is below {_shown(limits.low)}"
        if high > limits.high + slack:
            return f"the largest value is {_shown(high)}, but in {self.label} none is above {_shown(limits.high)}"
        if high - low > limits.span + slack:
            return f"values span {_shown(high - low)}, but in {self.label} at most {_shown(limits.span)}"
        return ""

    def differences(self, other: MelDialect) -> list[str]:
        """Return the figures in which another dialect differs, as in ``log ln for log10``.

        The order of axes does not count, because all signals have the same order.
        """
        found = []
        for name in self.__struct_fields__:
            mine, theirs = (_resolved(dialect, name) for dialect in (self, other))
            if name not in METADATA and mine != theirs:
                found.append(f"{name} {_shown(theirs)} for {_shown(mine)}")
        return found


def _resolved(dialect: MelDialect, name: str) -> object:
    if name == "fmax":
        return dialect.top
    if name == "filterbank_sample_rate":
        return dialect.filterbank_sample_rate or dialect.sample_rate
    return dialect.grid.win_length if name == "win_length" else getattr(dialect, name)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{round(value, 9):g}"
    return f"{len(value)} of its own" if isinstance(value, tuple) else str(value)
