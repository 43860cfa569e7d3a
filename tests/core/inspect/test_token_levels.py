"""Arrays of one file that are levels of codec tokens together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonearm.inspect import inspect_file
from tonearm.inspect.token_levels import with_levels
from tonearm.plugins.registry import default

RNG = np.random.default_rng(5)


def levels(*lengths: int, batch: tuple[int, ...] = ()) -> list[Any]:
    made = [RNG.integers(0, 4096, (*batch, length)) for length in lengths]
    for one in made:
        one.flat[0] = 4095
    return made


def inspected(tmp_path: Path, arrays: list[Any]) -> list[Any]:
    path = tmp_path / "a.npz"
    np.savez(path, *arrays)
    return with_levels(list(inspect_file(str(path), default())), default())


@pytest.mark.parametrize("batch", [(), (1,)])
def test_three_levels_are_of_snac(tmp_path: Path, batch: tuple[int, ...]) -> None:
    for one in inspected(tmp_path, levels(12, 24, 48, batch=batch)):
        assert one.guess.options == {"kind": "tokens", "layout": "snac-24k"}
        told = [(found.what, found.value) for found in one.guess.findings if found.what != "values"]
        assert told == [("kind", "tokens"), ("layout", "snac-24k"), ("sample_rate", "24000")]


def test_models_of_the_same_levels_are_all_named(tmp_path: Path) -> None:
    for one in inspected(tmp_path, levels(12, 24, 48, 96)):
        assert one.guess.options["layout"] == "?"
        assert one.guess.choices == {"layout": ["snac-32k", "snac-44k"]}


@pytest.mark.parametrize(
    "arrays",
    [levels(12, 24, 47), levels(12, 24), [*levels(12, 24), np.zeros(48)], [*levels(12), *levels(24, 48, batch=(1,))]],
)
def test_others_stay_as_they_are(tmp_path: Path, arrays: list[Any]) -> None:
    for one in inspected(tmp_path, arrays):
        assert one.guess.options.get("layout") != "snac-24k"
