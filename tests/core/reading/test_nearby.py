"""Values beside arrays: the nearest first, a level for each group, and configs behind the group that they describe."""

from __future__ import annotations

from collections import ChainMap

import pytest

from tonearm.reading.nearby import Nearby, end_of_group, is_config, letters_of, levels_of, with_configs

VALUES = {
    "sr": 8000,
    "config.sr": 16000,
    "config.audio.sr": 1,
    "a.sr": 22050,
    "a.meta.hop": 256,
    "a.b.text": "hi",
    "other.sr": 2,
}


@pytest.mark.parametrize(
    ("key", "levels"),
    [
        ("", [{"sr": 8000}, {"config.sr": 16000}]),
        ("wav", [{"sr": 8000}, {"config.sr": 16000}]),
        ("a.wav", [{"sr": 22050}, {"meta.hop": 256}, {"sr": 8000}, {"config.sr": 16000}]),
        ("a.b.wav", [{"text": "hi"}, {"sr": 22050}, {"meta.hop": 256}, {"sr": 8000}, {"config.sr": 16000}]),
        ("c/wav", [{"sr": 8000}, {"config.sr": 16000}]),
    ],
)
def test_levels(key: str, levels: list[dict[str, object]]) -> None:
    assert levels_of(Nearby(VALUES)(key)) == levels


def test_a_mapping_is_one_level() -> None:
    assert levels_of({"sr": 1}) == [{"sr": 1}]
    assert levels_of(ChainMap({"sr": 1}, {"sr": 2})) == [{"sr": 1}, {"sr": 2}]


@pytest.mark.parametrize(
    ("name", "expected"), [("Config", True), ("a/meta_data", True), ("x.hps", True), ("mel", False)]
)
def test_names_of_configs(name: str, expected: bool) -> None:
    assert is_config(name) is expected


def test_mappings_in_json_that_describe_it() -> None:
    inner = {"sr": 8000}
    mapping = {"config": inner, "audio": {"sr": 1}, "meta": 3}
    assert with_configs(mapping) == [mapping, inner]


def test_parts_of_names() -> None:
    assert letters_of("Sample-Rate_Hz") == "sampleratehz"
    assert [name[: end_of_group(name)] for name in ("wav", "a/wav", "0.npz/wav", "a.wav")] == ["", "a", "0.npz", "a"]
