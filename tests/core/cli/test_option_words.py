"""What options take in words, with the plugins that fit, examples and the first version."""

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from core_toys import registry_of

from tonearm.api import Decibels, Duration, FilePath, MelDialect, Meta, Transform, Waveform
from tonearm.cli.option_words import nested_options, option_notes, option_type
from tonearm.plugins.options import declared_options
from tonearm.plugins.plugin import BESIDE


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Record:
    count: int = 1


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (Annotated[int | None, Meta(ge=1)], "whole number ≥ 1"), (Literal["a", "b"] | None, "a | b"),
        (Colour, "red | blue"), (Annotated[Duration, Meta(ge=0)], "number ≥ 0 or text such as 1.5 s"),
        (Decibels, "number or text such as -3 dB"), (FilePath | None, "path"), (Path, "path"),
        (str | bool, "true or false or text"),
        (list[Path], "list of path"), (tuple[int, str], "list of whole number and text"), (dict[str, int], "mapping"),
        (Record | str, "mapping or text"), (MelDialect | None, "dialect"),
        (Transform[Any, Any, Any] | None, "transform"),
        (Any, "any"),
    ],
    ids=str,
)  # fmt: skip
def test_types(hint, words):
    assert option_type(hint) == words


@dataclass(frozen=True)
class Tree:
    count: int = 1
    below: list["Tree"] | None = None


def test_options_of_mappings_are_found_in_every_type_but_not_inside_themselves():
    @dataclass(frozen=True)
    class Owner:
        tree: dict[str, Tree] | None = None
        either: Tree | Record | str = ""
        dialect: MelDialect | None = None

    found = {name: list(nested_options(one)) for name, one in declared_options(Owner).items()}
    assert [[cls for cls, _ in one] for one in found.values()] == [[Tree], [Record, Tree], []]
    ((_, inner),) = found["tree"]
    assert [one.name for one in inner] == ["count", "below"]
    assert [list(nested_options(one, (Tree,))) for one in inner] == [[], []]


@dataclass(frozen=True, kw_only=True)
class Options:
    step: Transform[Waveform, Waveform, Any] | None = None
    flat: Annotated[Transform[Any, Any, Any] | None, Meta(extra={BESIDE: True})] = None
    mode: Annotated[list[str] | None, Meta(examples=[["a", "b"], None], extra={"since": "0.2"})] = None
    plain: int = 1


def test_notes():
    notes = {name: list(option_notes(one, registry_of())) for name, one in declared_options(Options).items()}
    assert notes["step"] == ["Transforms: same. Give a name, or {use: NAME, with: {…}}."]
    assert notes["flat"] == [
        "Transforms: fog-to-mist, mist-to-wave, rain-to-wave, same. Their options stand beside it."
    ]
    assert notes["mode"] == ["Examples: [a, b], null.", "Since 0.2."]
    assert notes["plain"] == []
