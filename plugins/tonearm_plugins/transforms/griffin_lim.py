"""``griffin-lim``: phase recovery from magnitudes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, Decibels, MagnitudeSpectrogram, Meta, Spec, StftGrid, Transform, Waveform
from tonearm_plugins.transforms.phase_recovery_options import (
    EngineName,
    Iterations,
    Momentum,
    Seed,
    Start,
    refuse_single_engine,
)


@dataclass(frozen=True, kw_only=True)
class GriffinLimOptions:
    """Options of ``griffin-lim``; hop, window and padding come with the spectrogram."""

    preset: Annotated[
        Literal["draft", "fast", "good", "best"],
        Meta(description="Start, iterations and momentum together; 8, 16, 32 or 128 iterations."),
    ] = "good"
    start: Annotated[
        Start | None,
        Meta(description="First phases: random, zero, or derived from the magnitudes; the preset's if not given."),
    ] = None
    iterations: Iterations = None
    momentum: Momentum = None
    seed: Seed = 0
    tolerance_db: Annotated[
        Decibels | None,
        Meta(gt=0, description="Gain in dB of four iterations below which they stop early; never if not given."),
    ] = None
    engine: EngineName = "auto"


class GriffinLim(Transform[MagnitudeSpectrogram, Waveform, GriffinLimOptions]):
    """Recover a waveform from magnitudes alone, by accelerated Griffin-Lim from phases derived from them."""

    keeps_double = True
    instead = "let a vocoder make the sound, or collect the frames and save them"

    def apply(self, signal: MagnitudeSpectrogram, context: Context) -> Waveform:
        """Return the waveform, and measure its spectral convergence."""
        from tonearm_plugins.dsp.griffin_lim import PRESETS, griffin_lim

        signal = signal.plain(context.warn)
        options, grid = self.options, signal.grid
        preset = PRESETS[options.preset]
        recovered = griffin_lim(
            signal.values,
            window=grid.window_values(),
            hop_length=grid.hop_length,
            pad=grid.pad,
            length=signal.samples_expected,
            start=options.start or preset.start,
            iterations=preset.iterations if options.iterations is None else options.iterations,
            momentum=preset.momentum if options.momentum is None else options.momentum,
            seed=options.seed,
            tolerance_db=options.tolerance_db,
            engine=options.engine,
            double=signal.is_double,
            threads=context.threads,
            on_progress=context.progress,
        )
        context.measure(
            spectral_convergence_db=round(recovered.spectral_convergence_db, 2), iterations=recovered.iterations
        )
        return Waveform(samples=recovered.samples, sample_rate=grid.sample_rate)

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform of the spectrogram's rate and length."""
        refuse_single_engine(self.options.engine, spec)
        return spec.replace(signals=(Waveform,)).dropping(StftGrid)
