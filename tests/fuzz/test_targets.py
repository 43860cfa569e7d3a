"""A short run of every target, and the finds of long runs that are kept."""

import importlib
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INPUTS = {"readers": 400}

sys.path.insert(0, str(HERE / "targets"))


@pytest.mark.parametrize("name", sorted(path.stem for path in (HERE / "targets").glob("*.py")))
def test_mutated_inputs_raise_nothing_else(name, chance):
    target = importlib.import_module(name)
    seeds = list(target.seeds())
    for _ in range(INPUTS.get(name, 60)):
        target.execute(target.mutate(chance.choice(seeds), chance))


@pytest.mark.parametrize("path", sorted((HERE / "kept").glob("*.find")), ids=lambda path: path.stem)
def test_finds_stay_mended(path, capfd):
    name, _, data = path.read_bytes().partition(b"\n")
    importlib.import_module(name.decode()).execute(data)
    assert capfd.readouterr().err == ""
