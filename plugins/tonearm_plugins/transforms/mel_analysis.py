"""The analysis that a dialect describes, and what else transforms of mel spectrograms share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonearm.api import InsertStep, ItemError, MelDialect, MelSpectrogram, OptionError, Spec, Waveform

if TYPE_CHECKING:
    import numpy as np

    from tonearm_plugins.dsp.frame_stream import FrameStream
    from tonearm_plugins.dsp.progress import OnProgress


def analyse(
    signal: Waveform, dialect: MelDialect, *, threads: int = 1, on_progress: OnProgress | None = None
) -> np.ndarray[Any, Any]:
    """Return the linear mel spectrogram of a waveform by the analysis of a dialect: (channels, mels, frames), float64.

    Raises
    ------
    ItemError
        If the sample rates differ, or the waveform is too short.
    """
    from tonearm_plugins.dsp.errors import ShapeError
    from tonearm_plugins.dsp.mel_spectrogram import mel_spectrogram

    if signal.sample_rate != dialect.sample_rate:
        message, remedy = other_rate(signal.sample_rate, dialect)
        raise ItemError(message, code="rate-mismatch", remedies=(remedy,))
    try:
        linear = mel_spectrogram(
            signal.samples,
            pad=dialect.grid.pads(signal.length),
            pad_mode=_pad_mode(dialect),
            threads=threads,
            on_progress=on_progress,
            **_figures(dialect),
        )
    except ShapeError as error:
        raise ItemError(str(error), code="too-short", hint=f"the dialect {dialect.label} needs more") from error
    frames = dialect.frames(signal.length)
    if frames < 1:
        raise ItemError(f"{signal.length} samples give no frame in the dialect {dialect.label}", code="too-short")
    return linear[..., :frames]


def analysis_stream(
    dialect: MelDialect, sample_rate: int, *, threads: int = 1, on_progress: OnProgress | None = None
) -> FrameStream:
    """Return the analysis of a dialect for samples that come block by block; it gives what `analyse` gives.

    The last frame that it gives is the last one of the signal, and no other frame is masked by the dialect.
    """
    from tonearm_plugins.dsp.mel_spectrogram import MelAnalysis, mel_stream

    def whole(samples: Any) -> Any:
        signal = Waveform(samples=samples, sample_rate=sample_rate)
        return analyse(signal, dialect, threads=threads, on_progress=on_progress)

    return mel_stream(
        MelAnalysis(threads=threads, **_figures(dialect)),
        pad=dialect.grid.pad,
        pad_mode=_pad_mode(dialect),
        frames_of=dialect.frames,
        after=lambda samples: dialect.grid.pads(samples)[1],
        held=1 if dialect.last_frame == "mask" else 0,
        whole=whole,
    )


def _figures(dialect: MelDialect) -> dict[str, Any]:
    """Return the figures of a dialect's analysis, by the names of signal processing."""
    from tonearm_plugins.dsp.mel_spectrogram import Conditioning

    grid = dialect.grid
    return {
        "window": grid.window_values(),
        "win_length": grid.win_length,
        "hop_length": grid.hop_length,
        "mel_basis": dialect.mel_basis(),
        "power": dialect.exponent,
        "magnitude_guard": dialect.magnitude_guard,
        "conditioning": Conditioning(
            preemphasis=dialect.preemphasis,
            per_frame=dialect.preemphasis_scope == "frame",
            remove_dc=dialect.remove_dc,
        ),
    }


def _pad_mode(dialect: MelDialect) -> Any:
    """Return the values of the padding. The samples that snip adds meet zeros in the window."""
    return dialect.pad_mode if dialect.padding in ("center", "half-overlap") else "constant"


def other_rate(sample_rate: int, dialect: MelDialect) -> tuple[str, InsertStep]:
    """Return the message for a waveform at another sample rate than the dialect's, and the step that fixes it."""
    message = f"the waveform is at {sample_rate} Hz, but the dialect {dialect.label} at {dialect.sample_rate} Hz"
    return message, InsertStep("resample", {"sample_rate": dialect.sample_rate})


def require_invertible(spec: Spec) -> None:
    """Raise `OptionError` if the dialect of a mel spectrogram is known, and its values cannot be undone."""
    dialect = spec.carried.get(MelDialect)
    if isinstance(dialect, MelDialect) and dialect.refusal:
        name = dialect.name or "NAME"
        hint = f"give the decoder dialect: {{base: {name}, mean: […], std: […]}}, with one number a band or one for all"
        raise OptionError(dialect.refusal, code="not-invertible", hint=hint)


def without_preemphasis(samples: np.ndarray[Any, Any], signal: MelSpectrogram) -> Waveform:
    """Return the waveform that was inverted from a mel spectrogram, with the dialect's pre-emphasis undone."""
    from tonearm_plugins.dsp.preemphasis import deemphasis

    dialect = signal.dialect
    if dialect.preemphasis:
        samples = deemphasis(samples, dialect.preemphasis)
    return Waveform(samples=samples, sample_rate=dialect.sample_rate)
