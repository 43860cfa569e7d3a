"""The language of recipes: how the values of a spectrogram are computed from its magnitudes, and back."""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from tonearm.errors import ChooseOption, OptionError, Remedy, SetOption, advise
from tonearm.recipes.catalogue import Catalogue, Named
from tonearm.recipes.steps import SUBTRACT_MAX, WITHOUT_MAX, PositiveFloat, RecipeStep, ValueRange
from tonearm.signals import GRID_FIELDS, StftGrid

if TYPE_CHECKING:
    from typing import Self

    from tonearm.typing import Array

PositiveInt = Annotated[int, Meta(ge=1)]

LOGARITHM_BASES: dict[str, float] = {"ln": math.e, "log10": 10.0, "log2": 2.0}
"""Bases of the logarithms that have a name."""

MAX_NAMED = 8
"""Largest number of recipes of one grid that an error names."""

MAX_GROUPS = 3
"""Largest number of grids whose recipes an error names."""

METADATA = ("layout", "name", "source", "notes")
"""Fields that have no effect on values."""


class Recipe(Named, frozen=True, kw_only=True):
    """A recipe for the values of a spectrogram, without the grid of its analysis.

    The order of operations is: samples times ``input_scale``; pre-emphasis; magnitudes ``sqrt(|X|² + magnitude_guard)``
    to the power of ``exponent``; bands, if the recipe has any; floor; logarithm of the value divided by ``reference``,
    times ``log_factor``, plus ``offset``; ``steps``; statistics.

    Raises
    ------
    OptionError
        If figures contradict each other.
    """

    rows: ClassVar[str]
    """Word for the rows along the frequency axis: ``bins`` or ``mels``."""
    parts: ClassVar[Mapping[str, type[Struct]]] = {"steps": RecipeStep}

    input_scale: Annotated[float, Meta(description="Full scale of the analysed samples.", gt=0)] = 1.0
    preemphasis: Annotated[
        float, Meta(description="Fraction of each sample that is subtracted from the next.", ge=0, lt=1)
    ] = 0.0
    preemphasis_scope: Annotated[
        Literal["signal", "frame"],
        Meta(description="Scope of pre-emphasis: the whole signal, or each frame separately."),
    ] = "signal"
    remove_dc: Annotated[bool, Meta(description="Whether the mean of each frame is subtracted first.")] = False
    magnitude_guard: Annotated[
        float, Meta(description="Constant added to squared magnitudes under the square root.", ge=0)
    ] = 0.0
    exponent: Annotated[
        PositiveInt | PositiveFloat,
        Meta(description="Exponent of the magnitudes: 1 gives magnitudes, 2 gives powers."),
    ] = 1
    floor: Annotated[
        float, Meta(description="Floor of the linear values before the logarithm; no effect without one.", ge=0)
    ] = 1e-5
    floor_mode: Annotated[
        Literal["clamp", "add", "replace"],
        Meta(description="Use of the floor: clamp raises lower values to it, add adds it, replace replaces 0 by it."),
    ] = "clamp"
    log: Annotated[
        Literal["ln", "log10", "log2", "none"] | PositiveFloat,
        Meta(description="Logarithm: ln, log10, log2, none, or the base as a number."),
    ] = "ln"
    log_factor: Annotated[float, Meta(description="Factor of the logarithm, such as 20 for decibels.", gt=0)] = 1.0
    reference: Annotated[
        PositiveFloat | Literal["max"],
        Meta(
            description="Linear value that becomes 0 by the logarithm, before the offset; max is the largest value of"
            " each utterance."
        ),
    ] = 1.0
    offset: Annotated[
        float, Meta(description="Number added after the logarithm and its factor, such as -20 for decibels.")
    ] = 0.0
    steps: Annotated[tuple[RecipeStep, ...], Meta(description="Steps after the logarithm, in order.")] = ()
    statistics: Annotated[
        Literal["none", "stored", "utterance"],
        Meta(
            description="Standardisation of the final values: none, by statistics stored with the model, or by the"
            " statistics of each utterance."
        ),
    ] = "none"
    mean: Annotated[
        float | tuple[float, ...] | None, Meta(description="Mean, subtracted last: one number, or one per band.")
    ] = None
    std: Annotated[
        float | tuple[float, ...] | None,
        Meta(description="Standard deviation, divided by last: one number, or one per band."),
    ] = None

    def __post_init__(self) -> None:
        if self.log == "none":
            for option, neutral in (("reference", 1.0), ("offset", 0.0)):
                if getattr(self, option) != neutral:
                    raise OptionError(f"'{option}' has no effect without a logarithm", option=option)
        elif self.log == 1:
            raise OptionError("a logarithm cannot have the base 1", option="log")
        elif self.floor == 0:
            raise OptionError("silence has no logarithm without a floor", option="floor")
        if (self.mean is None) != (self.std is None):
            missing = "mean" if self.mean is None else "std"
            raise OptionError(f"statistics are a mean and a std; '{missing}' is missing", option=missing)
        rows = self.row_count
        for option in ("mean", "std"):
            values = getattr(self, option)
            if rows is not None and isinstance(values, tuple) and len(values) != rows:
                raise OptionError(f"{option} has {len(values)} numbers for {rows} {self.rows}", option=option)
        if self.std is not None and 0.0 in (self.std if isinstance(self.std, tuple) else (self.std,)):
            raise OptionError("a std of 0 cannot divide values", option="std")

    @property
    @abstractmethod
    def row_count(self) -> int | None:
        """Number of values of a frame; None if it is not determined."""

    @property
    @abstractmethod
    def highest_energy(self) -> float:
        """Largest linear value of sounds up to 12 dB over full scale; infinite if it is not determined."""

    @abstractmethod
    def to_native(self, linear: Array) -> Array:
        """Return a linear spectrogram as values of this recipe, float64."""

    @abstractmethod
    def to_linear(self, native: Array) -> Array:
        """Return values of this recipe as a linear spectrogram, ≥ 0."""

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some figures changed."""
        return replace(self, **changes)

    @property
    def log_base(self) -> float:
        """Base of the logarithm."""
        return LOGARITHM_BASES[self.log] if isinstance(self.log, str) else self.log

    @property
    def standardised(self) -> bool:
        """Whether the final values are standardised."""
        return self.statistics != "none" or self.mean is not None

    @property
    def refusal(self) -> str | None:
        """Reason why values cannot be converted to linear ones; None if they can."""
        if self.statistics == "none" or self.mean is not None:
            return None
        whose = "each utterance's own" if self.statistics == "utterance" else "the model's"
        return f"values in the {self.noun} {self.label} are standardised by {whose} statistics, which are not given"

    @property
    def needs_whole(self) -> tuple[str, str] | None:
        """Reason why a frame's values depend on the whole signal, and what to use in its place; None if they do not."""
        if self.statistics == "utterance" and self.mean is None:
            return "are standardised by each utterance's own statistics", "give fixed ones: mean: […] and std: […]"
        if self.reference == "max" and self.log != "none":
            return "are relative to the largest value (reference: max)", "give a number, such as reference: 1.0"
        for step in self.steps:
            if instead := WITHOUT_MAX.get(step.op):
                return f"are relative to the largest value (the step {step.op})", f"give steps with {instead}"
        return None

    def preemphasis_response(self, n_fft: int) -> Array:
        """Return the factor by which pre-emphasis scales each bin, ``|1 - a exp(-i w)|``.

        Parameters
        ----------
        n_fft
            Length of the Fourier transform in samples.

        Returns
        -------
        ndarray
            Factors of shape (n_fft // 2 + 1,), float64.
        """
        import numpy as np

        turn = np.exp(-2j * np.pi * np.arange(n_fft // 2 + 1) / n_fft)
        response: Array = np.abs(1 - self.preemphasis * turn)
        return response

    @functools.cached_property
    def range(self) -> ValueRange:
        """Range of the values of sounds up to 12 dB over full scale, before standardisation."""
        high = self.highest_energy
        if self.log == "none":
            found = ValueRange(0.0, high)
        else:
            unit = self.log_factor / math.log(self.log_base)
            shift = 0.0 if self.reference == "max" else self.offset - math.log(self.reference) * unit
            ends = [math.log(self.floor) * unit + shift, math.log(high + self.floor) * unit + shift]
            if self.floor_mode == "replace":
                ends[0] = -math.inf if unit > 0 else math.inf
            found = ValueRange(min(ends), max(ends), unit=math.log(2) * abs(unit) * self.exponent)
        relative = (SUBTRACT_MAX, RecipeStep(op="affine", offset=self.offset)) if self.reference == "max" else ()
        for step in (*relative, *self.steps):
            found = step.range(found)
        return found

    def contradiction(self, low: float, high: float) -> str:
        """Return how values from ``low`` to ``high`` contradict this recipe; an empty text if they do not.

        A factor of two (6 dB) beyond the range is tolerated, as models are inaccurate. Standardised values have no
        limits.
        """
        if self.standardised:
            return ""
        limits = self.range
        slack = limits.unit + 1e-3 * (high - low)
        if low < limits.low - slack:
            return f"the smallest value is {_shown(low)}, but in {self.label} none is below {_shown(limits.low)}"
        if high > limits.high + slack:
            return f"the largest value is {_shown(high)}, but in {self.label} none is above {_shown(limits.high)}"
        if high - low > limits.span + slack:
            return f"values span {_shown(high - low)}, but in {self.label} at most {_shown(limits.span)}"
        return ""

    def differences(self, other: Self) -> list[str]:
        """Return the figures in which another recipe differs, as in ``log ln for log10``.

        The order of axes does not count, because all signals have the same order.
        """
        found = []
        for name in self.figure_names():
            mine, theirs = self.effective(name), other.effective(name)
            if name not in METADATA and mine != theirs:
                found.append(f"{name} {_shown(theirs)} for {_shown(mine)}")
        return found

    def effective(self, name: str) -> object:
        """Return the value of a figure, with the default of one that other figures determine."""
        return getattr(self, name)

    def measured(self, values: Array) -> Array:
        """Return the part of the values that the statistics of an utterance cover."""
        return values


R = TypeVar("R", bound=Recipe)


def grid_of(recipe: Any) -> StftGrid:
    """Return the grid of a recipe that has the sample rate, n_fft and hop length.

    Raises
    ------
    OptionError
        If the figures contradict each other.
    """
    given = {name: getattr(recipe, name, None) for name in GRID_FIELDS}
    given["win_length"] = given["win_length"] or given["n_fft"]
    return StftGrid(**{name: value for name, value in given.items() if value is not None})


def matching(catalogue: Catalogue[R], shape: Iterable[int], low: float, high: float) -> list[str]:
    """Return the names of recipes that an array may be in, by its shape and extent; the nearest ones first."""
    sizes = set(shape)
    found: list[tuple[float, str]] = []
    for name, recipe in catalogue.usable():
        if recipe.row_count in sizes and not recipe.standardised and not recipe.contradiction(low, high):
            distance = abs(low - recipe.range.low) / recipe.range.unit if recipe.range.unit else math.inf
            found.append((distance, name))
    return [name for _, name in sorted(found)]


def matching_remedies(
    given: R, catalogue: Catalogue[R], shape: Iterable[int], low: float, high: float
) -> tuple[Remedy, ...]:
    """Return the remedies that name recipes that an array may be in, the family of the given recipe first.

    Variants of the given recipe come first. Recipes on another grid come with its figures, those with another sample
    rate last. If the array has the rows of the given recipe, they come only if no other recipe fits.

    Parameters
    ----------
    given
        Recipe that the array contradicts.
    catalogue
        Catalogue of known recipes.
    shape
        Sizes of the axes that may be the rows.
    low, high
        Smallest and largest value of the array.
    """
    from tonearm.recipes.variants import has_plausible_level, variants_of  # not at the top: only errors need it

    noun, sizes = catalogue.cls.noun, set(shape)
    named = ((name, catalogue.find(name)) for name in matching(catalogue, sizes, low, high))
    found = [(name, recipe) for name, recipe in named if has_plausible_level(recipe, low, high)]
    alike = any(all(getattr(recipe, figure) == getattr(given, figure) for figure in _GRID) for _, recipe in found)
    variants = variants_of(given, low, high, floors=not alike) if given.row_count in sizes else []
    groups: dict[tuple[int | None, ...], list[str]] = {}
    for name, recipe in sorted(found, key=lambda one: len(given.differences(one[1]))):
        if all(variant.differences(recipe) for _, variant, _ in variants):
            groups.setdefault(tuple(getattr(recipe, figure) for figure in _GRID), []).append(name)
    remedies: list[Remedy] = [SetOption(noun, changed, when=when) for changed, _, when in variants]
    rate = getattr(given, _GRID[0])
    grids = sorted(groups, key=lambda grid: grid[0] != rate)
    if given.row_count in sizes and (variants or any(grid[0] == rate for grid in grids)):
        grids = [grid for grid in grids if grid[0] == rate]
    for grid in grids[:MAX_GROUPS]:
        changes = [
            f"{figure} {value} for {mine}"
            for figure, value in zip(_GRID, grid, strict=True)
            if (mine := getattr(given, figure)) != value
        ]
        names, more = groups[grid][:MAX_NAMED], len(groups[grid]) - MAX_NAMED
        when = ", ".join(
            (*([f"or {more} more"] if more > 0 else ()), *([f"with {', '.join(changes)}"] if changes else ()))
        )
        remedies.append(SetOption(noun, names[0], when) if len(names) == 1 else ChooseOption(noun, tuple(names), when))
    return tuple(remedies) or advise(f"no known {noun} fits; you can write out all figures of one")


_GRID = ("sample_rate", "n_fft", "hop_length")
"""Figures that a recipe must not change silently: the pitch and the tempo of the sound depend on them."""


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{round(value, 9):g}"
    return f"{len(value)} of its own" if isinstance(value, tuple) else str(value)
