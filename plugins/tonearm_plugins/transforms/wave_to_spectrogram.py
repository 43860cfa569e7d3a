"""``wave-to-spectrogram``: the short-time Fourier transform of a waveform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import (
    Advice,
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
    StftGrid,
    Transform,
    Waveform,
    WindowName,
    from_plain_values,
)


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


class WaveToSpectrogram(Transform[Waveform, ComplexSpectrogram | MagnitudeSpectrogram, WaveToSpectrogramOptions]):
    """Analyse a waveform: its short-time Fourier transform, or the magnitudes of that."""

    keeps_double = True

    def apply(self, signal: Waveform, context: Context) -> ComplexSpectrogram | MagnitudeSpectrogram:
        """Return the spectrogram."""
        import numpy as np

        from tonearm_plugins.dsp.errors import ShapeError
        from tonearm_plugins.dsp.stft import stft

        grid = self.options.grid(signal.sample_rate)
        # The samples that snip adds meet zeros in the window.
        mode = grid.pad_mode if grid.padding in ("center", "half-overlap") else "constant"
        try:
            values = stft(
                signal.samples,
                window=grid.window_values(),
                hop_length=grid.hop_length,
                pad=grid.pad,
                pad_mode=mode,
                frames=grid.frames(signal.length) or None,
                double=signal.is_double,
                on_progress=context.progress,
            )
        except ShapeError as error:
            raise ItemError(str(error), code="too-short", remedies=self._longer(signal.length)) from error
        if self.options.kind == "magnitude":
            return MagnitudeSpectrogram(values=from_plain_values(np.abs(values), grid), grid=grid, length=signal.length)
        return ComplexSpectrogram(values=from_plain_values(values, grid), grid=grid, length=signal.length)

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
