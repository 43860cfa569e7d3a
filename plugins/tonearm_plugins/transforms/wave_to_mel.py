"""``wave-to-mel``: the mel spectrogram of a waveform in any dialect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, MelDialect, MelSpectrogram, Meta, OptionError, Spec, Transform, Waveform
from tonearm_plugins.transforms.mel_analysis import analyse, other_rate


@dataclass(frozen=True, kw_only=True)
class WaveToMelOptions:
    """Options of ``wave-to-mel``."""

    dialect: Annotated[
        MelDialect,
        Meta(
            description="Dialect: a name, a base with changes, or all figures.",
            examples=["hifigan", {"base": "hifigan", "sample_rate": 24000}],
        ),
    ]

    def problems(self) -> list[OptionError]:
        """Return the problem of a dialect whose statistics are stored and not given."""
        dialect = self.dialect
        if dialect.statistics == "stored" and dialect.mean is None:
            hint = "give mean: […] and std: […] next to base, with one number a band or one for all"
            return [OptionError(dialect.refusal or "", option="dialect", hint=hint, code="no-statistics")]
        return []


class WaveToMel(Transform[Waveform, MelSpectrogram, WaveToMelOptions]):
    """Compute a mel spectrogram exactly as a model family does, in its own units."""

    keeps_double = True

    def apply(self, signal: Waveform, context: Context) -> MelSpectrogram:
        """Return the mel spectrogram."""
        dialect = self.options.dialect
        values = dialect.to_native(analyse(signal, dialect, threads=context.threads, on_progress=context.progress))
        precision = "float64" if signal.is_double else "float32"
        return MelSpectrogram(values=values.astype(precision), dialect=dialect, length=signal.length)

    def produces(self, spec: Spec) -> Spec:
        """Return a mel spectrogram in the dialect."""
        dialect = self.options.dialect
        if spec.sample_rate not in (None, dialect.sample_rate):
            message, remedy = other_rate(spec.sample_rate or 0, dialect)
            raise OptionError(message, option="dialect", code="rate-mismatch", remedies=(remedy,))
        known = spec.replace(signals=(MelSpectrogram,), sample_rate=dialect.sample_rate)
        return known.carrying(dialect.grid, dialect)
