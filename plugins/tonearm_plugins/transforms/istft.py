"""``istft``: the inverse short-time Fourier transform."""

from __future__ import annotations

from dataclasses import dataclass

from tonearm.api import ComplexSpectrogram, Context, Spec, StftGrid, Transform, Waveform
from tonearm_plugins.transforms.phase_recovery_options import EngineName, refuse_single_engine


@dataclass(frozen=True, kw_only=True)
class IstftOptions:
    """Options of ``istft``; hop, window and padding come with the spectrogram."""

    engine: EngineName = "auto"


class Istft(Transform[ComplexSpectrogram, Waveform, IstftOptions]):
    """Invert a complex spectrogram, to its exact length where that is known."""

    keeps_double = True

    def apply(self, signal: ComplexSpectrogram, context: Context) -> Waveform:
        """Return the waveform."""
        from tonearm_plugins.dsp.istft import istft

        signal = signal.plain(context.warn)
        grid = signal.grid
        samples = istft(
            signal.values,
            window=grid.window_values(),
            hop_length=grid.hop_length,
            pad=grid.pad,
            length=signal.samples_expected,
            engine=self.options.engine,
            threads=context.threads,
            on_progress=context.progress,
        )
        return Waveform(samples=samples, sample_rate=grid.sample_rate)

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform of the spectrogram's rate and length."""
        refuse_single_engine(self.options.engine, spec)
        return spec.replace(signals=(Waveform,)).dropping(StftGrid)
