"""``mel-to-magnitude``: magnitudes that have a given mel spectrogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, MagnitudeSpectrogram, MelDialect, MelSpectrogram, Meta, Spec, Transform
from tonearm_plugins.transforms.mel_analysis import require_invertible


@dataclass(frozen=True, kw_only=True)
class MelToMagnitudeOptions:
    """Options of ``mel-to-magnitude``; everything else comes with the dialect."""

    iterations: Annotated[
        int, Meta(ge=0, le=10_000, description="Number of multiplicative updates; 0 gives the clipped pseudo-inverse.")
    ] = 10


class MelToMagnitude(Transform[MelSpectrogram, MagnitudeSpectrogram, MelToMagnitudeOptions]):
    """Find magnitudes that have the given mel spectrogram, and undo pre-emphasis bin by bin."""

    keeps_double = True
    instead = "let a vocoder make the sound, or collect the frames and save them"

    def apply(self, signal: MelSpectrogram, context: Context) -> MagnitudeSpectrogram:
        """Return the magnitudes."""
        from tonearm_plugins.dsp.mel_to_magnitude import mel_to_magnitude

        signal, dialect = signal.unmasked(), signal.dialect
        values = mel_to_magnitude(
            dialect.to_linear(signal.values, double=signal.is_double),
            mel_basis=dialect.mel_basis(),
            power=dialect.exponent,
            iterations=self.options.iterations,
            double=signal.is_double,
            on_progress=context.progress,
        )
        if dialect.preemphasis:
            values /= dialect.preemphasis_response(dialect.n_fft).astype(values.dtype)[:, None]
        return MagnitudeSpectrogram(values=values, grid=dialect.grid, length=signal.samples_expected)

    def produces(self, spec: Spec) -> Spec:
        """Return magnitudes on the dialect's grid."""
        require_invertible(spec)
        return spec.replace(signals=(MagnitudeSpectrogram,)).dropping(MelDialect)
