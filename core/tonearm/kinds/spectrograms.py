"""Spectrograms on the grid of a Fourier transform, and ``kind: complex``."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Generic, TypeVar

from msgspec import Meta

from tonearm.arrays.axes import is_fft_length
from tonearm.errors import ItemError, OptionError, SetOption
from tonearm.kinds.grid_options import GridOptions, missing_option, missing_rate
from tonearm.kinds.scale import MAGNITUDE_LIMIT, scaled
from tonearm.plugins.context import Context
from tonearm.plugins.kind import Kind
from tonearm.plugins.ports import Spec
from tonearm.signals import ComplexSpectrogram, Spectrogram, StftGrid
from tonearm.signals.conventions import ConventionOptions

if TYPE_CHECKING:
    from tonearm.typing import Array

Made = TypeVar("Made", bound=Spectrogram)


@dataclass(frozen=True, kw_only=True)
class SpectrogramOptions(GridOptions, ConventionOptions):
    """Options of spectrograms: the grid of their analysis, the convention of its values, and their scale."""

    full_scale: Annotated[
        float | None,
        Meta(
            description="Value of full scale in the samples behind the spectrogram: 32768 if they were 16-bit integers,"
            " 1 by default.",
            gt=0,
        ),
    ] = None

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
        remedies = (SetOption("n_fft", fitting, f"if the array has {size} bins"),) if is_fft_length(fitting) else ()
        return ItemError(message, code="bins-mismatch", remedies=remedies)


class ComplexKind(SpectrogramKind[ComplexSpectrogram, SpectrogramOptions]):
    """Complex values of a short-time Fourier transform."""

    optional_axes = ("complex",)
    dtype = "complex"

    def read(self, values: Array, context: Context) -> ComplexSpectrogram:  # noqa: ARG002 - the base's
        """Return the complex spectrogram."""
        values = scaled(values, self.options.full_scale)
        return ComplexSpectrogram(values=values, grid=self.grid, length=self.options.length)
