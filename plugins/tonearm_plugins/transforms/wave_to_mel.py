"""``wave-to-mel``: the mel spectrogram of a waveform in any dialect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from tonearm.api import (
    BlockTransform,
    Context,
    MelDialect,
    MelSpectrogram,
    Meta,
    OptionError,
    Spec,
    StartedTransform,
    Waveform,
)
from tonearm_plugins.transforms.mel_analysis import analysis_stream, other_rate

if TYPE_CHECKING:
    from tonearm_plugins.dsp.frame_stream import FrameStream


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


class WaveToMel(BlockTransform[Waveform, MelSpectrogram, WaveToMelOptions]):
    """Compute a mel spectrogram exactly as a model family does, in its own units."""

    keeps_double = True
    any_blocks = True

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the analysis of samples as they come."""
        dialect = self.options.dialect
        rate = spec.sample_rate or dialect.sample_rate
        stream = analysis_stream(dialect, rate, threads=context.threads, on_progress=context.progress)
        return _StartedMel(stream, dialect, "float64" if spec.precision == "double" else "float32")

    def check_blocks(self, spec: Spec) -> None:
        """Raise `OptionError` if values of the dialect depend on the whole signal."""
        _check_dialect(self.options.dialect)

    def produces(self, spec: Spec) -> Spec:
        """Return a mel spectrogram in the dialect."""
        dialect = self.options.dialect
        if spec.sample_rate not in (None, dialect.sample_rate):
            message, remedy = other_rate(spec.sample_rate or 0, dialect)
            raise OptionError(message, option="dialect", code="rate-mismatch", remedies=(remedy,))
        known = spec.replace(signals=(MelSpectrogram,), sample_rate=dialect.sample_rate)
        return known.carrying(dialect.grid, dialect)


class _StartedMel(StartedTransform):
    """The analysis at work, and the conversion of what it gives to the units of the dialect."""

    def __init__(self, stream: FrameStream, dialect: MelDialect, precision: str) -> None:
        self._stream, self._dialect, self._precision = stream, dialect, precision
        self._unmasked = dialect.replace(last_frame="keep")

    def push(self, block: Any) -> Any:
        _check_dialect(self._dialect)
        return self._unmasked.to_native(self._stream.push(block)).astype(self._precision)

    def finish(self) -> Any:
        linear = self._stream.finish()
        return None if linear is None else self._last(linear)

    def push_last(self, block: Any) -> Any:
        return self._last(self._stream.push_last(block))

    def _last(self, linear: Any) -> Any:
        """Return the values of the last frames. There may be none, which the mask of a dialect never meets."""
        return self._dialect.to_native(linear).astype(self._precision)


def _check_dialect(dialect: MelDialect) -> None:
    """Raise `OptionError` if values of a dialect depend on the whole signal."""
    if dialect.needs_whole:
        reason, instead = dialect.needs_whole
        raise OptionError(
            f"wave-to-mel needs the whole signal: values in the dialect {dialect.label} {reason}",
            option="dialect",
            code="needs-whole",
            hint=instead,
        )
