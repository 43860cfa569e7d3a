"""Columns of the table of linear recipes."""

from tonearm.recipes.linear import LinearRecipe
from tonearm.recipes.linear_command import LISTING
from tonearm.recipes.steps import RecipeStep


def test_a_whole_recipe_and_an_open_one():
    step = RecipeStep(op="clip", min=0.0, max=1.0)
    whole = LinearRecipe(sample_rate=8000, n_fft=16, hop_length=4, preemphasis=0.97, log="log10", steps=(step,))
    assert LISTING.row(whole) == ("8000", "16", "4", "16", "0.97", "1", "log10", "0 … 1")
    assert LISTING.row(LinearRecipe(exponent=2, log="none"))[:6] == ("any", "any", "any", "any", "none", "2")
    assert len(LISTING.head) == 1 + len(LISTING.row(whole))
