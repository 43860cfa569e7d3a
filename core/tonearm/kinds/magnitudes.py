"""``kind: magnitude``, ``power`` and ``db``: magnitudes of a Fourier transform, by the recipe of their values."""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Generic

from msgspec import Meta

from tonearm.arrays.extent import finite_extent_of, traits_of
from tonearm.arrays.values import limit_error
from tonearm.errors import ItemError, OptionError, SetOption
from tonearm.kinds.scale import MAGNITUDE_LIMIT, check_decibels, scaled, without_negatives
from tonearm.kinds.spectrograms import GridOpts, SpectrogramKind, SpectrogramOptions
from tonearm.plugins.context import Context
from tonearm.plugins.kind import ArrayTraits
from tonearm.recipes.conversion import require_finite, statistics_hint
from tonearm.recipes.doubts import doubt_of
from tonearm.recipes.linear import LinearRecipe
from tonearm.recipes.recipe import matching_remedies
from tonearm.signals import GRID_FIELDS, ComplexSpectrogram, MagnitudeSpectrogram

if TYPE_CHECKING:
    from tonearm.typing import Array


PLAIN = LinearRecipe(log="none")
"""Recipe of linear magnitudes."""

POWERS = LinearRecipe(exponent=2, log="none")
"""Recipe of squared magnitudes."""

DECIBELS = LinearRecipe(log="log10", log_factor=20.0)
"""Recipe of decibels; their floor does not matter, because they are only read."""


@dataclass(frozen=True, kw_only=True)
class MagnitudeOptions(SpectrogramOptions):
    """Options of magnitudes; figures of the grid may repeat those of the recipe."""

    recipe: Annotated[
        LinearRecipe | None,
        Meta(
            description="Recipe of values that are not plain magnitudes: a name, {base: NAME, sample_rate: 24000} to"
            " change a known one, or figures."
        ),
    ] = None


class RecipeKind(SpectrogramKind[MagnitudeSpectrogram, GridOpts], Generic[GridOpts]):
    """The base class of kinds whose values become linear magnitudes by a recipe."""

    phase_gives = ComplexSpectrogram

    @property
    @abstractmethod
    def recipe(self) -> LinearRecipe:
        """Recipe of the values."""

    @abstractmethod
    def checked(self, values: Array, traits: ArrayTraits, context: Context) -> Array:
        """Return the values if they can be of the recipe."""

    def read(self, values: Array, context: Context) -> MagnitudeSpectrogram:
        """Return the magnitudes."""
        return self.read_known(values, traits_of(values), context)

    def read_known(self, values: Array, traits: ArrayTraits, context: Context) -> MagnitudeSpectrogram:
        """Return linear magnitudes."""
        made = self.recipe.to_magnitude(self.checked(values, traits, context), positive=traits.low >= 0)
        self.doubt(made, values, traits, context)
        made = scaled(made, self.options.full_scale)
        return MagnitudeSpectrogram(values=made, grid=self.grid, length=self.options.length)

    def doubt(self, magnitudes: Array, values: Array, traits: ArrayTraits, context: Context) -> None:
        """Note a doubt if magnitudes are none of a sound. Further doubts about the same values add nothing."""
        given = getattr(self.options, "recipe", None)
        if not context.doubts:
            from tonearm.kinds.doubts import doubt_magnitudes  # not at the top: `check` reads no array

            name = given.label if given else ""
            doubt_magnitudes(magnitudes, values, traits, self.name, name, self.grid, context)

    def with_phase(self, signal: MagnitudeSpectrogram, phase: Array) -> ComplexSpectrogram:
        """Return a complex spectrogram of these magnitudes and phases."""
        from tonearm.arrays.complex_parts import from_magnitude_and_phase

        values = from_magnitude_and_phase(signal.values, phase)
        return ComplexSpectrogram(values=values, grid=signal.grid, length=signal.length)


class MagnitudeKind(RecipeKind[MagnitudeOptions]):
    """Magnitudes of a short-time Fourier transform, linear or by a recipe."""

    limit = math.inf  # that of plain magnitudes is checked here

    @functools.cached_property
    def recipe(self) -> LinearRecipe:
        """Recipe of the values, with the lengths of the grid, on which its range depends."""
        given = self.options.recipe
        if given is None:
            return PLAIN
        return given.replace(n_fft=self.grid.n_fft, win_length=self.grid.win_length)

    @functools.cached_property
    def described(self) -> MagnitudeOptions:
        """Options with the figures of the recipe's grid."""
        recipe = self.options.recipe
        figures = {name: getattr(recipe, name, None) for name in GRID_FIELDS}
        return replace(self.options, **{name: value for name, value in figures.items() if value is not None})

    def problems(self, axes: Sequence[str] | None) -> Iterator[OptionError]:
        """Yield options that contradict the recipe, and contradictions of the grid and of the axes."""
        recipe = self.options.recipe
        if recipe is not None:
            yield from self._recipe_problems(recipe)
        yield from super().problems(axes)

    def _recipe_problems(self, recipe: LinearRecipe) -> Iterator[OptionError]:
        if recipe.refusal:
            yield OptionError(recipe.refusal, option="recipe", code="no-statistics", hint=statistics_hint(recipe))
        fields: dict[str, Any] = MagnitudeOptions.__dataclass_fields__
        for name in GRID_FIELDS:
            given, figure = getattr(self.options, name, None), getattr(recipe, name, None)
            if figure is not None and given != figure and given != fields[name].default:
                changed = {"base": recipe.name or "NAME", name: given}
                message = f"'{name}' is part of the recipe {recipe.label}"
                remedies = (SetOption("recipe", changed, when="if the model differs"),)
                yield OptionError(message, option=name, remedies=remedies)
        try:
            _ = self.recipe
        except OptionError as error:
            if error.option in ("mean", "std"):  # those of the grid are reported with it
                yield OptionError(error.message, option="recipe")

    def checked(self, values: Array, traits: ArrayTraits, context: Context) -> Array:
        """Return magnitudes ≥ 0, or values within the range of the recipe.

        Raises
        ------
        ItemError
            If values contradict the recipe. The error names recipes that fit.
        """
        if self.options.recipe is None:
            peak = max(-traits.low, traits.high)
            if peak > MAGNITUDE_LIMIT:
                raise limit_error(self.name, peak, MAGNITUDE_LIMIT)
            return without_negatives(values, "magnitude", traits, context.warn)
        if reason := self.recipe.contradiction(traits.low, traits.high):
            catalogue = context.catalogue(LinearRecipe)
            remedies = matching_remedies(self.recipe, catalogue, [self.grid.bins], traits.low, traits.high)
            raise ItemError(reason, code="recipe-mismatch", remedies=remedies)
        if doubt := doubt_of(self.recipe, values, traits.low, traits.high, context.catalogue):
            context.doubt(doubt.message, code="dialect-doubtful", remedies=doubt.remedies)
        return values

    def read_known(self, values: Array, traits: ArrayTraits, context: Context) -> MagnitudeSpectrogram:
        """Return linear magnitudes.

        Raises
        ------
        ItemError
            If values contradict the recipe, or become too great.
        """
        if self.options.recipe is None:  # they are linear magnitudes already
            values = self.checked(values, traits, context)
            self.doubt(values, values, traits, context)
            values = scaled(values, self.options.full_scale)
            return MagnitudeSpectrogram(values=values, grid=self.grid, length=self.options.length)
        signal = super().read_known(values, traits, context)
        if self.recipe.standardised:  # values of others are within a range
            require_finite(self.recipe, signal.values, values, keep=True)
        return signal

    def size_error(self, message: str, array: Array, size: int | None, context: Context) -> ItemError:
        """Return the error, which names recipes that fit the array if the recipe determines the number of bins."""
        recipe = self.options.recipe
        if recipe is None or recipe.n_fft is None:
            return super().size_error(message, array, size, context)
        what = f"no axis of shape {array.shape} has {self.grid.bins} bins, like the recipe {recipe.label}"
        extent = finite_extent_of(array)
        catalogue = context.catalogue(LinearRecipe)
        remedies = matching_remedies(recipe, catalogue, array.shape, extent.low, extent.high)
        return ItemError(what, code="recipe-mismatch", remedies=remedies)


class PowerKind(RecipeKind[SpectrogramOptions]):
    """Squared magnitudes of a short-time Fourier transform."""

    limit = MAGNITUDE_LIMIT**2

    @property
    def recipe(self) -> LinearRecipe:
        """Recipe of powers."""
        return POWERS

    def checked(self, values: Array, traits: ArrayTraits, context: Context) -> Array:
        """Return powers ≥ 0."""
        return without_negatives(values, "power", traits, context.warn)


class DecibelKind(RecipeKind[SpectrogramOptions]):
    """Magnitudes of a short-time Fourier transform in decibels."""

    limit = math.inf

    @property
    def recipe(self) -> LinearRecipe:
        """Recipe of decibels."""
        return DECIBELS

    def checked(self, values: Array, traits: ArrayTraits, context: Context) -> Array:
        """Return the decibels, after a check of the greatest one."""
        from tonearm.kinds.doubts import doubt_decibels  # not at the top: `check` reads no array

        check_decibels(traits)
        doubt_decibels(values, traits, context)
        return values
