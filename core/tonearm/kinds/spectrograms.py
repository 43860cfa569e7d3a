"""Spectrograms on the grid of a Fourier transform, and ``kind: complex``."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Generic, TypeVar

from msgspec import Meta

from tonearm.arrays.axes import is_fft_length
from tonearm.arrays.bands import bands_problems
from tonearm.arrays.folded_axes import COMPLEX, POLAR
from tonearm.errors import ChooseOption, ItemError, OptionError, Remedy, SetOption
from tonearm.kinds.grid_options import GridOptions, missing_option, missing_rate
from tonearm.kinds.scale import MAGNITUDE_LIMIT, scaled
from tonearm.plugins.context import Context
from tonearm.plugins.kind import Kind
from tonearm.plugins.ports import Spec
from tonearm.signals import ComplexSpectrogram, Spectrogram, StftGrid
from tonearm.signals.conventions import CONVENTIONS, ConventionOptions
from tonearm.signals.grid import EndBins

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

    def axis_parts(self) -> Mapping[str, slice]:
        """Return the bins that ``bands`` takes."""
        return self.options.axis_parts("bin")

    def spec(self) -> Spec:
        """Return the grid, its sample rate, and the length; no grid if the file has to say the sample rate."""
        options = self.described
        known = super().spec().replace(sample_rate=options.sample_rate, length=options.length)
        return known if options.sample_rate is None else known.carrying(self.grid)

    def problems(self, axes: Sequence[str] | None) -> Iterator[OptionError]:
        """Yield contradictions of the grid and of the axes."""
        options = self.described
        if options.sample_rate is None:
            yield missing_rate()
        missing = [name for name in ("n_fft", "hop_length") if getattr(options, name) is None]
        yield from (missing_option(name, f"the model's own, as a {self.name} spectrogram needs it") for name in missing)
        if not missing and options.sample_rate is not None:
            try:
                bins = options.grid().bins
            except OptionError as error:
                yield error
            else:
                yield from bands_problems(self.options.bands, bins, "bin")
        yield from options.padding_problems()
        yield from super().problems(axes)

    def size_error(self, message: str, array: Array, size: int | None, context: Context) -> ItemError:  # noqa: ARG002
        """Return the error with the layout or the n_fft that fits the array."""
        grid = self.grid if self.described.n_fft else None
        for axis, count in enumerate(array.shape):
            if grid and (remedy := self._fitting_layout(grid, array, axis, count)):
                return ItemError(message, code="bins-mismatch", remedies=(remedy,))
        if size is None:
            return ItemError(message, code="bins-mismatch", hint="check n_fft")
        missing = grid.plain().bins - grid.bins if grid else 0
        fitting = size if missing < 0 else 2 * (size + missing - 1)  # two sides have as many bins as n_fft
        remedies = (SetOption("n_fft", fitting, f"if the array has {size} bins"),) if is_fft_length(fitting) else ()
        return ItemError(message, code="bins-mismatch", remedies=remedies)

    def _fitting_layout(self, grid: StftGrid, array: Array, axis: int, count: int) -> Remedy | None:
        """Return the remedy for an axis with the bins of this n_fft in another layout; None if it has not."""
        plain = grid.plain().bins
        if count == plain and grid.sides != "one":
            return SetOption("sides", "one")
        if grid.sides != "one" or grid.end_bins != "both":
            return None
        if count == grid.n_fft:
            from tonearm.findings.layout import layout_along

            return SetOption("sides", layout_along(array, axis) or "two", f"as {count} is n_fft: both sides")
        if count in (plain - 1, plain - 2) and grid.n_fft % 2 == 0:
            if count == plain - 2:
                return SetOption("end_bins", "none", when="if the bins at both ends are missing")
            ends = _real_ends(array, axis)
            return (
                SetOption("end_bins", ends[0], f"as {count} is n_fft / 2, and the {ends[0]} bin is real")
                if len(ends) == 1
                else ChooseOption("end_bins", ("dc", "nyquist"), when="if the bin at one end is missing")
            )
        part = COMPLEX if self.dtype == "complex" else POLAR
        others = [n for other, n in enumerate(array.shape) if other != axis and n > 1]
        if count == 2 * plain and array.dtype.kind != "c" and len(others) == 1 and part in self.possible_axes:
            return folded_remedy(array, axis, part)
        return None


def _real_ends(array: Array, axis: int) -> list[EndBins]:
    """Return which ends of an axis of a complex array hold real values only, as the end bins of real samples do."""
    import numpy as np

    if array.dtype.kind != "c":
        return []
    names: dict[EndBins, int] = {"dc": 0, "nyquist": -1}
    limit = 1e-6 * float(np.abs(array).max())
    return [name for name, place in names.items() if np.abs(np.take(array, place, axis).imag).max() <= limit]


def folded_remedy(array: Array, axis: int, part: str) -> Remedy:
    """Return the remedy for an array of bins and frames that has both parts of its values in the axis of the bins."""
    from tonearm.findings.layout import layout_along

    found: str = layout_along(array, axis)
    names = (f"({part} bin)", f"(bin {part})")
    likely = {f"{part}-bin": names[:1], f"bin-{part}": names[1:]}.get(found, names)
    first = all(n == 1 for n in array.shape[:axis])
    if part == COMPLEX and POLAR in found:
        name = "(polar bin)" if found == "polar-bin" else "(bin polar)"
        order = [name, "frame"] if first else ["frame", name]
        return SetOption("kind", "magnitude", "as these are magnitudes and phases", also={"axes": order})
    orders = tuple([name, "frame"] if first else ["frame", name] for name in likely)
    return ChooseOption("axes", orders) if len(orders) > 1 else SetOption("axes", orders[0])


class ComplexKind(SpectrogramKind[ComplexSpectrogram, SpectrogramOptions]):
    """Complex values of a short-time Fourier transform."""

    optional_axes = ("complex",)
    dtype = "complex"

    def axes_of(self, array: Array) -> Sequence[str] | None:
        """Return the axes in which the library of the convention has real and imaginary parts of real arrays."""
        convention = self.options.convention
        axes = CONVENTIONS[convention].axes if convention and array.dtype.kind != "c" else ()
        rank = sum(size > 1 for size in array.shape)
        return next((axes[first:] for first in range(2) if len(axes) - first in (rank, array.ndim)), None)

    def read(self, values: Array, context: Context) -> ComplexSpectrogram:
        """Return the complex spectrogram."""
        from tonearm.kinds.doubts import doubt_complex  # not at the top: `check` reads no array

        doubt_complex(values, self.grid, context)
        values = scaled(values, self.options.full_scale)
        return ComplexSpectrogram(values=values, grid=self.grid, length=self.options.length)
