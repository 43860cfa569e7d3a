"""The language of recipes: contradictions, ranges, differences, and the search for recipes that fit."""

import math

import numpy as np
import pytest

from tonearm.errors import Advice, ChooseOption, OptionError, SetOption
from tonearm.recipes.catalogue import Catalogue, CatalogueEntry
from tonearm.recipes.linear import LinearRecipe
from tonearm.recipes.mel import MelDialect
from tonearm.recipes.recipe import LOGARITHM_BASES, Recipe, grid_of, matching, matching_remedies
from tonearm.recipes.steps import RecipeStep


@pytest.mark.parametrize(
    ("figures", "option", "message"),
    [
        ({"log": 1.0}, "log", "a logarithm cannot have the base 1"),
        ({"floor": 0.0}, "floor", "silence has no logarithm without a floor"),
        ({"log": "none", "reference": 2.0}, "reference", "'reference' has no effect without a logarithm"),
        ({"log": "none", "offset": 2.0}, "offset", "'offset' has no effect without a logarithm"),
        ({"std": 1.0}, "mean", "statistics are a mean and a std; 'mean' is missing"),
        ({"mean": 0.0, "std": (1.0, 0.0)}, "std", "a std of 0 cannot divide values"),
    ],
)
def test_what_contradicts_itself(figures, option, message):
    with pytest.raises(OptionError) as caught:
        LinearRecipe(**figures)
    assert (caught.value.option, caught.value.message) == (option, message)


def test_a_range_follows_reference_offset_and_base():
    recipe = LinearRecipe(n_fft=1024, log="log10", log_factor=20.0, floor=1e-5, reference=10.0, offset=3.0)
    assert recipe.range.low == pytest.approx(-100 - 20 + 3)
    assert recipe.range.high == pytest.approx(20 * math.log10(4096) - 20 + 3)
    assert recipe.range.unit == pytest.approx(20 * math.log10(2))
    falling = LinearRecipe(n_fft=1024, log=0.5, floor=2**-10)
    assert falling.range.low == pytest.approx(-12, abs=1e-3)
    assert falling.range.high == pytest.approx(10)


def test_a_reference_of_the_maximum_puts_the_greatest_value_at_the_offset():
    recipe = LinearRecipe(n_fft=1024, log="log10", log_factor=20.0, floor=1e-5, reference="max", offset=3.0)
    assert recipe.range.high == pytest.approx(3)
    assert recipe.range.low == pytest.approx(-100 - 20 * math.log10(4096) + 3)
    linear = np.geomspace(1e-4, 50, 513).reshape(1, 513, 1)
    native = recipe.to_native(linear)
    np.testing.assert_allclose(native, 20 * np.log10(linear / 50) + 3)
    np.testing.assert_allclose(recipe.to_linear(native), linear / 50, rtol=1e-6)


def test_bases_have_names():
    assert [LinearRecipe(log=name).log_base for name in LOGARITHM_BASES] == [math.e, 10.0, 2.0]
    assert LinearRecipe(log=3.0).log_base == 3.0


def test_figures_of_a_class_come_before_those_of_its_base():
    for cls in (LinearRecipe, MelDialect):
        names = cls.figure_names()
        assert sorted(names) == sorted(cls.__struct_fields__)
        assert names.index("sample_rate") < names.index("preemphasis") < names.index("source")
        assert issubclass(cls, Recipe)


def test_differences_show_what_changes_a_value():
    one = LinearRecipe(n_fft=1024, name="a", source="b")
    assert one.differences(one.replace(win_length=1024, name="c", notes="d")) == []
    other = one.replace(log=3.0, steps=(RecipeStep(op="flip"),))
    assert one.differences(other) == ["log 3 for ln", "steps 1 of its own for 0 of its own"]


def test_recipes_that_fit_come_with_the_nearest_floor_first():
    base = {"sample_rate": 8000, "n_fft": 16, "hop_length": 4}
    found = Catalogue(
        LinearRecipe,
        [
            CatalogueEntry("a", "deep", base | {"floor": 1e-9}),
            CatalogueEntry("a", "near", base),
            CatalogueEntry("a", "alias", {"base": "near"}),
            CatalogueEntry("a", "open", {}),
            CatalogueEntry("a", "broken", {"hop": 3}),
        ],
    )
    assert matching(found, [9, 30], -11.5, 1.0) == ["near", "deep"]
    assert matching(found, [8, 30], -11.5, 1.0) == []


BASE = {"sample_rate": 8000, "n_fft": 16, "hop_length": 4, "log": "log10", "log_factor": 20.0}
OF_ANOTHER_RATE = CatalogueEntry("a", "high", BASE | {"sample_rate": 16000})
FAMILIES = Catalogue(
    LinearRecipe,
    [
        CatalogueEntry("a", "loud", BASE | {"reference": "max"}),
        CatalogueEntry("a", "slow", BASE | {"hop_length": 8, "offset": 3.0}),
        CatalogueEntry("a", "other", BASE | {"window": "hamming", "offset": 3.0}),
        CatalogueEntry("a", "alike", BASE | {"window": "hamming"}),
        OF_ANOTHER_RATE,
    ],
)


def test_the_family_comes_first_and_what_changes_is_told():
    found = matching_remedies(FAMILIES.find("loud"), FAMILIES, [9], -99, 20)
    assert found == (
        SetOption("recipe", {"base": "loud", "reference": 1.0}, when="if 1 is its reference"),
        ChooseOption("recipe", ("alike", "other")),
        SetOption("recipe", "slow", when="with hop_length 8 for 4"),
    )


def test_another_sample_rate_is_proposed_only_if_nothing_else_fits():
    only = Catalogue(LinearRecipe, [CatalogueEntry("a", "low", BASE | {"floor": 1e-2}), OF_ANOTHER_RATE])
    (found,) = matching_remedies(LinearRecipe(**BASE | {"floor": 1e-2}), only, [9], -99, 20)
    assert found == SetOption("recipe", "high", when="with sample_rate 16000 for 8000")


@pytest.mark.parametrize(("high", "proposed"), [(0.0, True), (0.01, True), (-3.0, False), (-40.0, False)])
def test_the_maximum_is_proposed_as_reference_only_where_values_reach_it(high, proposed):
    given = LinearRecipe(name="one", n_fft=16, log="log10", log_factor=20.0, floor=1e-3)
    found = matching_remedies(given, FAMILIES, [9], -79.0, high)
    remedy = SetOption("recipe", {"base": "one", "reference": "max"}, when="if max is its reference")
    assert (remedy in found) is proposed


def test_no_recipe_fits():
    (advice,) = matching_remedies(FAMILIES.find("loud"), FAMILIES, [9], -999, 20)
    assert advice == Advice("no known recipe fits; you can write out all figures of one")


def test_a_grid_takes_what_the_recipe_has():
    grid = grid_of(LinearRecipe(sample_rate=8000, n_fft=16, hop_length=4, window="hamming", padding="none"))
    assert (grid.win_length, grid.window, grid.padding, grid.pad_mode) == (16, "hamming", "none", "constant")
