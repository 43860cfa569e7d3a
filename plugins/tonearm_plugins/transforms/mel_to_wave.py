"""``mel-to-wave``: a waveform that has a given mel spectrogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, MelDialect, MelSpectrogram, Meta, Spec, StftGrid, Transform, Waveform
from tonearm_plugins.transforms.mel_analysis import require_invertible, without_preemphasis
from tonearm_plugins.transforms.phase_recovery_options import (
    EngineName,
    Iterations,
    Momentum,
    Seed,
    Start,
    refuse_single_engine,
)


@dataclass(frozen=True, kw_only=True)
class MelToWaveOptions:
    """Options of ``mel-to-wave``; everything else comes with the dialect."""

    preset: Annotated[
        Literal["draft", "fast", "best"], Meta(description="Iterations and momentum together; 8, 32 or 128 iterations.")
    ] = "fast"
    iterations: Iterations = None
    momentum: Momentum = None
    start: Annotated[Start, Meta(description="First phases: random, zero, or derived from the magnitudes.")] = "plgi"
    seed: Seed = 0
    engine: EngineName = "auto"


class MelToWave(Transform[MelSpectrogram, Waveform, MelToWaveOptions]):
    """Recover a waveform from a mel spectrogram, finding magnitudes and phases together."""

    keeps_double = True
    instead = "let a vocoder make the sound, or collect the frames and save them"

    def apply(self, signal: MelSpectrogram, context: Context) -> Waveform:
        """Return the waveform, and measure how close its mel spectrogram is."""
        from tonearm_plugins.dsp.mel_griffin_lim import PRESETS, mel_griffin_lim

        options, signal = self.options, signal.unmasked()
        preset = PRESETS[options.preset]
        dialect, grid = signal.dialect, signal.grid
        recovered = mel_griffin_lim(
            dialect.to_linear(signal.values, double=signal.is_double),
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
            double=signal.is_double,
            threads=context.threads,
            on_progress=context.progress,
        )
        context.measure(mel_convergence_db=round(recovered.spectral_convergence_db, 2), iterations=recovered.iterations)
        return without_preemphasis(recovered.samples, signal)

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform of the dialect's rate and the mel's length."""
        require_invertible(spec)
        refuse_single_engine(self.options.engine, spec)
        return spec.replace(signals=(Waveform,)).dropping(StftGrid, MelDialect)
