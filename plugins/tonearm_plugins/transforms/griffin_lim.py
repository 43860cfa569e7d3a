"""``griffin-lim``: phase recovery from magnitudes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, MagnitudeSpectrogram, Meta, Spec, Transform, Waveform
from tonearm_plugins.transforms.phase_recovery_options import Engine


@dataclass(frozen=True, kw_only=True)
class GriffinLimOptions:
    """Options of ``griffin-lim``; hop, window and padding come with the spectrogram."""

    preset: Annotated[
        Literal["draft", "fast", "good", "best"],
        Meta(description="Start, iterations and momentum together: 8, 16, 32 or more iterations."),
    ] = "good"
    start: Annotated[
        Literal["random", "zero", "plgi", "pghi"] | None,
        Meta(description="The first phases: random, zero, or found from the magnitudes; the preset's if not given."),
    ] = None
    iterations: Annotated[int | None, Meta(ge=0, le=100_000, description="Iterations; the preset's if not given.")] = (
        None
    )
    momentum: Annotated[
        float | None,
        Meta(ge=0, lt=1.1, description="Of fast Griffin-Lim; 0 is the plain algorithm; the preset's if not given."),
    ] = None
    seed: Annotated[int, Meta(ge=0, description="Of random phases: the same seed gives the same sound.")] = 0
    tolerance_db: Annotated[
        float | None,
        Meta(gt=0, description="Stop when the spectral convergence gains less than this in a few iterations, in dB."),
    ] = None
    engine: Annotated[Engine, Meta(description="What does the work; auto takes the fastest that can.")] = "auto"


class GriffinLim(Transform[MagnitudeSpectrogram, Waveform, GriffinLimOptions]):
    """Recover a waveform from magnitudes alone, by fast Griffin-Lim from phases integrated out of them."""

    def apply(self, signal: MagnitudeSpectrogram, context: Context) -> Waveform:
        """Return the waveform, and measure its spectral convergence."""
        from tonearm_plugins.dsp.griffin_lim import PRESETS, griffin_lim

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
            threads=context.threads,
        )
        context.measure(
            spectral_convergence_db=round(recovered.spectral_convergence_db, 2), iterations=recovered.iterations
        )
        return Waveform(samples=recovered.samples, sample_rate=grid.sample_rate)

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform of the spectrogram's rate and length."""
        return spec.but(signals=(Waveform,), grid=None)
