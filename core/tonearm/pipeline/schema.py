"""JSON Schema of pipelines for completion in editors, built from the installed plugins."""

from __future__ import annotations

from typing import Any

from tonearm.pipeline.limits import PipelineLimits
from tonearm.pipeline.option_schema import OptionSchemas
from tonearm.pipeline.structure import FORMAT_VERSION, INPUT_KEYS, OUTPUT_KEYS, PIPELINE_KEYS, STEP_KEYS
from tonearm.plugins.registry import Registry
from tonearm.writing.templates import FIELDS

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def pipeline_schema(registry: Registry) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a pipeline with the plugins of a registry."""
    schemas = OptionSchemas(registry)
    files = {"type": "string", "minLength": 1, "description": "A file, a folder or a pattern, relative to this file."}
    name = {"type": "string", "minLength": 1, "description": f"Name of the output, of {_fields()}."}
    steps = {"type": ["array", "null"], "items": schemas.stage(registry.entries("transform"), STEP_KEYS)}
    own_steps = {"$ref": "#/$defs/steps", "description": "Steps of this output alone, after those of all outputs."}
    source = schemas.stage(registry.entries("decoder"), INPUT_KEYS)
    source["properties"]["files"] = {"type": ["string", "array"], "minLength": 1, "items": files}
    output = schemas.stage(registry.entries("encoder"), OUTPUT_KEYS, required=("file",))
    output["properties"] |= {"file": name, "steps": own_steps}
    top: dict[str, Any] = {
        "tonearm": {"const": FORMAT_VERSION, "description": "Version of the format."},
        "input": source,
        "steps": {"$ref": "#/$defs/steps", "description": "Steps of all outputs, in order."},
        "outputs": {"type": "array", "minItems": 1, "items": output},
        "limits": schemas.options(PipelineLimits)
        | {"type": ["object", "null"], "description": "Limits of the sources."},
    }
    return {
        "$schema": JSON_SCHEMA,
        "title": "A tonearm pipeline",
        "type": "object",
        "properties": {key: top[key] for key in PIPELINE_KEYS},
        "required": ["tonearm", "input"],
        "additionalProperties": False,
        "$defs": schemas.definitions | {"steps": steps},
    }


def options_schema(options: type[Any], definitions: dict[str, Any], registry: Registry | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a plugin's options, and add the schemas that they refer to to ``definitions``.

    Parameters
    ----------
    options
        Dataclass of the options.
    definitions
        Definitions to add to.
    registry
        Registry of the plugins and named structs that options name; None to allow all names.
    """
    schemas = OptionSchemas(registry)
    schema = schemas.options(options)
    definitions.update(schemas.definitions)
    return schema


def _fields() -> str:
    return ", ".join(f"{{{field}}} ({meaning})" for field, meaning in FIELDS.items())
