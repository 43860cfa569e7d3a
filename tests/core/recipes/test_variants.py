"""Variants of a recipe: each reads values that were made with its figures, and is the first that is proposed."""

import numpy as np
import pytest

from tonearm.recipes.linear import LinearRecipe
from tonearm.recipes.mel import MelDialect
from tonearm.recipes.steps import RecipeStep
from tonearm.recipes.variants import has_plausible_level, variants_of

GRID = {"sample_rate": 22050, "n_fft": 1024, "hop_length": 256}
NATURAL = MelDialect(name="natural", **GRID, n_mels=80, fmax=8000.0)
LIMITED = MelDialect(
    **(GRID | {"n_mels": 80, "exponent": 2, "log": "log10", "log_factor": 10.0, "floor": 1e-10, "reference": "max"}),
    name="limited",
    steps=(RecipeStep(op="below-max", below=80.0),),
)
DECIBELS = LinearRecipe(name="decibels", **GRID, log="log10", log_factor=20.0)


def linear(exponent=1):
    """Return magnitudes of speech at -7 dBFS, or their powers: from silence to 4."""
    decades = np.random.default_rng(3).uniform(-3.5, np.log10(4), (1, 80, 200))
    values = 10**decades
    values[..., -5:] = 0
    return values**exponent


def proposed(given, made):
    values = made.to_native(linear(made.exponent))
    assert given.contradiction(values.min(), values.max())
    return variants_of(given, float(values.min()), float(values.max())), values


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        (NATURAL, {"input_scale": 32768}),
        (NATURAL, {"floor": 1e-9}),
        (NATURAL, {"floor": 1e-8}),
        (NATURAL, {"exponent": 2, "floor": 1e-10}),
        (NATURAL, {"log": "log10", "log_factor": 20.0}),
        (NATURAL.replace(log="log10"), {"log": "ln"}),
        (LIMITED, {"reference": 1.0}),
        (LIMITED, {"steps": ()}),
        (LIMITED, {"reference": 1.0, "steps": ()}),
        (LIMITED, {"reference": 1.0, "input_scale": 32768}),
        (LIMITED.replace(reference=1.0), {"steps": (), "input_scale": 32768}),
        (DECIBELS, {"input_scale": 32768}),
        (DECIBELS, {"floor": 1e-7}),
    ],
)
def test_the_variant_that_values_were_made_with_is_among_the_first_two(given, changes):
    found, values = proposed(given, given.replace(**changes))
    read = [recipe.to_linear(values) for _, recipe, _ in found[:2]]
    truth = given.replace(**changes).to_linear(values)
    assert any(np.allclose(one, truth, rtol=1e-3, atol=1e-6) for one in read), [one[0] for one in found]
    assert all(when.startswith("if ") for _, _, when in found)


def test_a_variant_has_no_change_that_it_does_not_need():
    found, _ = proposed(LIMITED, LIMITED.replace(reference=1.0))
    assert [changed for changed, _, _ in found] == [{"base": "limited", "reference": 1.0}]
    assert found[0][2] == "if 1 is its reference"


def test_conditions_are_joined():
    found, _ = proposed(LIMITED, LIMITED.replace(reference=1.0, steps=()))
    assert found[0][0] == {"base": "limited", "reference": 1.0, "steps": ()}
    assert found[0][2] == "if 1 is its reference and there was no top_db"


def test_linear_values_are_read_without_a_logarithm():
    values = linear() * 60
    found = variants_of(NATURAL, 0.0, float(values.max()))
    assert [changed for changed, _, _ in found] == [
        {"base": "natural", "log": "none"},
        {"base": "natural", "log": "none", "exponent": 2},
    ]


def test_other_floors_do_not_count_if_a_known_recipe_fits():
    assert variants_of(NATURAL, -18.42, 0.3, floors=False) == []
    assert variants_of(NATURAL, -18.42, 0.3)


def test_a_recipe_without_a_name_or_with_statistics_has_no_variants():
    assert variants_of(NATURAL.replace(name=""), -18.42, 0.3) == []
    assert variants_of(NATURAL.replace(mean=0.0, std=1.0), -18.42, 0.3) == []


@pytest.mark.parametrize(
    ("recipe", "low", "high", "plausible"),
    [
        (NATURAL, -11.5, 0.3, True),
        (NATURAL, -11.5, -7.0, False),  # 110 dB below full scale
        (NATURAL.replace(log="none"), 33.0, 113.0, False),  # as decibels have, 11 dB apart
        (NATURAL.replace(log="none"), 1e-4, 1.5, True),
        (NATURAL.replace(log="none"), 0.0, 1.5, True),
        (NATURAL.replace(log="none"), 2.0, 2.0, True),
    ],
)
def test_the_level_of_a_sound_is_plausible(recipe, low, high, plausible):
    assert has_plausible_level(recipe, low, high) is plausible
