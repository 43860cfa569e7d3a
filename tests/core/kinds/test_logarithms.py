"""The logarithm of negative values is told by their range: decibels, ln, log10 or log2."""

import math

import numpy as np
import pytest

from tonearm.errors import ChooseOption, SetOption
from tonearm.kinds.logarithms import logarithm_remedies, recipes_of
from tonearm.recipes.linear import LinearRecipe

WHEN = "if these are logarithms of magnitudes"
RNG = np.random.default_rng(0)
SPEECH = np.abs(RNG.standard_normal(20000)) * np.geomspace(1e-6, 10, 20000)
NOISE = np.abs(RNG.standard_normal(20000) + 1j * RNG.standard_normal(20000))


def remedies(values):
    return logarithm_remedies(float(values.min()), float(values.max()))


@pytest.mark.parametrize("magnitudes", [SPEECH, NOISE], ids=["speech", "noise"])
@pytest.mark.parametrize("floor", [1e-10, 1e-5])
def test_decibels(magnitudes, floor):
    assert remedies(20 * np.log10(magnitudes + floor)) == (SetOption("kind", "db", when="if these are decibels"),)


@pytest.mark.parametrize(("name", "log"), [("ln", np.log), ("log10", np.log10), ("log2", np.log2)])
@pytest.mark.parametrize("floor", [1e-5, 1e-6])
def test_a_floor_tells_the_logarithm(name, log, floor):
    recipe = {"log": name} if floor == 1e-5 else {"log": name, "floor": pytest.approx(floor)}
    assert remedies(log(np.maximum(SPEECH, floor))) == (SetOption("recipe", recipe, when=WHEN),)


@pytest.mark.parametrize(("name", "log"), [("ln", np.log), ("log10", np.log10), ("log2", np.log2)])
def test_without_a_floor_the_logarithm_is_among_those_proposed(name, log):
    (remedy,) = remedies(log(SPEECH + 3e-8))
    values = remedy.values if isinstance(remedy, ChooseOption) else (remedy.value,)
    assert name in [value["log"] for value in values]


def test_recipes_are_those_of_the_range_or_of_the_exact_floor():
    assert [one["log"] for one in recipes_of(-11.0, 4.0)] == ["ln", "log2"]
    assert recipes_of(math.log(1e-6), 4.0) == ({"log": "ln", "floor": pytest.approx(1e-6)},)
    assert recipes_of(-0.5, 0.5) == ()


def test_what_is_no_logarithm_of_sound():
    assert logarithm_remedies(-1.0, 1.0) == ()


@pytest.mark.parametrize(("name", "log"), [("ln", np.log), ("log10", np.log10), ("log2", np.log2)])
def test_logarithms_of_powers_are_read_by_the_recipe_that_is_advised(name, log):
    values = log(SPEECH**2 + 1e-10)
    first = logarithm_remedies(float(values.min()), float(values.max()), exponent=2)[0]
    figures = {"log": name, "exponent": 2, "floor": 1e-10}
    assert first == SetOption("kind", "magnitude", "if these are logarithms of powers", also={"recipe": figures})
    recipe = LinearRecipe(n_fft=1024, log=name, exponent=2, floor=1e-10)
    assert recipe.contradiction(float(values.min()), float(values.max())) == ""
    loud = SPEECH > 1e-3
    np.testing.assert_allclose(recipe.to_magnitude(values)[loud], SPEECH[loud], rtol=1e-3)


@pytest.mark.parametrize(("name", "log"), [("ln", np.log), ("log10", np.log10), ("log2", np.log2)])
@pytest.mark.parametrize("floored", [lambda x: np.maximum(x, 1e-10), lambda x: x + 1e-10], ids=["floor", "added"])
@pytest.mark.parametrize("level", [1, 0.01])
def test_powers_read_as_magnitudes_show_by_their_floor(name, log, floored, level):
    first = remedies(log(floored((level * SPEECH) ** 2)))[0]
    value = first.values[0] if isinstance(first, ChooseOption) else first.value
    assert {**value, "floor": f"{value['floor']:.3g}"} == {"log": name, "exponent": 2, "floor": "1e-10"}


@pytest.mark.parametrize("log", [np.log, np.log10, np.log2])
@pytest.mark.parametrize("floor", [1e-5, 1e-4, 1e-6])
def test_a_usual_floor_of_magnitudes_is_none_of_powers(log, floor):
    (remedy,) = remedies(log(np.maximum(SPEECH, floor)))
    assert "exponent" not in str(remedy)


def test_decibels_at_a_floor_stay_decibels():
    for values in (10 * np.log10(np.maximum(SPEECH**2, 1e-10)), 20 * np.log10(np.maximum(SPEECH, 1e-4))):
        assert remedies(values) == (SetOption("kind", "db", when="if these are decibels"),)


def test_decibels_are_not_taken_for_logarithms_of_powers():
    values = 10 * np.log10(SPEECH**2 + 3e-10)
    assert logarithm_remedies(float(values.min()), float(values.max()), exponent=2) == (
        SetOption("kind", "db", when="if these are decibels"),
    )
