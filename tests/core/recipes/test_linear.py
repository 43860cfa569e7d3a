"""Recipes of linear spectrograms: the way there and back, what is open, and their limits."""

import math

import numpy as np
import pytest

from tonearm.errors import ItemError, OptionError
from tonearm.recipes.linear import LinearRecipe

MAGNITUDE = np.geomspace(1e-3, 10, 2 * 9 * 5).reshape(2, 9, 5)


@pytest.mark.parametrize(
    ("figures", "formula"),
    [
        ({"log": "none"}, lambda x: x),
        ({"log": "none", "exponent": 2}, lambda x: x**2),
        ({"log": "none", "exponent": 0.3}, lambda x: x**0.3),
        ({"log": "none", "magnitude_guard": 1e-4}, lambda x: np.sqrt(x**2 + 1e-4)),
        ({"log": "none", "input_scale": 32768.0}, lambda x: x * 32768),
        ({}, lambda x: np.log(np.maximum(x, 1e-5))),
        ({"log": 3.0}, lambda x: np.log(x) / math.log(3)),
        ({"log": 0.5}, lambda x: -np.log2(x)),
        ({"log": "log10", "log_factor": 20.0, "reference": 2e-5}, lambda x: 20 * np.log10(x / 2e-5)),
        ({"log": "log2", "offset": -3.0, "exponent": 2, "floor": 1e-7}, lambda x: 2 * np.log2(x) - 3),
        ({"floor": 1.0, "floor_mode": "add"}, np.log1p),
        ({"mean": tuple(range(9)), "std": 2.0}, lambda x: (np.log(x) - np.arange(9.0)[:, None]) / 2),
    ],
)
def test_values_are_as_the_formula_says_and_come_back(figures, formula):
    recipe = LinearRecipe(**figures)
    native = recipe.to_native(MAGNITUDE)
    np.testing.assert_allclose(native, formula(MAGNITUDE), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(recipe.to_linear(native), MAGNITUDE, rtol=1e-9)
    single = recipe.to_linear(native.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, MAGNITUDE, rtol=2e-3)
    assert recipe.contradiction(native.min(), native.max()) == ""


def test_preemphasis_is_a_factor_of_each_bin():
    recipe = LinearRecipe(log="none", preemphasis=0.97)
    response = np.abs(np.fft.rfft([1, -0.97], 16))[:, None]
    np.testing.assert_allclose(recipe.to_native(MAGNITUDE), MAGNITUDE * response, rtol=1e-12)
    np.testing.assert_allclose(recipe.to_linear(MAGNITUDE * response), MAGNITUDE, rtol=1e-12)


def test_values_that_no_float_holds_are_refused():
    with pytest.raises(ItemError, match=r"values up to 1000 are too great for the recipe mine") as caught:
        LinearRecipe(name="mine").to_linear(np.full((1, 9, 2), 1000.0))
    assert caught.value.code == "recipe-mismatch"


def test_statistics_of_the_utterance_cannot_be_undone():
    recipe = LinearRecipe(name="mine", statistics="utterance")
    np.testing.assert_allclose(recipe.to_native(MAGNITUDE).mean(axis=-1), 0, atol=1e-9)
    with pytest.raises(ItemError, match="values in the recipe mine are standardised by each utterance's own") as caught:
        recipe.to_linear(MAGNITUDE)
    assert caught.value.problem.hint == "recipe: {base: mine, mean: […], std: […]}, one number a band, or one for all"


def test_the_grid_is_open_unless_all_of_it_is_given():
    assert LinearRecipe(n_fft=16, hop_length=4).grid is None
    whole = LinearRecipe(n_fft=16, hop_length=4, sample_rate=8000)
    assert (whole.grid.win_length, whole.grid.window, whole.grid.padding) == (16, "hann", "center")
    assert whole.row_count == 9
    assert LinearRecipe().row_count is None


def test_the_range_is_open_where_the_window_is():
    assert LinearRecipe(log="none").range.high == math.inf
    known = LinearRecipe(log="none", n_fft=1024)
    assert known.range.high == 4 * 1024
    assert known.contradiction(0, 1e5).startswith("the largest value is 100000, but in spelled out none is above 4096")


@pytest.mark.parametrize("figures", [{"exponent": 60}, {"exponent": 2, "input_scale": 1e300}])
def test_the_range_is_open_where_no_float_holds_its_end(figures):
    recipe = LinearRecipe(n_fft=1 << 20, **figures)
    assert recipe.range.high == math.inf
    assert recipe.contradiction(0, 1e5) == ""


@pytest.mark.parametrize(
    ("figures", "option", "message"),
    [
        ({"n_fft": 16, "hop_length": 20, "sample_rate": 8000}, "hop_length", "cannot be inverted at hop_length 20"),
        ({"n_fft": 16, "mean": (1.0, 2.0), "std": 1.0}, "mean", "mean has 2 numbers for 9 bins"),
    ],
)
def test_what_does_not_fit(figures, option, message):
    with pytest.raises(OptionError, match=message) as caught:
        LinearRecipe(**figures)
    assert caught.value.option == option
