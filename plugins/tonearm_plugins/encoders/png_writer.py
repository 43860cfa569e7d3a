"""``png-writer``: a picture of a sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tonearm.api import (
    ComplexSpectrogram,
    Context,
    ItemError,
    MagnitudeSpectrogram,
    MelSpectrogram,
    Meta,
    OptionError,
    Requirement,
    Sink,
    Spec,
    Waveform,
)
from tonearm_plugins.encoders.tags import TaggingEncoder, Tags, WithProvenance, tag_problems

if TYPE_CHECKING:
    import numpy as np

    from tonearm_plugins.formats.figure import Panel, Spectrum

    Array = np.ndarray[Any, Any]

Pictured = Waveform | ComplexSpectrogram | MagnitudeSpectrogram | MelSpectrogram

_MOST = 8  # channels in one picture
_ROOM = 70  # pixels of height that a panel needs


@dataclass(frozen=True, kw_only=True)
class PngOptions:
    """Options of ``png-writer``."""

    show: Annotated[
        Literal["both", "spectrogram", "waveform"],
        Meta(description="Of a waveform; of a spectrogram there is nothing but itself to be shown."),
    ] = "both"
    width: Annotated[int, Meta(ge=320, le=16_384, description="Of the picture in pixels.")] = 1200
    height: Annotated[int, Meta(ge=160, le=16_384, description="Of the picture in pixels.")] = 600
    n_fft: Annotated[
        int, Meta(ge=16, le=65_536, description="Samples of a frame in the spectrogram of a waveform.")
    ] = 1024
    scale: Annotated[
        Literal["linear", "mel", "log"],
        Meta(description="Of the axis of frequencies. A mel spectrogram is shown band by band."),
    ] = "linear"
    range_db: Annotated[float, Meta(ge=10, le=200, description="From the darkest colour to the brightest, in dB.")] = 80
    top_db: Annotated[
        float | None,
        Meta(
            description="Level of the brightest colour, in dB, for pictures to be compared; the greatest in the picture"
            " if not given. 0 is a sine of full scale."
        ),
    ] = None
    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False

    def problems(self) -> Iterator[OptionError]:
        """Yield what is wrong with the tags."""
        return tag_problems(self)


class PngWriter(TaggingEncoder[Pictured, PngOptions]):
    """Draw a waveform and its spectrogram, or a spectrogram that is given, with axes in seconds, Hz and dB."""

    suffixes = (".png",)
    requires = (Requirement(name="PIL", package="pillow", hint="pip install 'tonearm[image]'"),)

    def accepts(self, spec: Spec) -> None:
        """Refuse the waveform of a spectrogram, and more channels than there is room for."""
        if self.options.show == "waveform" and Waveform not in spec.signals:
            raise OptionError(
                "a spectrogram has no waveform to be shown",
                option="show",
                hint="show: spectrogram, or istft or griffin-lim before it",
            )
        problem = None if spec.channels is None else self._room(spec.channels, spec.signals == (Waveform,))
        if problem:
            raise problem

    def write(self, signal: Pictured, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Draw the picture; the tag title stands on top of it."""
        from tonearm_plugins.formats import figure

        options = self.options
        problem = self._room(signal.channels, isinstance(signal, Waveform))
        if problem:
            raise ItemError(problem.message, code=problem.code, hint=problem.hint)
        if isinstance(signal, Waveform):
            seconds, panels = signal.duration, self._of_waveform(signal, bool(tags.get("title")))
        else:
            if options.show == "waveform":
                raise ItemError("a spectrogram has no waveform to be shown", hint="show: spectrogram")
            seconds = signal.samples_expected / signal.sample_rate
            panels = self._of_spectrogram(signal, bool(tags.get("title")))
        with sink.open() as file:
            figure.draw(
                file,
                panels,
                width=options.width,
                height=options.height,
                seconds=seconds,
                title=tags.get("title", ""),
                texts=tags,
            )

    def _room(self, channels: int, is_waveform: bool) -> OptionError | None:
        """Say if there are more channels than the picture has room for."""
        panels = channels * (2 if is_waveform and self.options.show == "both" else 1)
        if channels <= _MOST and self.options.height >= panels * _ROOM:
            return None
        if channels > _MOST:
            return OptionError(
                f"a picture has room for {_MOST} channels, but there are {channels}",
                code="too-many-channels",
                hint="mix them, or pick some, before it",
            )
        return OptionError(
            f"{channels} channels do not fit into {self.options.height} pixels",
            option="height",
            code="too-many-channels",
            hint=f"height: {panels * _ROOM}",
        )

    def _of_waveform(self, signal: Waveform, titled: bool) -> list[Panel]:
        """Return a panel with the outline of each channel, and one with its spectrum, as the options say."""
        import numpy as np

        from tonearm_plugins.dsp import display
        from tonearm_plugins.formats import figure

        options = self.options
        kinds: list[type[Panel]] = [] if options.show == "spectrogram" else [figure.Wave]
        kinds += [] if options.show == "waveform" else [figure.Spectrum]
        columns = figure.columns_of(options.width)
        rows = figure.rows_of(options.height, kinds * signal.channels, titled)[kinds.index(kinds[-1])]
        # A periodic Hann window.
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(options.n_fft) / options.n_fft)
        hop = display.hop_for(signal.length, options.n_fft, columns)
        hertz = np.linspace(0, signal.sample_rate / 2, options.n_fft // 2 + 1)
        waves, powers = [], []
        for samples in signal.samples:
            if figure.Wave in kinds:
                waves.append(display.outline(samples, columns))
            if figure.Spectrum in kinds:
                blocks = display.stft_powers(samples, window, hop)
                powers.append(display.pooled(blocks, 1 + (signal.length - 1) // hop, 2 * columns))
        limit = display.round_up(max((float(np.abs(edge).max()) for wave in waves for edge in wave[:2]), default=1.0))
        spectra = self._spectra(powers, hertz, rows)
        panels: list[Panel] = []
        for channel in range(signal.channels):
            panels += [figure.Wave(*waves[channel], limit)] if waves else []
            panels += [spectra[channel]] if spectra else []
        return panels

    def _of_spectrogram(
        self, signal: ComplexSpectrogram | MagnitudeSpectrogram | MelSpectrogram, titled: bool
    ) -> list[Panel]:
        """Return a panel for each channel."""
        import numpy as np

        from tonearm_plugins.dsp import display
        from tonearm_plugins.formats import figure

        options = self.options
        most = 2 * figure.columns_of(options.width)
        rows = figure.rows_of(options.height, [figure.Spectrum] * signal.channels, titled)[0]
        if isinstance(signal, MelSpectrogram):
            return [*self._mels(signal, most)]
        unit = float(signal.grid.window_values().sum()) / 2
        powers = [display.pooled(display.value_powers(one, unit), signal.frames, most) for one in signal.values]
        return [*self._spectra(powers, np.linspace(0, signal.sample_rate / 2, signal.grid.bins), rows)]

    def _spectra(self, powers: list[Array], hertz: Array, rows: int) -> list[Spectrum]:
        """Return panels of powers (bins, frames) at frequencies, all with the same colours."""
        import numpy as np

        from tonearm_plugins.dsp import display

        scale = self.options.scale
        low, high = display.to_scale([0, hertz[-1]], scale)
        edges = display.from_scale(np.linspace(low, high, rows + 1), scale)
        levels = [display.rows_of(one, hertz, edges) for one in powers]
        marks = [
            (value, float((display.to_scale(value, scale) - low) / (high - low)))
            for value in _round_frequencies(float(hertz[-1]), scale, rows)
        ]
        return self._alike(levels, marks, "dB")

    def _mels(self, signal: MelSpectrogram, most: int) -> list[Spectrum]:
        """Return a panel for each channel, band by band; of values that cannot be undone, as they are."""
        import numpy as np

        from tonearm_plugins.dsp import display

        dialect = signal.dialect
        basis = dialect.mel_basis()
        if dialect.refusal:
            levels = [display.pooled(iter([one]), signal.frames, most)[::-1] for one in signal.values]
        else:
            levels = []
            # What a sine of full scale gives in the middle of a band is 0 dB.
            window = dialect.grid.window_values()
            unit = (float(window.sum()) / 2) ** dialect.exponent
            response = np.maximum(display.band_response(basis, window, dialect.exponent), 1e-12)[:, None]
            for one in dialect.to_linear(signal.values):
                blocks = display.value_powers(one / response, unit, dialect.exponent)
                levels.append(display.decibels(display.pooled(blocks, signal.frames, most))[::-1])
        bins = np.linspace(0, dialect.sample_rate / 2, basis.shape[1])
        centres = basis @ bins / np.maximum(basis.sum(axis=1), 1e-12)
        places = (np.arange(dialect.n_mels) + 0.5) / dialect.n_mels
        rounds = _round_frequencies(float(centres[-1]), "mel", 0)
        marks = [(value, float(np.interp(value, centres, places))) for value in rounds if value >= centres[0]]
        return self._alike(levels, marks, "value" if dialect.refusal else "dB")

    def _alike(self, levels: list[Array], marks: list[tuple[float, float]], unit: str) -> list[Spectrum]:
        """Return panels with the same colours for the same levels."""
        from tonearm_plugins.formats.figure import Spectrum

        if not levels:
            return []
        greatest = max(float(one.max()) for one in levels)
        if unit == "dB":
            top = self.options.top_db if self.options.top_db is not None else greatest
            low = top - self.options.range_db
        else:
            top, low = greatest, min(float(one.min()) for one in levels)
        return [Spectrum(one, marks, low, max(top, low + 1e-6), unit) for one in levels]


def _round_frequencies(top: float, scale: str, rows: int) -> list[float]:
    """Return frequencies to mark on an axis up to ``top`` Hz, from the lowest."""
    from tonearm_plugins.dsp import display

    if scale == "linear":
        return display.ticks(0, top, max(1, rows // 28))
    decades = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000)
    values = (0, 500, *range(1000, 200_001, 1000)) if scale == "mel" else decades
    return [float(value) for value in values if value <= top]
