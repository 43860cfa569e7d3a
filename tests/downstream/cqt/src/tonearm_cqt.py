"""Constant-Q transforms for tonearm: the kind ``cqt`` of arrays, and the transform ``icqt`` to a waveform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from tonearm.api import (
    Context,
    GiveOption,
    Kind,
    Kinds,
    Meta,
    NoOptions,
    OptionError,
    Requirement,
    Signal,
    SignalError,
    Spec,
    Transform,
    Transforms,
    Waveform,
    hookimpl,
)

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The frequencies and frames of a constant-Q transform.

    Parameters
    ----------
    sample_rate
        Sample rate of the waveform in Hz.
    hop_length
        Samples from one frame to the next.
    bins_per_octave
        Number of bins per octave.
    fmin
        Frequency of the lowest bin in Hz.
    """

    sample_rate: int
    hop_length: int
    bins_per_octave: int
    fmin: float

    def highest(self, bins: int) -> float:
        """Return the frequency of the last of a number of bins in Hz."""
        return float(self.fmin * 2 ** ((bins - 1) / self.bins_per_octave))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ConstantQ(Signal):
    """A constant-Q transform: complex values of shape (channels, bins, frames), with its tuning."""

    port = "cqt"
    values: np.ndarray[Any, Any]
    tuning: Tuning

    def __post_init__(self) -> None:
        highest = self.tuning.highest(self.values.shape[1])
        if highest > self.tuning.sample_rate / 2:
            raise SignalError(f"the highest bin is at {highest:.0f} Hz, beyond half the rate", code="bins-mismatch")

    def arrays(self) -> tuple[np.ndarray[Any, Any], ...]:
        """Return the values."""
        return (self.values,)

    @property
    def sample_rate(self) -> int:
        """Sample rate in Hz."""
        return self.tuning.sample_rate


@dataclass(frozen=True, kw_only=True)
class ConstantQOptions:
    """Options of the kind ``cqt``."""

    sample_rate: Annotated[int | None, Meta(ge=1, description="Sample rate in Hz.")] = None
    hop_length: Annotated[int, Meta(ge=1, description="Samples from one frame to the next.")] = 512
    bins_per_octave: Annotated[int, Meta(ge=1, description="Number of bins per octave.")] = 12
    fmin: Annotated[float, Meta(gt=0, description="Frequency of the lowest bin in Hz; C1 by default.")] = 32.703
    n_bins: Annotated[
        int | None, Meta(ge=1, description="Number of bins, which tells the axes apart; that of the array by default.")
    ] = None


class ConstantQKind(Kind[ConstantQ, ConstantQOptions]):
    """Complex values of a constant-Q transform."""

    axes = ("bin", "frame")
    optional_axes = ("complex",)
    dtype = "complex"

    def spec(self) -> Spec:
        """Return the tuning and its sample rate."""
        return super().spec().replace(sample_rate=self.options.sample_rate).carrying(self._tuning)

    def problems(self, axes: Sequence[str] | None) -> Iterator[OptionError]:
        """Yield that the sample rate is missing, and contradictions of the axes."""
        if self.options.sample_rate is None:
            remedy = GiveOption("sample_rate", "that of the analysis")
            yield OptionError("'sample_rate' is missing", code="missing-option", remedies=(remedy,))
        yield from super().problems(axes)

    def sizes(self) -> Mapping[str, int]:
        """Return the number of bins, if it is given."""
        return {"bin": self.options.n_bins} if self.options.n_bins else {}

    def read(self, values: np.ndarray[Any, Any], context: Context) -> ConstantQ:
        """Return the transform."""
        context.measure(bins=values.shape[1])
        return ConstantQ(values=values, tuning=self._tuning)

    @property
    def _tuning(self) -> Tuning:
        options = self.options
        return Tuning(
            sample_rate=options.sample_rate or 0,
            hop_length=options.hop_length,
            bins_per_octave=options.bins_per_octave,
            fmin=options.fmin,
        )


class InverseConstantQ(Transform[ConstantQ, Waveform, NoOptions]):
    """Invert a constant-Q transform, as librosa.icqt does."""

    requires = (Requirement(name="librosa", hint="pip install librosa"),)

    def apply(self, signal: ConstantQ, context: Context) -> Waveform:
        """Return the waveform."""
        import librosa
        import numpy as np

        tuning = signal.tuning
        channels = [
            librosa.icqt(
                values,
                sr=tuning.sample_rate,
                hop_length=tuning.hop_length,
                fmin=tuning.fmin,
                bins_per_octave=tuning.bins_per_octave,
            )
            for values in signal.values
        ]
        return Waveform(samples=np.stack(channels).astype("float32"), sample_rate=tuning.sample_rate)

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform at the rate of the tuning."""
        tuning = spec.carried.get(Tuning)
        rate = tuning.sample_rate if isinstance(tuning, Tuning) else spec.sample_rate
        return spec.replace(signals=(Waveform,), sample_rate=rate).dropping(Tuning)


@hookimpl
def tonearm_kinds() -> Kinds:
    """Return the kind by name."""
    return {"cqt": ConstantQKind}


@hookimpl
def tonearm_transforms() -> Transforms:
    """Return the transform by name."""
    return {"icqt": InverseConstantQ}
