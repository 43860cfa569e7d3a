"""The JSON Schema takes what check takes, and refuses what it refuses."""

import copy
import json
from dataclasses import dataclass
from typing import Any

import pytest
from core_toys import ROOT, RawWriter, Same, hooks, package_of, registry_of
from jsonschema import Draft202012Validator
from schema_errors import errors, is_right

from tonearm.api import Transform, Waveform
from tonearm.pipeline.document import read_document, to_plain
from tonearm.pipeline.option_scalars import takes_list
from tonearm.pipeline.schema import pipeline_schema
from tonearm.plugins.options import declared_options
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import Registry

GOOD = {
    "tonearm": 1,
    "input": {"use": "npy-reader", "files": "*.npy", "with": {"kind": "waveform", "sample_rate": 22050}},
    "steps": [{"use": "normalize", "with": {"peak_db": -1.0}}, {"use": "resample", "with": {"sample_rate": 16000}}],
    "outputs": [{"use": "wav-writer", "file": "{stem}-{index}.wav", "with": {"subtype": "FLOAT"}}],
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


GOOD_CHANGES = {
    "as it is": (("tonearm",), 1),
    "no outputs": (("outputs",), ...),
    "no steps": (("steps",), ...),
    "empty steps": (("steps",), None),
    "steps without any": (("steps",), []),
    "a step without options": (("steps", 0, "with"), ...),
    "a step with empty options": (("steps", 0, "with"), None),
    "a step with no options": (("steps", 0, "with"), {}),
    "no files": (("input", "files"), ...),
    "a file of one letter": (("input", "files"), "a"),
    "several files": (("input", "files"), ["a", "b/**/*.npy"]),
    "whole number for a number": (("steps", 0, "with", "peak_db"), -3),
    "axes": (("input", "with", "axes"), ["batch", "time"]),
    "null is as if left out": (("input", "with", "axes"), None),
    "steps of an output": (("outputs", 0, "steps"), [{"use": "resample", "with": {"sample_rate": 8000}}]),
    "steps of an output without any": (("outputs", 0, "steps"), []),
    "empty steps of an output": (("outputs", 0, "steps"), None),
    "a dialect by name": (("input", "with"), {"kind": "mel", "dialect": "hifigan"}),
    "a dialect alone": (("input", "with"), {"dialect": "hifigan"}),
    "a dialect changed": (("input", "with"), {"kind": "mel", "dialect": {"base": "hifigan", "n_mels": 64}}),
}
BAD_CHANGES = {
    "no version": (("tonearm",), ...),
    "other version": (("tonearm",), 2),
    "version as text": (("tonearm",), "1"),
    "version as truth": (("tonearm",), True),
    "no input": (("input",), ...),
    "input by name": (("input",), "npy-reader"),
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
    "an option of another kind": (("input", "with", "n_fft"), 512),
    "no axes": (("input", "with", "axes"), []),
    "an unknown subtype": (("outputs", 0, "with", "subtype"), "PCM_8"),
    "options as a list": (("steps", 0, "with"), [1]),
    "options that must be there": (("steps", 1, "with"), ...),
    "an option that must be there": (("steps", 1, "with"), {}),
    "an option that must be there, empty": (("steps", 1, "with"), None),
    "a file without a name": (("input", "files"), ""),
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


def options_in(schema, role, name):
    return schema["$defs"][f"{role}.builtin.{name}"]


def names_in(stage):
    return stage["properties"]["use"]["else"]["enum"]


def test_names_and_options_are_described(installed):
    schema = pipeline_schema(installed)
    names = schema["properties"]["outputs"]["items"]["properties"]["use"]["else"]
    described = dict(zip(names["enum"], names["enumDescriptions"], strict=True))
    assert described["wav-writer"].startswith("Write a WAV file")
    subtype = options_in(schema, "encoder", "wav-writer")["properties"]["subtype"]
    assert subtype["default"] == "PCM_16"
    assert sorted(subtype["enum"]) == ["DOUBLE", "FLOAT", "PCM_16", "PCM_24", "PCM_32"]
    assert subtype["description"]
    assert "{stem}" in schema["properties"]["outputs"]["items"]["properties"]["file"]["description"]


def test_names_of_dialects_are_offered(installed):
    schema = pipeline_schema(installed)
    dialect = options_in(schema, "transform", "wave-to-mel")["properties"]["dialect"]
    assert all(name in dialect["examples"] for name in ("hifigan", "whisper"))
    assert "hifigan" in schema["$defs"]["MelDialect"]["properties"]["base"]["examples"]


def stages(registry, role):
    """Yield each plugin with the path of its stage and a pipeline whose stage of that role has it, without options."""
    sections = {"decoder": ("input",), "transform": ("steps", 0), "encoder": ("outputs", 0)}
    for entry in registry.entries(role):
        document = {"tonearm": 1, "input": {"use": "npy-reader"}, "steps": [{"use": "mix"}], "outputs": []}
        document["outputs"] = [{"use": "raw-writer", "file": "a"}]
        stage = document
        for key in sections[role]:
            stage = stage[key]
        stage["use"] = entry.name
        yield entry, "/".join(map(str, sections[role])), stage, document


ROLES = ("decoder", "transform", "encoder")


class TestOneWrongThingIsOneMessage:
    @pytest.mark.parametrize("role", ROLES)
    def test_a_missing_option(self, role, validator, installed):
        for entry, path, stage, document in stages(installed, role):
            required = [
                one.name for one in declared_options(ports_of(entry.resolve()).options).values() if one.required
            ]
            if not required:
                assert errors(validator, document) == []
                continue
            assert [one for one, _ in errors(validator, document)] == [path]
            stage["with"] = {}
            found = errors(validator, document)
            assert [(one, message.split()[0].strip("'")) for one, message in found] == [
                (f"{path}/with", name) for name in required
            ]

    @pytest.mark.parametrize("role", ROLES)
    def test_an_unknown_option(self, role, validator, installed):
        for entry, path, stage, document in stages(installed, role):
            stage["with"] = {**_required(entry), "no_such_option": 1}
            ((where, message),) = errors(validator, document)
            assert where == f"{path}/with"
            assert "no_such_option" in message

    @pytest.mark.parametrize("role", ROLES)
    def test_a_value_of_another_type(self, role, validator, installed):
        for entry, path, stage, document in stages(installed, role):
            for option in declared_options(ports_of(entry.resolve()).options).values():
                wrong = {"no-such": 1} if takes_list(option.type) else [[["x"]]]
                stage["with"] = {**_required(entry), option.name: wrong}
                found = errors(validator, document)
                assert len(found) == 1, (entry.name, option.name, found)
                assert found[0][0].startswith(f"{path}/with/{option.name}")

    @pytest.mark.parametrize("role", ROLES)
    def test_an_unknown_plugin(self, role, validator, installed):
        for name in ("no-such-plugin", "acme/raw", 3):
            _, path, stage, document = next(stages(installed, role))
            stage |= {"use": name, "with": {"anything": 1}}
            assert [where for where, _ in errors(validator, document)] == [f"{path}/use"]

    def test_options_of_a_kind(self, validator, installed):
        for entry in installed.entries("kind"):
            document = changed(("input", "with"), {"kind": entry.name})
            given = document["input"]["with"]
            assert errors(validator, document) == []
            for option in declared_options(ports_of(entry.resolve()).options).values():
                given[option.name] = {"no-such": 1} if takes_list(option.type) else [[["x"]]]
                assert [where for where, _ in errors(validator, document)] == [f"input/with/{option.name}"]
                if entry.name != "inferred":
                    del given["kind"]  # an option of any kind may stand alone
                    assert [where for where, _ in errors(validator, document)] == [f"input/with/{option.name}"]
                    given["kind"] = entry.name
                del given[option.name]
            given["no_such_option"] = 1
            assert [where for where, _ in errors(validator, document)] == ["input/with"]

    def test_a_wrong_figure_of_a_dialect(self, validator):
        for dialect, place in (
            ({"base": "hifigan", "n_mels": "x"}, "/n_mels"), ({"base": "hifigan", "no_such": 1}, ""),
            ({"base": "hifigam"}, "/base"), ({"base": 3}, "/base"),
        ):  # fmt: skip
            found = errors(validator, changed(("input", "with"), {"kind": "mel", "dialect": dialect}))
            assert [where for where, _ in found] == [f"input/with/dialect{place}"]

    def test_an_unknown_dialect(self, validator):
        document = changed(("input", "with"), {"kind": "mel", "dialect": "hifigam"})
        ((where, message),) = errors(validator, document)
        assert where == "input/with/dialect"
        assert message.startswith("'hifigam' is not one of [")


def _required(entry):
    """Return values for the required options of a plugin."""
    values = {"encoding": "pcm_s16le", "keep": "harmonic", "values": "indices", "dialect": "hifigan", "model": "a"}
    known = declared_options(ports_of(entry.resolve()).options)
    return (
        {name: values.get(name, 100 if name != "gain_db" else 1) for name, one in known.items() if one.required}
        | ({"semitones": 1} if "semitones" in known else {})
        | ({"rate": 2} if "rate" in known else {})
    )


def test_full_names_are_taken(validator):
    assert errors(validator, changed(("steps", 0, "use"), "builtin/normalize")) == []
    assert errors(validator, changed(("steps", 0), {"use": "builtin/normalize", "with": {"peak": 1}}))[0][0] == (
        "steps/0/with"
    )


def test_a_plugin_that_cannot_be_loaded_is_left_out_alone():
    @dataclass(frozen=True)
    class Unknown:
        shape: "NoSuchName" = 0  # noqa: F821 - as under TYPE_CHECKING

    @dataclass(frozen=True)
    class Unsaid:
        shape: int = complex(1)

    def uses(options):
        class Uses(Transform[Waveform, Waveform, options]):
            def apply(self, signal, context): ...

        return Uses

    @dataclass(frozen=True)
    class Nested:
        step: Transform[Waveform, Waveform, Any] | None = None

    transforms = {"a": "no_such:X", "b": uses(Unknown), "c": uses(Unsaid), "d": Same, "e": uses(Nested)}
    schema = pipeline_schema(registry_of(transforms=transforms))
    names = set(names_in(schema["$defs"]["steps"]["items"]))
    assert {"d", "e"} <= names
    assert not names & {"a", "b", "c"}
    offered = Draft202012Validator({"$ref": "#/$defs/transform.toys.e", "$defs": schema["$defs"]})
    assert [name for name in "abde" if offered.is_valid({"step": name})] == ["d", "e"]


def test_clashing_names_are_written_in_full():
    registry = Registry(
        [package_of("acme", hooks(encoders={"raw": RawWriter})), package_of("zeta", hooks(encoders={"raw": RawWriter}))]
    )
    assert names_in(pipeline_schema(registry)["properties"]["outputs"]["items"]) == ["acme/raw", "zeta/raw"]
