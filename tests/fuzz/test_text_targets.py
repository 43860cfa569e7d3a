"""A short run of the targets whose inputs are text: journals, pipelines, options and recipes."""

import importlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "targets"))


@pytest.mark.parametrize("name", ["journals", "pipelines", "options", "recipes"])
def test_mutated_inputs_raise_nothing_else(name, chance):
    target = importlib.import_module(name)
    seeds = list(target.seeds())
    for _ in range(60):
        target.execute(target.mutate(chance.choice(seeds), chance))
