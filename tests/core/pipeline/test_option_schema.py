"""JSON Schema of options by their types: what is taken, and one message for what is not."""

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
from core_toys import RawWriter
from jsonschema import Draft202012Validator

from tonearm.api import Decibels, Duration, Meta, NoOptions
from tonearm.pipeline.option_schema import OptionSchemas, description_of


class Colour(enum.Enum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Record:
    size: int


@pytest.mark.parametrize(
    ("hint", "right", "wrong"),
    [
        (Colour, ["red"], ["green", 1, None]),
        (Literal["auto"] | Annotated[float, Meta(gt=0)] | None, ["auto", 1, 0.5, None], ["a", 0, [1]]),
        (int | str, [1, "a"], [1.5, None, {}]),
        (Annotated[int | str, Meta(ge=1)], [1, "a"], [0]),
        (Duration, [1, 0.5, "20 ms", "1.5s"], ["20", "20 dB", None]),
        (Annotated[Decibels | None, Meta(le=0)], [-3, "-3 dB", None], [1, "3 s"]),
        (Path | None, ["a", None], ["", 1]),
        (list[Path | int], [["a", 1], []], ["a", [None]]),
        (Record | str, ["a", {"size": 1}], [{}, {"size": "x"}, {"size": 1, "b": 2}, 3]),
        (dict[str, Record], [{}, {"a": {"size": 1}}], [{"a": 1}, [1]]),
        (tuple[int, str], [[1, "a"]], [[1], [1, 2], [1, "a", 2]]),
        (tuple[int, ...], [[], [1, 2]], [["a"]]),
        (Annotated[list[int], Meta(min_length=1)], [[1]], [[]]),
        (Literal["fast"] | str, ["fast", "slow"], [1]),
        (bool | None, [True, None], [1, "true"]),
    ],
    ids=str,
)
def test_types(hint, right, wrong):
    schemas = OptionSchemas()
    schema = schemas.of_type(hint)
    validator = Draft202012Validator({**schema, "$defs": schemas.definitions})
    for value in right:
        assert [error.message for error in validator.iter_errors(value)] == []
    for value in wrong:
        assert len(list(validator.iter_errors(value))) == 1


def test_examples_are_shown():
    @dataclass(frozen=True)
    class Options:
        mode: Annotated[str, Meta(examples=["a", "b"])] = "a"

    assert OptionSchemas().options(Options)["properties"]["mode"] == {
        "type": "string", "examples": ["a", "b"], "default": "a",
    }  # fmt: skip


def test_options_of_a_plugin():
    assert OptionSchemas().options(NoOptions) == {"type": "object", "properties": {}, "additionalProperties": False}
    assert OptionSchemas().options(RawWriter.__orig_bases__[0].__args__[1]) == {
        "type": "object",
        "properties": {
            "level": {"type": "number", "exclusiveMinimum": 0.0, "maximum": 1.0, "description": "Loudness."},
            "most": {
                "type": ["integer", "null"],
                "minimum": 1,
                "description": "Channels at most.",
                "default": None,
            },
        },
        "additionalProperties": False,
        "required": ["level"],
    }


def test_the_description_is_the_first_line():
    assert description_of(RawWriter) == "Write float32 samples and nothing else."

    class Silent:
        pass

    assert description_of(Silent) == ""
