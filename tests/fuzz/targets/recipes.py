"""Figures of dialects, linear recipes and layouts, as packages give them in TOML and as pipelines spell them out."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Iterable
from importlib import resources
from typing import Any

import numpy as np

from tonearm.api import LinearRecipe, MelDialect, TokenLayout
from tonearm.errors import ItemError, OptionError, PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.document import from_plain
from tonearm.plugins import registry
from tonearm.recipes.catalogue import Catalogue, CatalogueEntry
from tonearm.recipes.tokens.command import shown_raw
from tonearm.recipes.tokens.reading import read_tokens

CLASSES = {"dialect": MelDialect, "recipe": LinearRecipe, "layout": TokenLayout}
FILES = {
    "dialect": ("tonearm_plugins.dialects", ("features", "music", "speech", "vocoders")),
    "recipe": ("tonearm_plugins.recipes", ("linear",)),
    "layout": ("tonearm_plugins.layouts", ("language_models", "codecs")),
}

HOSTILE: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2, 0.5, 1e9, 1e308, 1e-308, -1e-9, float("inf"), float("nan"), 1 << 31, 1 << 62, "", "x",
    "natural", "log10", "slaney", "htk", "hann", "center", "x" * 300, "\x1b[1m", [], {}, [[]], [1, 2], [1.0, None],
    {"a": 1},
    "none", [{"kind": "add", "value": 1}], [{}], [None], "a", 22050, 80, 1024, 256, 8000.0, -11.5, 1e-5,
)  # fmt: skip
"""Values that are put in the place of figures."""


def seeds() -> Iterable[bytes]:
    """Yield each recipe that has figures of its own."""
    for noun, (package, files) in FILES.items():
        for file in files:
            text = resources.files(package).joinpath(f"{file}.toml").read_text("utf-8")
            for name, figures in tomllib.loads(text).items():
                figures.pop("aliases", None)
                yield json.dumps({"noun": noun, "recipes": {name: figures, "other": {"base": name}}}).encode()


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Change figures, their names and their bases."""
    given = json.loads(data)
    for _ in range(rng.randint(1, 3)):
        figures = given["recipes"][rng.choice(list(given["recipes"]))]
        if not isinstance(figures, dict):
            continue
        chance = rng.random()
        if chance < 0.1:
            figures["base"] = rng.choice([*given["recipes"], "hifigan", "\x1b[1m", 1, None, "", "a/b"])
        elif chance < 0.2 and figures:
            figures.pop(rng.choice(list(figures)))
        else:
            name = rng.choice([*figures, *CLASSES[given["noun"]].figure_names(), "refused", "x"])
            figures[name] = _changed(figures.get(name), rng)
    return json.dumps(given).encode()


def _changed(value: Any, rng: random.Random) -> Any:
    """Return a figure with one value changed."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        return {**value, key: _changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = rng.randrange(len(value))
        return [*value[:place], _changed(value[place], rng), *value[place + rng.choice([1, 1, 0]) :]]
    if isinstance(value, (int, float)) and rng.random() < 0.5:
        return rng.choice([-value, value * 2, value / 3, value + 1])
    return rng.choice(HOSTILE)


def execute(data: bytes) -> None:
    """Build recipes. What is accepted can be used: no finite value of its range becomes NaN, nothing raises.

    A layout gives tokens or the error of an item, whatever it is given.
    """
    given = json.loads(data)
    cls = CLASSES[given["noun"]]
    entries = [CatalogueEntry("fuzz", name, figures) for name, figures in given["recipes"].items()]
    catalogue: Catalogue[Any] = Catalogue(cls, entries)
    for name in given["recipes"]:
        try:
            found = catalogue.find(name)
        except OptionError as error:
            assert f"{error.message}{error.hint}".replace("\n", "").isprintable(), ascii(str(error))
            continue
        (_use_layout if cls is TokenLayout else _use)(found)
    for figures in given["recipes"].values():
        if isinstance(figures, dict):
            _spell_out(given["noun"], figures)


STEPS = {"dialect": ["mel-to-wave"], "recipe": ["griffin-lim"], "layout": []}
"""Steps of a pipeline that spells one out."""

MOST_ROWS = 100_000
"""Rows of the largest array that is made for a recipe: one may ask for billions, which no file would hold."""


def _use(recipe: Any) -> None:
    """Ask a recipe what its users ask."""
    assert recipe.range
    if recipe.refusal is None and (recipe.row_count or 1) <= MOST_ROWS:
        with np.errstate(all="ignore"):
            recipe.to_native(np.array([[0.0, 1e-3, 1.0]] * (recipe.row_count or 1), np.float32))
            recipe.contradiction(-1.0, 1.0)


RAW: tuple[Any, ...] = (
    np.arange(90), np.arange(90).reshape(9, 10), np.arange(90, dtype=np.uint16).reshape(2, 9, 5), np.zeros((0, 3), int),
    np.full((4, 4, 6), 1024), np.array([[0.5]]), [np.arange(3), np.arange(6), np.arange(12)],
    "<custom_token_10><custom_token_4107><|s_3|><|c1_1|><|c2_2|><|speech_9|>", "", ["<|c1_1|><|c2_2|>"] * 2,
)  # fmt: skip
"""Arrays and texts that layouts are given."""


def _use_layout(layout: TokenLayout) -> None:
    """Show a layout, and read with it."""
    assert shown_raw(layout)
    for raw in RAW:
        try:
            found = list(read_tokens(layout, raw))
        except ItemError as error:
            found = [error]
        for one in found:
            if isinstance(one, ItemError):
                assert f"{one.message}{one.hint}".replace("\n", "").isprintable(), ascii(str(one))
            else:
                assert one.frames > 0


def _spell_out(noun: str, figures: dict[str, Any]) -> None:
    """Check a pipeline that spells a recipe out."""
    kind = {"dialect": "mel", "recipe": "magnitude", "layout": "tokens"}[noun]
    document = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": {"kind": kind, noun: figures}},
        "steps": [{"use": use} for use in STEPS[noun]],
        "outputs": [{"use": "npy-writer", "file": "{stem}-{index}.npy"}],
    }
    try:
        check(from_plain(document), None, registry.default())
    except PipelineError as error:
        for problem in error.problems:
            assert f"{problem.message}{problem.hint}".replace("\n", "").isprintable(), ascii(str(problem))
