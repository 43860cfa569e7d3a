"""``istft``: the inverse short-time Fourier transform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tonearm.api import (
    BlockTransform,
    ComplexSpectrogram,
    Context,
    PlainValues,
    Spec,
    StartedTransform,
    StftGrid,
    Waveform,
)
from tonearm_plugins.transforms.phase_recovery_options import EngineName, refuse_single_engine

if TYPE_CHECKING:
    from tonearm_plugins.dsp.istft import IstftStream


@dataclass(frozen=True, kw_only=True)
class IstftOptions:
    """Options of ``istft``; hop, window and padding come with the spectrogram."""

    engine: EngineName = "auto"


class Istft(BlockTransform[ComplexSpectrogram, Waveform, IstftOptions]):
    """Invert a complex spectrogram, to its exact length where that is known."""

    keeps_double = True
    any_blocks = True
    searches = True

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the inversion of frames as they come."""
        from tonearm_plugins.dsp.istft import IstftStream

        grid: Any = spec.carried[StftGrid]
        stream = IstftStream(
            window=grid.window_values(),
            hop_length=grid.hop_length,
            pad=grid.pad,
            length=spec.length,
            samples_of=grid.samples,
            engine=self.options.engine,
            threads=context.threads,
            require_finite=context.is_unsearched,
            on_peak=lambda peak: setattr(context, "peak", peak),
            on_progress=context.progress,
        )
        return _StartedIstft(stream, PlainValues(grid), context.warn)

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform of the spectrogram's rate and length."""
        refuse_single_engine(self.options.engine, spec)
        return spec.replace(signals=(Waveform,)).dropping(StftGrid)


class _StartedIstft(StartedTransform):
    """The inversion at work: values of a convention become plain ones before it."""

    def __init__(self, stream: IstftStream, plain: PlainValues, warn: Callable[[str], None]) -> None:
        self._stream, self._plain, self._warn = stream, plain, warn

    def push(self, block: Any) -> Any:
        return self._stream.push(self._plain.of(block))

    def finish(self) -> Any:
        self._plain.check_sides(self._warn)
        return self._stream.finish()

    def push_last(self, block: Any) -> Any:
        values = self._plain.of(block)
        self._plain.check_sides(self._warn)
        return self._stream.push_last(values)
