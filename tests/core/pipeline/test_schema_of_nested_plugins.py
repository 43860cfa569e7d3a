"""The JSON Schema of options that are plugins: it takes what check takes, and gives one message for what is wrong."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from core_toys import registry_of
from jsonschema import Draft202012Validator
from schema_errors import errors, is_right

from tonearm.api import Meta, Transform, Waveform
from tonearm.pipeline.schema import pipeline_schema
from tonearm.plugins.plugin import BESIDE


@dataclass(frozen=True, kw_only=True)
class ScaleOptions:
    factor: Annotated[float, Meta(gt=0)]


@dataclass(frozen=True, kw_only=True)
class ShiftOptions:
    offset: int = 0


class Scale(Transform[Waveform, Waveform, ScaleOptions]):
    """Multiply the samples."""

    def apply(self, signal, context): ...


class Shift(Transform[Waveform, Waveform, ShiftOptions]):
    def apply(self, signal, context): ...


@dataclass(frozen=True, kw_only=True)
class OwnerOptions:
    step: Transform[Waveform, Waveform, Any] | None = None
    flat: Annotated[Transform[Waveform, Waveform, Any] | None, Meta(extra={BESIDE: True})] = None
    level: float = 1.0


class Owner(Transform[Waveform, Waveform, OwnerOptions]):
    def apply(self, signal, context): ...


@pytest.fixture(scope="module")
def toys():
    registry = registry_of(transforms={"owner": Owner, "scale": Scale, "shift": Shift})
    schema = pipeline_schema(registry)
    Draft202012Validator.check_schema(schema)
    return registry, Draft202012Validator(json.loads(json.dumps(schema)))


OWNED = [
    ({}, None),
    ({"step": "shift"}, None),
    ({"step": None, "flat": None}, None),
    ({"step": {"use": "scale", "with": {"factor": 2}}}, None),
    ({"step": {"use": "owner", "with": {"step": {"use": "toys/shift"}}}}, None),
    ({"step": "shfit"}, "step"),
    ({"step": "join"}, "step"),
    ({"step": 3}, "step"),
    ({"step": {"use": "shfit"}}, "step/use"),
    ({"step": {"with": {}}}, "step"),
    ({"step": {"use": "scale"}}, "step"),
    ({"step": {"use": "shift", "wiht": {}}}, "step"),
    ({"step": {"use": "scale", "with": {"factor": 0}}}, "step/with/factor"),
    ({"step": {"use": "owner", "with": {"step": {"use": "shift", "with": {"ofset": 1}}}}}, "step/with/step/with"),
    ({"flat": "shift", "offset": 3, "level": 2}, None),
    ({"flat": "scale", "factor": 3}, None),
    ({"flat": "scale"}, ""),
    ({"flat": "scale", "factor": 0}, "factor"),
    ({"flat": "shift", "factor": 3}, ""),
    ({"flat": "shfit"}, "flat"),
    ({"flat": {"use": "shift"}}, "flat"),
]


@pytest.mark.parametrize(("options", "place"), OWNED)
def test_plugins_as_options(options, place, toys):
    registry, validator = toys
    document = {
        "tonearm": 1,
        "input": {"use": "tone-reader"},
        "steps": [{"use": "owner", "with": options}],
        "outputs": [{"use": "raw-writer", "file": "{index}", "with": {"level": 1}}],
    }
    path = "steps/0/with" + (f"/{place}" if place else "")
    assert [where for where, _ in errors(validator, document)] == ([] if place is None else [path])
    assert is_right(document, registry) == (place is None)
