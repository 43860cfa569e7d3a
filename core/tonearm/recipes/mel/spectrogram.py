"""The mel spectrogram as a signal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from tonearm.errors import ItemError, SignalError
from tonearm.errors.short_errors import short_errors
from tonearm.recipes.mel.dialect import MelDialect
from tonearm.recipes.mel.filter_bank import hz_to_mel, mel_edges, mel_to_hz
from tonearm.signals import FramedSignal, StftGrid, check_array, check_length, describe
from tonearm.signals.spectrograms import grid_words

if TYPE_CHECKING:
    from tonearm.notebook.plot import Axis
    from tonearm.typing import Array

MIN_GAP = 0.05
"""Least distance between two frequencies that are marked beside a picture, as a fraction of its height."""


@short_errors
@dataclass(frozen=True, kw_only=True, eq=False)
class MelSpectrogram(FramedSignal):
    """A mel spectrogram as the model wrote it.

    Parameters
    ----------
    values
        Values of shape (channels, mels, frames), float32, in the dialect's own units.
    dialect
        Recipe by which the values were computed.
    length
        Length of the analysed waveform in samples, if known.
    """

    port: ClassVar[str] = "mel"
    values: Array
    dialect: MelDialect
    length: int | None = None

    def __post_init__(self) -> None:
        check_array(self.port, self.values, rank=3, kinds="f", shape="(channels, mels, frames)")
        if self.values.shape[1] != self.dialect.n_mels:
            raise SignalError(
                f"the mel has {self.values.shape[1]} bands, but the dialect {self.dialect.label} has"
                f" {self.dialect.n_mels}",
                code="bins-mismatch",
            )
        check_length(self.length)

    @property
    def has_frames_first(self) -> bool:
        """Whether files have frames before bands: a mel spectrogram is written as its family writes it."""
        return self.dialect.layout == "frames-mels"

    def written_arrays(self) -> tuple[Array, ...]:
        """Return the values with axes in the order of the family."""
        return (self.values.swapaxes(-1, -2).copy(order="C"),) if self.has_frames_first else (self.values,)

    def described(self) -> dict[str, Any]:
        """Return the axes, the dialect with all its figures, and the length if it is known."""
        axes = ["channel", "frame", "mel"] if self.has_frames_first else ["channel", "mel", "frame"]
        found = {"axes": axes, "dialect": self.dialect}
        return found if self.length is None else found | {"length": self.length}

    def unmasked(self) -> MelSpectrogram:
        """Return the signal without masked frames at its end, which are 0 in all bands; only some dialects mask."""
        if self.dialect.last_frame != "mask":
            return self
        frames = self.frames
        while frames > 1 and not self.values[..., frames - 1].any():
            frames -= 1
        return self if frames == self.frames else replace(self, values=self.values[..., :frames])

    def _repr_html_(self) -> str:
        """Return a picture for notebooks, with axes in Hz and seconds."""
        from tonearm.notebook.spectrograms import spectrogram_figure

        signal, dialect = self.unmasked(), self.dialect
        refusal = _refusal(signal)

        def amplitudes(first: int, last: int) -> Array:
            values = signal.values[:, :, first:last]
            return values if refusal else _amplitudes(dialect, values)

        notes = [f"dialect: {dialect.label}, n_mels: {dialect.n_mels}, {grid_words(dialect.grid)}"]
        return spectrogram_figure(
            amplitudes,
            signal.values.shape,
            seconds=dialect.grid.seconds(signal.frames),
            frequencies=band_axis(dialect),
            title=describe(self),
            notes=[*notes, f"{refusal.code}: {refusal.message}"] if refusal else notes,
            in_decibels=refusal is None,
        )

    @property
    def grid(self) -> StftGrid:
        """Grid of the analysis."""
        return self.dialect.grid

    @property
    def sample_rate(self) -> int:
        """Sample rate of the analysed waveform in Hz."""
        return self.dialect.sample_rate

    @property
    def samples_expected(self) -> int:
        """Number of samples that an inversion returns: ``length`` if known, else the number that the frames cover."""
        return self.length if self.length is not None else self.dialect.samples(self.frames)


def band_axis(dialect: MelDialect) -> Axis:
    """Return the axis of the bands of a dialect, with round frequencies in Hz where bands are centred on them."""
    from tonearm.notebook.plot import curved_axis

    edges = mel_edges(dialect.n_mels, dialect.fmin, dialect.top, dialect.mel_scale)
    # Bands that were computed for another rate are applied to the same bins, whose frequencies are others.
    rate = dialect.sample_rate / (dialect.filterbank_sample_rate or dialect.sample_rate)
    low, high = (rate * mel_to_hz(edges[place], dialect.mel_scale) for place in (1, -2))

    def place(frequency: float) -> float:
        bands = (hz_to_mel(frequency / rate, dialect.mel_scale) - edges[1]) / (edges[1] - edges[0])
        return (bands + 0.5) / dialect.n_mels

    return curved_axis("Hz", low, high, place, MIN_GAP)


def _amplitudes(dialect: MelDialect, values: Array) -> Array:
    """Return values of a dialect as linear amplitudes, float64. What is not finite becomes NaN."""
    import numpy as np

    finite = np.isfinite(values)
    some = values[finite].min() if finite.any() else 0.0
    linear = dialect.to_linear(np.where(finite, values, some), double=True)
    return np.where(finite, np.sqrt(linear) if dialect.exponent == 2 else linear, np.nan)


def _refusal(signal: MelSpectrogram) -> ItemError | None:
    """Return the error for values that the dialect cannot turn into linear ones; None if it can.

    It can do so with all values if it can with the lowest and the highest one of each band.
    """
    import numpy as np

    extremes = np.stack([reduce(signal.values, axis=-1) for reduce in (np.fmin.reduce, np.fmax.reduce)], axis=-1)
    try:
        _amplitudes(signal.dialect, extremes)
    except ItemError as error:
        return error
    return None
