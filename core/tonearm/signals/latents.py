"""Latents: the continuous frames between the two halves of an autoencoder or flow model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tonearm.errors import SignalError
from tonearm.errors.short_errors import short_errors
from tonearm.signals.grid import check_sample_rate
from tonearm.signals.signal import check_array, check_length
from tonearm.signals.spectrograms import FramedSignal

if TYPE_CHECKING:
    from tonearm.typing import Array


@short_errors
@dataclass(frozen=True, kw_only=True)
class LatentFormat:
    """What is known of latents beside their values.

    Parameters
    ----------
    name
        Name of the latents, such as that of the model; empty if they have none.
    sample_rate
        Sample rate in Hz of the sound that the decoder gives.
    samples_per_frame
        Samples of a frame.
    bands
        Number of bands; None if it is not known before the values are.
    """

    name: str = ""
    sample_rate: int
    samples_per_frame: int
    bands: int | None = None

    def __post_init__(self) -> None:
        check_sample_rate(self.sample_rate)
        if type(self.samples_per_frame) is not int or self.samples_per_frame < 1:
            raise SignalError(f"samples_per_frame is {self.samples_per_frame!r}, not a whole number of at least 1")
        if self.bands is not None and (type(self.bands) is not int or self.bands < 1):
            raise SignalError(f"bands is {self.bands!r}, not a whole number of at least 1")

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return self.sample_rate / self.samples_per_frame


@short_errors
@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Latents(FramedSignal):
    """Latents of an autoencoder or flow model, as its decoder takes them: scale and shift are undone.

    Parameters
    ----------
    values
        Values of shape (channels, bands, frames), float32 or float64.
    format
        Name and rates.
    length
        Length of the sound in samples, if known.

    Raises
    ------
    SignalError
        If values have another shape or type.
    """

    port = "latent"

    values: Array
    format: LatentFormat
    length: int | None = None

    def __post_init__(self) -> None:
        check_array(self.port, self.values, rank=3, kinds="f", shape="(channels, bands, frames)")
        if self.format.bands not in (None, self.values.shape[1]):
            raise SignalError(f"values have {self.values.shape[1]} bands, but the format says {self.format.bands}")
        check_length(self.length)

    @property
    def sample_rate(self) -> int:
        """Sample rate of the sound in Hz."""
        return self.format.sample_rate

    @property
    def bands(self) -> int:
        """Number of bands."""
        return int(self.values.shape[1])

    def described(self) -> dict[str, Any]:
        """Return the axes, the name and the rates, as options of ``kind: latent``."""
        found: dict[str, Any] = {
            "axes": ["channel", "band", "frame"],
            "sample_rate": self.format.sample_rate,
            "samples_per_frame": self.format.samples_per_frame,
        }
        if self.format.name:
            found["name"] = self.format.name
        return found if self.length is None else found | {"length": self.length}
