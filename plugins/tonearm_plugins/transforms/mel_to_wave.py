"""``mel-to-wave``: a waveform that has a given mel spectrogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, MelSpectrogram, Meta, Spec, Transform, Waveform
from tonearm_plugins.transforms.mel_analysis import finished, require_undoable
from tonearm_plugins.transforms.phase_recovery_options import Engine


@dataclass(frozen=True, kw_only=True)
class MelToWaveOptions:
    """Options of ``mel-to-wave``; everything else comes with the dialect."""

    preset: Annotated[
        Literal["draft", "fast", "best"], Meta(description="8, 32 or 128 iterations, with the momentum that serves.")
    ] = "fast"
    iterations: Annotated[int | None, Meta(ge=0, le=100_000, description="Iterations; the preset's if not given.")] = (
        None
    )
    momentum: Annotated[
        float | None,
        Meta(ge=0, lt=1.1, description="How far each iteration goes on in its direction; the preset's if not given."),
    ] = None
    start: Annotated[
        Literal["random", "zero", "plgi", "pghi"],
        Meta(description="The first phases: random, zero, or found from the magnitudes."),
    ] = "plgi"
    seed: Annotated[int, Meta(ge=0, description="Of random phases: the same seed gives the same sound.")] = 0
    engine: Annotated[Engine, Meta(description="What does the work; auto takes the fastest that can.")] = "auto"


class MelToWave(Transform[MelSpectrogram, Waveform, MelToWaveOptions]):
    """Recover a waveform from a mel spectrogram in one go: the mel is held, magnitudes and phases settle together."""

    def apply(self, signal: MelSpectrogram, context: Context) -> Waveform:
        """Return the waveform, and measure how near its mel spectrogram is."""
        from tonearm_plugins.dsp.mel_griffin_lim import PRESETS, mel_griffin_lim

        options, signal = self.options, signal.unmasked()
        preset = PRESETS[options.preset]
        dialect, grid = signal.dialect, signal.grid
        recovered = mel_griffin_lim(
            dialect.to_linear(signal.values),
            mel_basis=dialect.mel_basis(),
            window=grid.window_values(),
            hop_length=grid.hop_length,
            pad=grid.pad,
            length=signal.samples_expected,
            power=dialect.exponent,
            iterations=preset.iterations if options.iterations is None else options.iterations,
            momentum=preset.momentum if options.momentum is None else options.momentum,
            start=options.start,
            seed=options.seed,
            engine=options.engine,
            threads=context.threads,
        )
        context.measure(mel_convergence_db=round(recovered.spectral_convergence_db, 2), iterations=recovered.iterations)
        return finished(recovered.samples, signal)

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform of the dialect's rate and the mel's length."""
        require_undoable(spec)
        return spec.but(signals=(Waveform,), grid=None, dialect=None)
