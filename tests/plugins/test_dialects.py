"""Presets of dialects: one recipe for each name, each complete, and aliases that lead to them."""

from __future__ import annotations

import tomllib
from collections import Counter
from importlib import resources

import pytest

from tonearm.api import MelDialect, OptionError
from tonearm.plugins.registry import default
from tonearm_plugins import dialects

PRESETS = dialects.presets()


def test_no_name_is_given_twice() -> None:
    """No name stands for two recipes: TOML or a merge of files would keep only one of them."""
    names: Counter[str] = Counter()
    for file in dialects.FILES:
        text = resources.files(dialects).joinpath(f"{file}.toml").read_text("utf-8")
        for name, recipe in tomllib.loads(text).items():
            names.update([name, *recipe.get("aliases", ())])
    assert [name for name, count in names.items() if count > 1] == []
    assert set(names) == set(PRESETS)


def test_every_file_of_the_folder_is_read() -> None:
    found = {path.name for path in resources.files(dialects).iterdir() if path.name.endswith(".toml")}
    assert found == {f"{file}.toml" for file in dialects.FILES}


REFUSED = {name for name, recipe in PRESETS.items() if "refused" in recipe}


@pytest.mark.parametrize("name", sorted(PRESETS.keys() - REFUSED - {"gansynth-hires-mel"}))
def test_every_name_is_a_dialect(name: str) -> None:
    found = default().catalogue(MelDialect).find(name)
    assert found.sample_rate > 0
    assert found.n_mels > 0


def test_a_recipe_without_sound_is_refused_with_its_reason_by_all_its_names() -> None:
    assert {"gansynth"} == REFUSED
    for name in ("gansynth", "gansynth-hires-mel"):
        with pytest.raises(OptionError, match="is refused: it holds phases"):
            default().catalogue(MelDialect).find(name)
