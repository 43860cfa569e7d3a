"""``wave-to-spectrogram``: the short-time Fourier transform of a waveform."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tonearm.api import (
    Advice,
    BlockTransform,
    ComplexSpectrogram,
    Context,
    ConventionOptions,
    ItemError,
    MagnitudeSpectrogram,
    Meta,
    OptionError,
    Padding,
    PadMode,
    Remedy,
    SetOption,
    Spec,
    StartedTransform,
    StftGrid,
    Waveform,
    WindowName,
    from_plain_values,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.frame_stream import FrameStream


@dataclass(frozen=True, kw_only=True)
class WaveToSpectrogramOptions(ConventionOptions):
    """Options of ``wave-to-spectrogram``."""

    n_fft: Annotated[int, Meta(ge=2, description="Length of the Fourier transform in samples.")]
    hop_length: Annotated[int, Meta(ge=1, description="Samples from one frame to the next.")]
    kind: Annotated[Literal["complex", "magnitude"], Meta(description="Kind of spectrogram to compute.")] = "complex"
    win_length: Annotated[int | None, Meta(ge=1, description="Samples of the window; n_fft if not given.")] = None
    window: Annotated[
        WindowName | None,
        Meta(description="Name of the analysis window, or a .npy or .txt file with its values; hann."),
    ] = None
    padding: Annotated[Padding | None, Meta(description="Padding of the ends.")] = None
    pad_mode: Annotated[PadMode | None, Meta(description="Values of the padding.")] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield what does not fit together."""
        try:
            self.grid(1)
        except OptionError as error:
            yield error

    def grid(self, sample_rate: int) -> StftGrid:
        """Return the grid of the analysis at a sample rate."""
        return self.stft_grid(
            sample_rate=sample_rate,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            win_length=self.win_length,
            window=self.window,
            padding=self.padding,
            pad_mode=self.pad_mode,
        )


class WaveToSpectrogram(BlockTransform[Waveform, ComplexSpectrogram | MagnitudeSpectrogram, WaveToSpectrogramOptions]):
    """Analyse a waveform: its short-time Fourier transform, or the magnitudes of that."""

    keeps_double = True
    any_blocks = True

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the analysis of samples as they come."""
        from tonearm_plugins.dsp.stft import stft_stream

        grid = self.options.grid(spec.sample_rate or 1)
        stream = stft_stream(
            window=grid.window_values(),
            hop_length=grid.hop_length,
            pad=grid.pad,
            # The samples that snip adds meet zeros in the window.
            pad_mode=grid.pad_mode if grid.padding in ("center", "half-overlap") else "constant",
            frames_of=grid.frames,
            double=spec.precision == "double",
            threads=context.threads,
            on_progress=context.progress,
        )
        return _StartedAnalysis(stream, self._as_asked(grid), self._longer)

    def _as_asked(self, grid: StftGrid) -> Callable[[Any], Any]:
        """Return the function from plain values to those of the kind and the convention that the options ask for."""
        import numpy as np

        if self.options.kind == "magnitude":
            return lambda values: from_plain_values(np.abs(values), grid)
        return lambda values: from_plain_values(values, grid)

    def _longer(self, length: int) -> tuple[Remedy, ...]:
        """Return the remedies for a waveform that is too short."""
        options = self.options
        smaller = Advice("choose a smaller n_fft")
        grid = options.grid(1)
        if grid.padding == "center":  # then only reflection needs more samples
            return SetOption("pad_mode", "constant"), smaller
        if grid.pad_mode != "reflect" or length > grid.span // 2:
            return SetOption("padding", "center"), smaller
        return (smaller,)

    def produces(self, spec: Spec) -> Spec:
        """Return a spectrogram of the kind that the options say."""
        made = MagnitudeSpectrogram if self.options.kind == "magnitude" else ComplexSpectrogram
        known = spec.replace(signals=(made,))
        return known.carrying(self.options.grid(spec.sample_rate)) if spec.sample_rate else known


class _StartedAnalysis(StartedTransform):
    """The analysis at work, with the error for a waveform that turns out too short."""

    def __init__(
        self, stream: FrameStream, as_asked: Callable[[Any], Any], longer: Callable[[int], tuple[Remedy, ...]]
    ) -> None:
        self._stream, self._as_asked, self._longer = stream, as_asked, longer
        self._length = 0

    def push(self, block: Any) -> Any:
        self._length += block.shape[-1]
        return self._as_asked(self._stream.push(block))

    def finish(self) -> Any:
        return self._last(self._stream.finish)

    def push_last(self, block: Any) -> Any:
        self._length += block.shape[-1]
        return self._last(lambda: self._stream.push_last(block))

    def _last(self, last_values: Callable[[], Any]) -> Any:
        """Return the last values, or raise `ItemError` if the whole waveform is too short."""
        from tonearm_plugins.dsp.errors import ShapeError

        try:
            values = last_values()
        except ShapeError as error:
            raise ItemError(str(error), code="too-short", remedies=self._longer(self._length)) from error
        return None if values is None else self._as_asked(values)
