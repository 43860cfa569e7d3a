"""Spectrograms on the grid of a Fourier transform, and ``kind: complex``."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Generic, TypeVar

from msgspec import Meta

from tonearm.errors import ItemError, OptionError, RemoveOption, SetOption
from tonearm.kinds.scale import MAGNITUDE_LIMIT
from tonearm.kinds.waveform import SampledOptions, missing_option, missing_rate
from tonearm.plugins.context import Context
from tonearm.plugins.kind import Kind
from tonearm.plugins.option_types import WindowName
from tonearm.plugins.ports import Spec
from tonearm.signals import ComplexSpectrogram, Padding, PadMode, Spectrogram, StftGrid
from tonearm.signals.conventions import ConventionOptions

if TYPE_CHECKING:
    from tonearm.typing import Array

Made = TypeVar("Made", bound=Spectrogram)


@dataclass(frozen=True, kw_only=True)
class GridOptions(SampledOptions):
    """Options of spectrograms and mels: sizes and padding of the analysis, and the length of the waveform behind it."""

    n_fft: Annotated[int | None, Meta(description="Length of the Fourier transform in samples.", ge=2)] = None
    hop_length: Annotated[int | None, Meta(description="Samples from one frame to the next.", ge=1)] = None
    win_length: Annotated[int | None, Meta(description="Length of the window in samples; n_fft by default.", ge=1)] = (
        None
    )
    window: Annotated[
        WindowName | None,
        Meta(description="Name of the analysis window, or a .npy or .txt file with its values; hann by default."),
    ] = None
    padding: Annotated[
        Padding | None,
        Meta(
            description="Padding that the analysis added at each end: center adds n_fft/2 samples (the default),"
            " half-overlap (n_fft - hop_length)/2, none nothing."
        ),
    ] = None
    center: Annotated[
        bool | None, Meta(description="Padding as a truth value: true is padding: center, false is padding: none.")
    ] = None
    pad_mode: Annotated[PadMode | None, Meta(description="Values of the padding; constant (zeros) by default.")] = None
    length: Annotated[
        int | None, Meta(description="Length in samples of the waveform behind a spectrogram, if known.", ge=1)
    ] = None

    def padding_problems(self) -> Iterator[OptionError]:
        """Yield that the padding is given twice."""
        if self.center is not None and self.padding is not None:
            yield OptionError(
                "center and padding are the same option", option="center", remedies=(RemoveOption("center"),)
            )


@dataclass(frozen=True, kw_only=True)
class SpectrogramOptions(GridOptions, ConventionOptions):
    """Options of spectrograms: the grid of their analysis, and the convention of its values."""

    def grid(self) -> StftGrid:
        """Return the grid that the options describe.

        Raises
        ------
        OptionError
            If n_fft, hop_length or sample_rate is missing, or values contradict each other.
        """
        if self.n_fft is None or self.hop_length is None or self.sample_rate is None:
            names = [name for name in ("sample_rate", "n_fft", "hop_length") if getattr(self, name) is None]
            raise missing_option(names[0], "a spectrogram cannot be read without it")
        return self.stft_grid(
            sample_rate=self.sample_rate,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            win_length=self.win_length,
            window=self.window,
            padding=self.padding or {None: None, True: "center", False: "none"}[self.center],
            pad_mode=self.pad_mode,
        )


GridOpts = TypeVar("GridOpts", bound=SpectrogramOptions)


class SpectrogramKind(Kind[Made, GridOpts], Generic[Made, GridOpts]):
    """The base class of kinds of spectrogram on the grid of a Fourier transform."""

    axes = ("bin", "frame")
    limit: ClassVar[float] = MAGNITUDE_LIMIT

    @property
    def described(self) -> SpectrogramOptions:
        """Options with all that is known of the grid."""
        return self.options

    @functools.cached_property
    def grid(self) -> StftGrid:
        """Grid that the options describe."""
        return self.described.grid()

    def sizes(self) -> Mapping[str, int]:
        """Return the number of bins."""
        return {"bin": self.grid.bins}

    def spec(self) -> Spec:
        """Return the grid, its sample rate, and the length."""
        options = self.described
        known = super().spec().replace(sample_rate=options.sample_rate, length=options.length)
        return known.carrying(self.grid)

    def problems(self, axes: Sequence[str] | None) -> Iterator[OptionError]:
        """Yield contradictions of the grid and of the axes."""
        options = self.described
        if options.sample_rate is None:
            yield missing_rate()
        missing = [name for name in ("n_fft", "hop_length") if getattr(options, name) is None]
        yield from (missing_option(name, f"the model's own, as a {self.name} spectrogram needs it") for name in missing)
        if not missing and options.sample_rate is not None:
            try:
                options.grid()
            except OptionError as error:
                yield error
        yield from options.padding_problems()
        yield from super().problems(axes)

    def size_error(self, message: str, array: Array, size: int | None, context: Context) -> ItemError:  # noqa: ARG002
        """Return the error with the n_fft that fits the array."""
        if size is None:
            return ItemError(message, code="bins-mismatch", hint="check n_fft")
        grid = self.grid if self.described.n_fft else None
        if grid and grid.sides != "one" and size == grid.plain().bins:
            return ItemError(message, code="bins-mismatch", remedies=(SetOption("sides", "one"),))
        missing = grid.plain().bins - grid.bins if grid else 0
        fitting = size if missing < 0 else 2 * (size + missing - 1)  # two sides have as many bins as n_fft
        remedies = (SetOption("n_fft", fitting, f"if the array has {size} bins"),) if fitting > 1 else ()
        return ItemError(message, code="bins-mismatch", remedies=remedies)


class ComplexKind(SpectrogramKind[ComplexSpectrogram, SpectrogramOptions]):
    """Complex values of a short-time Fourier transform."""

    optional_axes = ("complex",)
    dtype = "complex"

    def read(self, values: Array, context: Context) -> ComplexSpectrogram:  # noqa: ARG002 - the base's
        """Return the complex spectrogram."""
        return ComplexSpectrogram(values=values, grid=self.grid, length=self.options.length)
