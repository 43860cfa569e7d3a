"""JSON Schema of options by their types: what is taken, and one message for what is not."""

import datetime as dt
import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from core_toys import RawWriter, registry_of
from jsonschema import Draft202012Validator

from tonearm.api import Decibels, Duration, MelDialect, Meta, NoOptions, Transform, Waveform
from tonearm.pipeline.option_schema import OptionSchemas, description_of
from tonearm.plugins.plugin import BESIDE


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
        (tuple[int], [[1]], [[], [1, 2], ["a"]]),
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


def test_options_of_a_plugin():
    assert OptionSchemas().options(NoOptions) == {"type": "object", "properties": {}, "additionalProperties": False}
    schema = OptionSchemas().options(RawWriter.__orig_bases__[0].__args__[1])
    assert schema.pop("properties") == {
        "level": {"type": "number", "exclusiveMinimum": 0.0, "maximum": 1.0, "description": "Loudness."},
        "most": {"type": ["integer", "null"], "minimum": 1, "description": "Channels at most.", "default": None},
    }
    assert schema == {"type": "object", "additionalProperties": False, "required": ["level"]}


def test_the_description_is_the_first_line():
    assert description_of(RawWriter) == "Write float32 samples and nothing else."
    assert description_of(type("Silent", (), {})) == ""


@dataclass(frozen=True, kw_only=True)
class ScaleOptions:
    factor: Annotated[float, Meta(gt=0)]


@dataclass(frozen=True, kw_only=True)
class ShiftOptions:
    offset: int = 0


class Scale(Transform[Waveform, Waveform, ScaleOptions]):
    """Multiply the samples.

    There is more to say of it.
    """

    def apply(self, signal, context): ...


class Shift(Transform[Waveform, Waveform, ShiftOptions]):
    def apply(self, signal, context): ...


Step = Transform[Waveform, Waveform, Any]


@dataclass(frozen=True, kw_only=True)
class OwnerOptions:
    step: Step | None = None
    level: float = 1.0


@dataclass(frozen=True, kw_only=True)
class FlatOptions:
    flat: Annotated[Step | None, Meta(extra={BESIDE: True}, description="A step.")] = None
    level: Annotated[float, Meta(extra={BESIDE: True})] = 1.0


class Owner(Transform[Waveform, Waveform, OwnerOptions]):
    def apply(self, signal, context): ...


@dataclass(frozen=True, kw_only=True)
class ClashOptions:
    level: int = 1


class Clash(Transform[Waveform, Waveform, ClashOptions]):
    """Take an option of a name that the owner has."""

    def apply(self, signal, context): ...


@dataclass(frozen=True, kw_only=True)
class OddOptions:
    shape: "NoSuchName" = 0  # noqa: F821 - as under TYPE_CHECKING


class Odd(Transform[Waveform, Waveform, OddOptions]):
    def apply(self, signal, context): ...


@pytest.fixture(scope="module")
def toys():
    """Return a registry whose first transform has options that cannot be described."""
    return registry_of(transforms={"a-odd": Odd, "owner": Owner, "scale": Scale, "shift": Shift})


STEP = {"$ref": "#/$defs/transform.beside"}
SECONDS = {
    "pattern": r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*(us|µs|ms|s|min|h)\s*$", "examples": ["1.5 s"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (int, {"type": "integer"}),
        (int | None, {"type": ["integer", "null"]}),
        (bool, {"type": "boolean"}),
        (type(None), {"type": "null"}),
        (Annotated[int, Meta(ge=1, description="Not here.", examples=[2])], {"type": "integer", "minimum": 1}),
        (Literal["a", 1, None], {"enum": [1, "a", None]}),
        (Literal["a", "b"] | None, {"enum": ["a", "b", None]}),
        (Literal["a"] | str, {"type": "string", "examples": ["a"]}),
        (Literal[1, 2] | bool,
         {"type": ["integer", "boolean"], "allOf": [{"if": {"type": "integer"}, "then": {"enum": [1, 2]}}]}),
        (Literal["b"] | Colour, {"enum": ["red", "b"]}),
        (Any, {}),
        (Any | None, {}),
        (dict, {"type": "object"}),
        (dict[str, Any], {"type": "object"}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (list, {"type": "array"}),
        (list[int] | None, {"type": ["array", "null"], "items": {"type": "integer"}}),
        (Annotated[list[int], Meta(min_length=1, max_length=2)],
         {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2}),
        (Annotated[list[int], Meta(max_length=0)], {"type": "array", "items": {"type": "integer"}, "maxItems": 0}),
        (tuple, {"type": "array"}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (tuple[int, str], {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False,
                           "minItems": 2}),
        (list[int] | list[str], {"type": "array",
         "anyOf": [{"items": {"type": "integer"}}, {"items": {"type": "string"}}]}),
        (list[int] | list, {"type": "array"}),
        (list[Literal["a"]] | Literal["b"], {"type": ["array", "string"], "items": {"enum": ["a"]},
         "allOf": [{"if": {"type": "string"}, "then": {"enum": ["b"]}}]}),
        (dt.date, {"type": "string", "format": "date"}),
        (Duration, {"type": ["number", "string"], **SECONDS}),
        (Duration | None, {"type": ["number", "string", "null"], **SECONDS}),
        (Path, {"type": "string", "minLength": 1}),
        (Record, {"$ref": "#/$defs/Record"}),
        (Record | None,
         {"type": ["object", "null"], "allOf": [{"if": {"type": "object"}, "then": {"$ref": "#/$defs/Record"}}]}),
        (Record | ScaleOptions, {"type": "object",
         "anyOf": [{"$ref": "#/$defs/Record"}, {"$ref": "#/$defs/ScaleOptions"}]}),
        (Record | dict[str, int], {"type": "object",
         "anyOf": [{"$ref": "#/$defs/Record"}, {"additionalProperties": {"type": "integer"}}]}),
        (Step | None, {"type": ["string", "object", "null"], "minLength": 1,
         "allOf": [{"if": {"type": "object"}, "then": STEP}]}),
        (Step | Literal["no"], {"type": ["string", "object"], "examples": ["no"],
         "allOf": [{"if": {"type": "object"}, "then": STEP}]}),
    ],
    ids=str,
)  # fmt: skip
def test_the_schema_of_a_type(hint, schema):
    assert OptionSchemas().of_type(hint) == schema


def test_options_with_their_descriptions_examples_and_defaults():
    @dataclass(frozen=True, kw_only=True)
    class Options:
        size: Annotated[int, Meta(description="Size.", examples=[3])]
        mode: Annotated[Literal["fast"] | str, Meta(examples=["slow", "fast"])] = "fast"
        time: Annotated[Duration | None, Meta(examples=["2 s"])] = None
        colour: Colour = Colour.RED

    schema = OptionSchemas().options(Options)
    assert schema["required"] == ["size"]
    assert schema["properties"] == {
        "size": {"type": "integer", "description": "Size.", "examples": [3]},
        "mode": {"type": "string", "examples": ["slow", "fast"], "default": "fast"},
        "time": {"type": ["number", "string", "null"], **SECONDS, "examples": ["2 s", "1.5 s"], "default": None},
        "colour": {"enum": ["red"], "default": "red"},
    }


def names(*short):
    """Return the schema of the names of toys."""
    described = ["Multiply the samples." if name == "scale" else "" for name in short]
    return {
        "if": {"type": "string", "pattern": "/"},
        "then": {"enum": [f"toys/{name}" for name in short]},
        "else": {"enum": list(short), "enumDescriptions": described},
    }


def rule(key, name, then):
    return {"if": {"properties": {key: {"enum": [name, f"toys/{name}"]}}, "required": [key]}, "then": then}


def named(schema, reader):
    """Return the definition that a schema refers to."""
    return reader.definitions[schema["$ref"].removeprefix("#/$defs/")]


def test_a_plugin_with_its_options_under_with(toys):
    reader = OptionSchemas(toys)
    schema = reader.options(OwnerOptions)
    assert schema == {
        "type": "object",
        "properties": {
            "step": {
                "type": ["string", "object", "null"],
                "allOf": [
                    {"if": {"type": "string"}, "then": names("owner", "same", "scale", "shift")},
                    {"if": {"type": "object"}, "then": STEP},
                ],
                "default": None,
            },
            "level": {"type": "number", "default": 1.0},
        },
        "additionalProperties": False,
    }
    own = {name: {"properties": {"with": {"$ref": f"#/$defs/transform.toys.{name}"}}} for name in
           ("owner", "same", "scale", "shift")}  # fmt: skip
    own["scale"]["required"] = ["with"]
    assert reader.definitions["transform.beside"] == {
        "type": "object",
        "required": ["use"],
        "propertyNames": {"enum": ["use", "with"]},
        "properties": {"use": names("owner", "same", "scale", "shift")},
        "allOf": [rule("use", name, then) for name, then in own.items()],
    }
    assert reader.definitions["transform.toys.owner"] == schema | {"type": ["object", "null"]}
    assert reader.definitions["transform.toys.scale"] == {
        "type": "object",
        "properties": {"factor": {"type": "number", "exclusiveMinimum": 0}},
        "required": ["factor"],
        "additionalProperties": False,
    }
    assert reader.definitions["transform.toys.shift"]["type"] == ["object", "null"]


def test_a_plugin_with_its_options_beside_it():
    toys = registry_of(transforms={"a-clash": Clash, "scale": Scale, "shift": Shift})
    reader = OptionSchemas(toys)
    schema = reader.options(FlatOptions)
    offered = names("a-clash", "same", "scale", "shift")
    offered["else"]["enumDescriptions"][0] = "Take an option of a name that the owner has."
    assert schema["properties"] == {
        "flat": {
            "type": ["string", "null"],
            "allOf": [{"if": {"type": "string"}, "then": offered}],
            "description": "A step.",
            "default": None,
        },
        "level": {"type": "number", "default": 1.0},
    }
    assert "additionalProperties" not in schema
    factor, offset = {"type": "number", "exclusiveMinimum": 0}, {"type": "integer", "default": 0}
    wanted = {
        "same": ({"properties": {}}, []),
        "scale": ({"properties": {"factor": factor}, "required": ["factor"]}, ["factor"]),
        "shift": ({"properties": {"offset": offset}}, ["offset"]),
    }
    *rules, without = schema["allOf"]
    for one, (name, (own, allowed)) in zip(rules, wanted.items(), strict=True):
        then = {"$ref": one["then"]["$ref"], "propertyNames": {"enum": ["flat", "level", *allowed]}}
        assert one == rule("flat", name, then)
        assert named(then, reader) == own
    assert without == {
        "if": {"properties": {"flat": {"type": "null"}}},
        "then": {
            "properties": {"factor": factor, "offset": offset},
            "propertyNames": {"enum": ["flat", "level", "offset", "factor"]},
        },
    }


def test_without_a_registry_every_name_is_allowed():
    reader = OptionSchemas()
    assert reader.options(FlatOptions) == {
        "type": "object",
        "properties": {
            "flat": {"type": ["string", "null"], "minLength": 1, "description": "A step.", "default": None},
            "level": {"type": "number", "default": 1.0},
        },
        "additionalProperties": False,
    }
    assert reader.definitions == {}
    reader.options(OwnerOptions)
    assert reader.definitions == {
        "transform.beside": {
            "type": "object",
            "required": ["use"],
            "propertyNames": {"enum": ["use", "with"]},
            "properties": {"use": {"minLength": 1}},
        }
    }


def test_keys_that_a_stage_must_have_beside_its_plugin(toys):
    stage = OptionSchemas(toys).stage(toys.entries("encoder"), ("use", "file", "with"), required=("file",))
    assert stage["required"] == ["use", "file"]
    assert stage["propertyNames"] == {"enum": ["use", "file", "with"]}
    assert stage["properties"] == {"use": {**names("raw-writer"), "else": {
        "enum": ["raw-writer"], "enumDescriptions": ["Write float32 samples and nothing else."]}}}  # fmt: skip
    (one,) = stage["allOf"]
    then = {"properties": {"with": {"$ref": "#/$defs/encoder.toys.raw-writer"}}, "required": ["with"]}
    assert one == rule("use", "raw-writer", then)
    assert "allOf" not in OptionSchemas(toys).stage((), ("use",))


def test_plugins_that_cannot_be_described_are_left_out_alone(toys):
    stage = OptionSchemas(toys).stage(toys.entries("transform"), ("use", "with"))
    described = ["fog-to-mist", "join", "mist-to-wave", "owner", "rain-to-wave", "same", "scale", "shift"]
    assert stage["properties"]["use"]["else"]["enum"] == described
    assert len(stage["allOf"]) == len(described)


def test_types_of_one_name_have_definitions_of_their_own():
    def options(count):
        return dataclass(frozen=True)(type("Record", (), {"__annotations__": {"size": Literal[count]}}))

    reader = OptionSchemas()
    types = [options(count) for count in range(4)]
    for _ in range(2):
        for count, cls in enumerate(types):
            assert named(reader.of_type(cls), reader)["properties"]["size"]["enum"] == [count]
    assert list(reader.definitions) == ["Record", "Record.1", "Record.2", "Record.3"]


class Nested(msgspec.Struct, frozen=True):
    inner: "Nested | None" = None


def test_a_type_that_contains_itself_refers_to_itself():
    reader = OptionSchemas()
    assert reader.of_type(Nested) == {"$ref": "#/$defs/Nested"}
    (rule,) = reader.definitions["Nested"]["properties"]["inner"]["allOf"]
    assert rule["then"] == {"$ref": "#/$defs/Nested"}


def test_a_named_struct_is_a_name_or_a_base_with_changes(installed):
    for registry in (installed, None):
        reader = OptionSchemas(registry)
        found = list(installed.catalogue(MelDialect))
        offered = {"if": {"type": "string", "pattern": "^[^/_]*$"}, "then": {"enum": found}, "examples": found}
        described = offered if registry else {}
        schema = reader.of_type(MelDialect)
        reference = {"if": {"type": "object"}, "then": {"$ref": "#/$defs/MelDialect"}}
        wanted = [{"if": {"type": "string"}, "then": described}, reference] if registry else [reference]
        assert schema.pop("examples", None) == described.get("examples")
        assert schema == {"type": ["string", "object"], "allOf": wanted}
        made = reader.definitions["MelDialect"]
        base = made["properties"]["base"]
        assert next(iter(made["properties"])) == "base"
        description = "Name of the dialect that gives the other figures."
        assert base == {"type": "string", "description": description, **described}
        assert made["description"] == "All figures of a dialect, or a base with what differs."
        assert made["if"] == {"required": ["base"]}
        assert "required" not in made
        assert {"n_fft", "n_mels"} <= set(made["else"]["required"])
