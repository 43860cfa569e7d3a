"""The mel spectrogram as a signal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from tonearm.errors import SignalError
from tonearm.errors.short_errors import short_errors
from tonearm.recipes.mel.dialect import MelDialect
from tonearm.signals import FramedSignal, StftGrid, check_array, check_length

if TYPE_CHECKING:
    from tonearm.typing import Array


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
