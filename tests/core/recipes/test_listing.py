"""Columns of listings: logarithms and ranges in a few characters."""

import pytest

from tonearm.recipes.linear import LinearRecipe
from tonearm.recipes.listing import shown_logarithm, shown_range
from tonearm.recipes.steps import RecipeStep


@pytest.mark.parametrize(
    ("figures", "shown"),
    [
        ({"log": "none"}, "none"),
        ({}, "ln"),
        ({"log": "log10", "log_factor": 20.0}, "20 log10"),
        ({"log": 3.0}, "log3"),
    ],
)
def test_a_logarithm(figures, shown):
    assert shown_logarithm(LinearRecipe(**figures)) == shown


@pytest.mark.parametrize(
    ("figures", "shown"),
    [
        ({"log": "none"}, "0 … inf"),
        ({"log": "none", "n_fft": 1024}, "0 … 4096"),
        ({"steps": (RecipeStep(op="clip", min=-0.001, max=1.0),)}, "0 … 1"),
        ({"log": "log10", "steps": (RecipeStep(op="below-max", below=8),)}, "-5 … inf, span 8"),
        ({"steps": (RecipeStep(op="subtract-max"), RecipeStep(op="below-max", below=8))}, "-8 … 0"),
        ({"statistics": "utterance"}, "standardised"),
    ],
)
def test_a_range(figures, shown):
    assert shown_range(LinearRecipe(**figures)) == shown
