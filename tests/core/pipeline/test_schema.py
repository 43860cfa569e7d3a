"""The JSON Schema takes what check takes, and refuses what it refuses."""

import copy
import json
from dataclasses import dataclass

import pytest
from core_toys import ROOT, RawWriter, Same, hooks, package_of, registry_of
from jsonschema import Draft202012Validator

from tonearm.api import NoOptions, Transform, Waveform
from tonearm.errors import PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.document import from_plain, read_document, to_plain
from tonearm.pipeline.schema import description_of, options_schema, pipeline_schema
from tonearm.plugins.registry import Registry

GOOD = {
    "tonearm": 1,
    "input": {"use": "npy-reader", "files": "*.npy", "with": {"kind": "waveform", "sample_rate": 22050}},
    "steps": [{"use": "normalize", "with": {"peak_db": -1.0}}, {"use": "resample", "with": {"sample_rate": 16000}}],
    "outputs": [{"use": "wav-writer", "file": "{stem}.wav", "with": {"subtype": "FLOAT"}}],
}


@pytest.fixture(scope="module")
def validator(installed):
    schema = pipeline_schema(installed)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(json.loads(json.dumps(schema)))


def changed(path, value):
    """Return the good pipeline with one value replaced, added, or removed."""
    made = copy.deepcopy(GOOD)
    *way, last = path
    node = made
    for key in way:
        node = node[key]
    if value is Ellipsis:
        del node[last]
    else:
        node[last] = value
    return made


def is_right(document, registry):
    try:
        check(from_plain(document), None, registry)
    except PipelineError:
        return False
    return True


GOOD_CHANGES = {
    "as it is": (("tonearm",), 1),
    "no steps": (("steps",), ...),
    "empty steps": (("steps",), None),
    "steps without any": (("steps",), []),
    "a step without options": (("steps", 0, "with"), ...),
    "a step with empty options": (("steps", 0, "with"), None),
    "a step with no options": (("steps", 0, "with"), {}),
    "no files": (("input", "files"), ...),
    "several files": (("input", "files"), ["a", "b/**/*.npy"]),
    "whole number for a number": (("steps", 0, "with", "peak_db"), -3),
    "axes": (("input", "with", "axes"), ["batch", "time"]),
    "null is as if left out": (("input", "with", "axes"), None),
    "steps of an output": (("outputs", 0, "steps"), [{"use": "resample", "with": {"sample_rate": 8000}}]),
    "steps of an output without any": (("outputs", 0, "steps"), []),
    "empty steps of an output": (("outputs", 0, "steps"), None),
    "a dialect by name": (("input", "with"), {"kind": "mel", "dialect": "hifigan"}),
    "a dialect changed": (("input", "with"), {"kind": "mel", "dialect": {"base": "hifigan", "n_mels": 64}}),
}
BAD_CHANGES = {
    "no version": (("tonearm",), ...),
    "other version": (("tonearm",), 2),
    "version as text": (("tonearm",), "1"),
    "version as truth": (("tonearm",), True),
    "no input": (("input",), ...),
    "input by name": (("input",), "npy-reader"),
    "no outputs": (("outputs",), ...),
    "empty outputs": (("outputs",), []),
    "outputs null": (("outputs",), None),
    "an unknown key": (("step",), []),
    "an unknown key of input": (("input", "file"), "a"),
    "an unknown key of a step": (("steps", 0, "file"), "a"),
    "an unknown key of an output": (("outputs", 0, "files"), "a"),
    "an unknown key of a step of an output": (("outputs", 0, "steps"), [{"use": "mix", "file": "a"}]),
    "a step of an output without use": (("outputs", 0, "steps"), [{"with": {}}]),
    "a step of an output by name": (("outputs", 0, "steps"), ["mix"]),
    "one step of an output": (("outputs", 0, "steps"), {"use": "mix"}),
    "an unknown plugin in an output": (("outputs", 0, "steps"), [{"use": "mixx"}]),
    "a wrong option in an output": (("outputs", 0, "steps"), [{"use": "gain", "with": {"gain_db": "x"}}]),
    "no use in input": (("input", "use"), ...),
    "no use in a step": (("steps", 0, "use"), ...),
    "no use in an output": (("outputs", 0, "use"), ...),
    "no file in an output": (("outputs", 0, "file"), ...),
    "a number for a file": (("outputs", 0, "file"), 3),
    "an empty file": (("outputs", 0, "file"), ""),
    "an unknown plugin": (("steps", 0, "use"), "normalise"),
    "a plugin of another role": (("steps", 0, "use"), "npy-reader"),
    "an unknown option": (("steps", 0, "with", "peak"), 1),
    "another plugin's option": (("steps", 0, "with", "iterations"), 1),
    "text for a number": (("steps", 0, "with", "peak_db"), "loud"),
    "truth for a number": (("steps", 0, "with", "peak_db"), True),
    "a number out of bounds": (("steps", 0, "with", "peak_db"), 3),
    "a rate of 0": (("input", "with", "sample_rate"), 0),
    "a fraction for a rate": (("input", "with", "sample_rate"), 22050.5),
    "a rate of 10^9": (("input", "with", "sample_rate"), 10**9),
    "an unknown kind": (("input", "with", "kind"), "wave"),
    "an axis for axes": (("input", "with", "axes"), "time"),
    "an unknown axis": (("input", "with", "axes"), ["tim"]),
    "no axes": (("input", "with", "axes"), []),
    "an unknown subtype": (("outputs", 0, "with", "subtype"), "PCM_8"),
    "options as a list": (("steps", 0, "with"), [1]),
    "options that must be there": (("steps", 1, "with"), ...),
    "an option that must be there": (("steps", 1, "with"), {}),
    "an option that must be there, empty": (("steps", 1, "with"), None),
    "a file that is no pattern": (("input", "files"), [""]),
    "a dialect changed by what it has not": (("input", "with", "dialect"), {"base": "hifigan", "mels": 64}),
}


@pytest.mark.parametrize("name", GOOD_CHANGES)
def test_what_check_takes(name, validator, installed):
    document = changed(*GOOD_CHANGES[name])
    if "dialect" in name:
        document["steps"].insert(0, {"use": "mel-to-wave"})
    assert is_right(document, installed)
    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize("name", BAD_CHANGES)
def test_what_check_refuses(name, validator, installed):
    document = changed(*BAD_CHANGES[name])
    assert not is_right(document, installed)
    assert not validator.is_valid(document)


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_every_ready_pipeline_is_valid(path, validator):
    document = to_plain(read_document(path.read_bytes(), path.name, environ={}))
    assert [error.message for error in validator.iter_errors(document)] == []


def test_names_and_options_are_described(installed):
    schema = pipeline_schema(installed)
    choices = schema["properties"]["outputs"]["items"]["anyOf"]
    wav = next(choice for choice in choices if choice["properties"]["use"]["const"] == "wav-writer")
    assert wav["properties"]["use"]["description"].startswith("Write a WAV file")
    subtype = wav["properties"]["with"]["properties"]["subtype"]
    assert subtype["default"] == "PCM_16"
    assert sorted(subtype["enum"]) == ["DOUBLE", "FLOAT", "PCM_16", "PCM_24", "PCM_32"]
    assert subtype["description"]
    assert "{stem}" in schema["properties"]["outputs"]["items"]["properties"]["file"]["description"]


def test_a_broken_plugin_is_left_out_alone():
    @dataclass(frozen=True)
    class Unknown:
        shape: "NoSuchName" = 0  # noqa: F821 - as under TYPE_CHECKING

    @dataclass(frozen=True)
    class Unsaid:
        shape: object = complex(1)

    def uses(options):
        class Uses(Transform[Waveform, Waveform, options]):
            def apply(self, signal, context): ...

        return Uses

    registry = registry_of(transforms={"a": "no_such:X", "b": uses(Unknown), "c": uses(Unsaid), "d": Same})
    choices = pipeline_schema(registry)["$defs"]["steps"]["items"]["anyOf"]
    names = {choice["properties"]["use"]["const"] for choice in choices}
    assert "d" in names
    assert not names & {"a", "b", "c"}


def test_clashing_names_are_written_in_full():
    registry = Registry(
        [package_of("acme", hooks(encoders={"raw": RawWriter})), package_of("zeta", hooks(encoders={"raw": RawWriter}))]
    )
    choices = pipeline_schema(registry)["properties"]["outputs"]["items"]["anyOf"]
    assert [choice["properties"]["use"]["const"] for choice in choices] == ["acme/raw", "zeta/raw"]


def test_options_of_a_plugin():
    assert options_schema(NoOptions, {}) == {"type": "object", "properties": {}, "additionalProperties": False}
    assert options_schema(RawWriter.__orig_bases__[0].__args__[1], {}) == {
        "type": "object",
        "properties": {
            "level": {"type": "number", "exclusiveMinimum": 0.0, "maximum": 1.0, "description": "Loudness."},
            "most": {
                "anyOf": [
                    {"type": "integer", "minimum": 1, "description": "Channels at most."},
                    {"type": "null"},
                ],
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
