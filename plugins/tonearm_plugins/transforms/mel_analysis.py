"""What the transforms between waveforms and mel spectrograms share: the analysis that a dialect describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, MelDialect, MelSpectrogram, OptionError, Spec, Waveform

if TYPE_CHECKING:
    import numpy as np


def analyse(signal: Waveform, dialect: MelDialect, *, threads: int = 1) -> np.ndarray[Any, Any]:
    """Return the linear mel spectrogram of a waveform, float64 (channels, mels, frames), as a dialect analyses it.

    Raises
    ------
    ItemError
        If the rate is another, or the waveform is too short.
    """
    from tonearm_plugins.dsp.errors import ShapeError
    from tonearm_plugins.dsp.mel_spectrogram import Conditioning, mel_spectrogram

    if signal.sample_rate != dialect.sample_rate:
        raise ItemError(rate_text(signal.sample_rate, dialect), code="rate-mismatch", hint=rate_hint(dialect))
    grid = dialect.grid
    conditioning = Conditioning(
        preemphasis=dialect.preemphasis,
        per_frame=dialect.preemphasis_scope == "frame",
        remove_dc=dialect.remove_dc,
    )
    try:
        linear = mel_spectrogram(
            signal.samples,
            window=grid.window_values(),
            win_length=grid.win_length,
            hop_length=grid.hop_length,
            pad=grid.pads(signal.length),
            # The samples that snip adds meet zeros in the window.
            pad_mode=grid.pad_mode if grid.padding in ("center", "half-overlap") else "constant",
            mel_basis=dialect.mel_basis(),
            power=dialect.exponent,
            magnitude_guard=dialect.magnitude_guard,
            conditioning=conditioning,
            threads=threads,
        )
    except ShapeError as error:
        raise ItemError(str(error), code="too-short", hint=f"the dialect {dialect.label} needs more") from error
    frames = dialect.frames(signal.length)
    if frames < 1:
        raise ItemError(f"{signal.length} samples give no frame in the dialect {dialect.label}", code="too-short")
    return linear[..., :frames]


def rate_text(sample_rate: int, dialect: MelDialect) -> str:
    """Say that a waveform has another rate than a dialect."""
    return f"the waveform is at {sample_rate} Hz, but the dialect {dialect.label} at {dialect.sample_rate} Hz"


def rate_hint(dialect: MelDialect) -> str:
    """Say what to do about it."""
    return f"put resample with sample_rate: {dialect.sample_rate} before it"


def require_undoable(spec: Spec) -> None:
    """Raise `OptionError` if what is known of a mel spectrogram says that its values cannot be undone."""
    dialect = spec.dialect
    if dialect is not None and dialect.refusal:
        hint = f"dialect: {{base: {dialect.name or 'NAME'}, mean: […], std: […]}}, one number a band, or one for all"
        raise OptionError(dialect.refusal, code="not-invertible", hint=hint)


def finished(samples: np.ndarray[Any, Any], signal: MelSpectrogram) -> Waveform:
    """Return the waveform of inverted frames: pre-emphasis undone."""
    import numpy as np

    from tonearm_plugins.dsp.preemphasis import deemphasis

    dialect = signal.dialect
    if dialect.preemphasis:
        samples = deemphasis(samples, dialect.preemphasis, dtype=np.float32)
    return Waveform(samples=samples, sample_rate=dialect.sample_rate)
