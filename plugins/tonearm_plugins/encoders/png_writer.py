"""``png-writer``: a picture of a sound, with its waveform, its spectrogram or both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from tonearm.api import (
    ComplexSpectrogram,
    Context,
    InsertStep,
    ItemError,
    MagnitudeSpectrogram,
    MelSpectrogram,
    Meta,
    OptionError,
    Requirement,
    SetOption,
    Sink,
    Spec,
    TaggingEncoder,
    TagOptions,
    Waveform,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.progress import OnProgress
    from tonearm_plugins.dsp.typing import FloatArray

Pictured = Waveform | ComplexSpectrogram | MagnitudeSpectrogram | MelSpectrogram

_MOST = 8  # channels in one picture
_ROOM = 70  # pixels of height that a panel needs
_INVERSES = {"complex": "istft", "magnitude": "griffin-lim", "mel": "mel-to-wave"}
"""Transforms that make a waveform of a spectrogram, by its port."""

_WAVE, _SPECTRUM = 1, 2  # relative heights of panels


@dataclass(frozen=True, kw_only=True)
class PngOptions(TagOptions):
    """Options of ``png-writer``."""

    show: Annotated[
        Literal["both", "spectrogram", "waveform"],
        Meta(description="Panels for a waveform; a spectrogram has one panel only."),
    ] = "both"
    width: Annotated[int, Meta(ge=320, le=16_384, description="Width of the picture in pixels.")] = 1200
    height: Annotated[int, Meta(ge=160, le=16_384, description="Height of the picture in pixels.")] = 600
    n_fft: Annotated[
        int, Meta(ge=16, le=65_536, description="Samples of a frame in the spectrogram of a waveform.")
    ] = 1024
    scale: Annotated[
        Literal["linear", "mel", "log"],
        Meta(description="Scale of the frequency axis. A mel spectrogram is shown band by band."),
    ] = "linear"
    range_db: Annotated[
        float, Meta(ge=10, le=200, description="Range from the darkest colour to the brightest in dB.")
    ] = 80
    top_db: Annotated[
        float | None,
        Meta(
            description="Level of the brightest colour in dB, to make pictures comparable; by default the highest in"
            " the picture. 0 is a sine of full scale."
        ),
    ] = None


class _Spectra(NamedTuple):
    """Levels of each channel (rows, frames), frequencies to mark with their places, and the unit of the levels."""

    levels: list[FloatArray]
    marks: list[tuple[float, float]]
    unit: str


class PngWriter(TaggingEncoder[Pictured, PngOptions]):
    """Draw a waveform and its spectrogram, or a given spectrogram, with axes in seconds, Hz and dB."""

    suffixes = (".png",)
    holds_interpreter = True
    requires = (Requirement(name="matplotlib", hint="pip install 'tonearm[image]'", at_least="3.9"),)

    def accepts(self, spec: Spec) -> None:
        """Refuse the waveform of a spectrogram, and more channels than fit into the picture."""
        if self.options.show == "waveform" and Waveform not in spec.signals:
            raise OptionError(
                "a spectrogram has no waveform to show",
                option="show",
                remedies=(SetOption("show", "spectrogram"), *self._inverses(spec)),
            )
        problem = None if spec.channels is None else self._room(spec.channels, spec.signals == (Waveform,))
        if problem:
            raise problem

    def clips(self) -> bool:
        """Return False: a picture shows samples beyond ±1.0."""
        return False

    def write(self, signal: Pictured, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Draw the picture, with the tag ``title`` at the top."""
        import numpy as np

        from tonearm_plugins.dsp import display
        from tonearm_plugins.formats.figure import SoundFigure

        options = self.options
        if isinstance(signal, Waveform):
            panels = {"waveform": [_WAVE], "spectrogram": [_SPECTRUM], "both": [_WAVE, _SPECTRUM]}[options.show]
            length, waves = signal.length, signal.samples if _WAVE in panels else ()
        elif options.show == "waveform":
            raise ItemError("a spectrogram has no waveform to show", remedies=(SetOption("show", "spectrogram"),))
        else:
            panels, length, waves = [_SPECTRUM], signal.samples_expected, ()
        seconds = length / signal.sample_rate
        figure = SoundFigure(options.width, options.height, panels * signal.channels, seconds, tags.get("title", ""))
        envelopes = [display.envelope(samples, figure.columns) for samples in waves]
        limit = display.round_up(max((float(np.abs(edges[:2]).max()) for edges in envelopes), default=1.0))
        spectra = None
        if _SPECTRUM in panels:
            spectra = self._spectra(signal, figure.columns, figure.rows[len(panels) - 1], context.progress)
        for channel in range(signal.channels):
            if envelopes:
                figure.add_wave(*envelopes[channel], limit)
            if spectra:
                figure.add_spectrum(spectra.levels[channel], spectra.marks, *self._range(spectra), spectra.unit)
        with sink.open() as file:
            figure.save(file, tags)

    @staticmethod
    def _inverses(spec: Spec) -> Iterable[InsertStep]:
        """Return the steps that make a waveform of the signals."""
        return (InsertStep(_INVERSES[one.port]) for one in spec.signals if one.port in _INVERSES)

    def _room(self, channels: int, is_waveform: bool) -> OptionError | None:
        """Return the error for more channels than fit into the picture; None if they fit."""
        panels = channels * (2 if is_waveform and self.options.show == "both" else 1)
        if channels <= _MOST and self.options.height >= panels * _ROOM:
            return None
        if channels > _MOST:
            return OptionError(
                f"a picture has room for {_MOST} channels, but there are {channels}",
                code="too-many-channels",
                remedies=(InsertStep("mix", {"to": "mono"}),),
            )
        return OptionError(
            f"{channels} channels do not fit into {self.options.height} pixels",
            option="height",
            code="too-many-channels",
            remedies=(SetOption("height", panels * _ROOM),),
        )

    def _spectra(self, signal: Pictured, columns: int, rows: int, on_progress: OnProgress | None = None) -> _Spectra:
        """Return the levels of each channel, for a panel of so many columns and rows."""
        import numpy as np

        from tonearm_plugins.dsp import display
        from tonearm_plugins.dsp.progress import share_of

        reports = [share_of(on_progress, channel, signal.channels) for channel in range(signal.channels)]
        if isinstance(signal, MelSpectrogram):
            return _mel_spectra(signal, 2 * columns, reports)
        if isinstance(signal, Waveform):
            n_fft = self.options.n_fft
            window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)  # periodic Hann
            hop = display.hop_for(signal.length, n_fft, columns)
            frames, bins = 1 + (signal.length - 1) // hop, n_fft // 2 + 1
            blocks = [
                display.stft_powers(samples, window, hop, report)
                for samples, report in zip(signal.samples, reports, strict=True)
            ]
        else:
            signal = signal.plain()
            unit = float(signal.grid.window_values().sum()) / 2
            frames, bins = signal.frames, signal.grid.bins
            blocks = [
                display.value_powers(values, unit, 1, report)
                for values, report in zip(signal.values, reports, strict=True)
            ]
        frequencies = np.linspace(0, signal.sample_rate / 2, bins)
        scale = self.options.scale
        low, high = display.to_scale(frequencies[[0, -1]], scale)
        edges = display.from_scale(np.linspace(low, high, rows + 1), scale)
        levels = [display.row_levels(display.pooled(one, frames, 2 * columns), frequencies, edges) for one in blocks]
        rounds = _round_frequencies(float(frequencies[-1]), scale, rows // 28)
        places = (display.to_scale(rounds, scale) - low) / (high - low)
        return _Spectra(levels, list(zip(rounds, places.tolist(), strict=True)), "dB")

    def _range(self, spectra: _Spectra) -> tuple[float, float]:
        """Return the levels of the darkest and of the brightest colour, which all channels share."""
        top = max(float(levels.max()) for levels in spectra.levels)
        if spectra.unit == "dB":
            top = top if self.options.top_db is None else self.options.top_db
            return top - self.options.range_db, top
        low = min(float(levels.min()) for levels in spectra.levels)
        return low, max(top, low + 1e-6)


def _mel_spectra(signal: MelSpectrogram, frames: int, reports: Sequence[OnProgress | None]) -> _Spectra:
    """Return levels band by band, or the values themselves where the recipe's scale cannot be undone.

    A sine of full scale in the middle of a band has 0 dB.
    """
    import numpy as np

    from tonearm_plugins.dsp import display

    recipe = signal.dialect
    basis = recipe.mel_basis()
    if recipe.refusal:
        levels = [display.pooled(iter([values]), signal.frames, frames) for values in signal.values]
    else:
        window = recipe.grid.window_values()
        unit = (float(window.sum()) / 2) ** recipe.exponent
        response = np.maximum(display.band_response(basis, window, recipe.exponent), 1e-12)[:, None]
        blocks = [
            display.value_powers(values / response, unit, recipe.exponent, report)
            for values, report in zip(recipe.to_linear(signal.values), reports, strict=True)
        ]
        levels = [display.decibels(display.pooled(one, signal.frames, frames)) for one in blocks]
    bins = np.linspace(0, recipe.sample_rate / 2, basis.shape[1])
    centres = basis @ bins / np.maximum(basis.sum(axis=1), 1e-12)
    places = (np.arange(recipe.n_mels) + 0.5) / recipe.n_mels
    rounds = [value for value in _round_frequencies(float(centres[-1]), "mel") if value >= centres[0]]
    marks = list(zip(rounds, np.interp(rounds, centres, places).tolist(), strict=True))
    return _Spectra(levels, marks, "value" if recipe.refusal else "dB")


def _round_frequencies(top: float, scale: str, steps: int = 0) -> list[float]:
    """Return frequencies in Hz to mark on an axis that ends at ``top``, ascending."""
    from tonearm_plugins.formats.figure import round_numbers

    if scale == "linear":
        return round_numbers(0, top, steps)
    decades = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000)
    values = (0, 500, *range(1000, 200_001, 1000)) if scale == "mel" else decades
    return [float(value) for value in values if value <= top]
