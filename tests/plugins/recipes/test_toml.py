"""Figures in TOML files: every table is a recipe, and its aliases lead to it."""

from __future__ import annotations

import tomllib
from importlib import resources

from tonearm_plugins import dialects, recipes
from tonearm_plugins.recipes.toml import figures_by_name


def test_aliases_come_before_their_recipe_and_have_nothing_but_a_base() -> None:
    found = figures_by_name("tonearm_plugins.recipes", ["linear"])
    assert found["tacotron-r9y9"] == {"base": "tacotron-keithito"}
    assert "aliases" not in found["tacotron-keithito"]
    assert found["tacotron-keithito"]["hop_length"] == 250
    assert list(found).index("tacotron-r9y9") < list(found).index("tacotron-keithito")


def test_all_files_are_read() -> None:
    for package, found in ((dialects, dialects.presets()), (recipes, recipes.linear_recipes())):
        texts = [path.read_text("utf-8") for path in resources.files(package).iterdir() if path.name.endswith(".toml")]
        names = {name for text in texts for name in tomllib.loads(text)}
        assert names <= set(found)
