"""JSON Schema of pipelines for completion in editors, built from the installed plugins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from tonearm.pipeline.structure import FORMAT_VERSION, INPUT_KEYS, OUTPUT_KEYS, PIPELINE_KEYS, STEP_KEYS
from tonearm.pipeline.templates import FIELDS
from tonearm.plugins.options import declared_options
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import PluginError, Registry, as_plugin_error
from tonearm.recipes.catalogue import Named

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def pipeline_schema(registry: Registry) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a pipeline with the plugins of a registry."""
    definitions: dict[str, Any] = {}
    files = {"type": "string", "minLength": 1, "description": "A file, a folder or a pattern, relative to this file."}
    name = {"type": "string", "minLength": 1, "description": f"Name of the output, of {_fields()}."}
    steps = _or_empty({"type": "array", "items": _stage(registry, "transform", STEP_KEYS, definitions)})
    own_steps = {"$ref": "#/$defs/steps", "description": "Steps of this output alone, after those of all outputs."}
    top: dict[str, Any] = {
        "tonearm": {"const": FORMAT_VERSION, "description": "Version of the format."},
        "input": _stage(registry, "decoder", INPUT_KEYS, definitions)
        | {"properties": {"files": {"anyOf": [files, {"type": "array", "items": files}]}}},
        "steps": {"$ref": "#/$defs/steps", "description": "Steps of all outputs, in order."},
        "outputs": {
            "type": "array",
            "minItems": 1,
            "items": _stage(registry, "encoder", OUTPUT_KEYS, definitions)
            | {"properties": {"file": name, "steps": own_steps}},
        },
    }
    return {
        "$schema": JSON_SCHEMA,
        "title": "A tonearm pipeline",
        "type": "object",
        "properties": {key: top[key] for key in PIPELINE_KEYS},
        "required": ["tonearm", "input", "outputs"],
        "additionalProperties": False,
        "$defs": definitions | {"steps": steps},
    }


def options_schema(options: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a plugin's options, and add the schemas that they refer to to ``definitions``."""
    known = declared_options(options)
    schemas, found = msgspec.json.schema_components(
        [Any if option.plugin else option.type for option in known.values()], ref_template="#/$defs/{name}"
    )
    for cls in (named_struct(option.type) for option in known.values()):
        if cls is not None:
            found[cls.__name__] = _named_schema(cls, found[cls.__name__])
    definitions.update(found)
    properties = {}
    for option, schema in zip(known.values(), schemas, strict=True):
        extra = {"description": option.description} if option.description else {}
        if option.plugin:
            schema = _plugin_schema()
        if (cls := named_struct(option.type)) is not None:
            extra["title"] = cls.noun
        default = {} if option.required else {"default": msgspec.to_builtins(option.default)}
        properties[option.name] = dict(schema) | extra | default
    required = [option.name for option in known.values() if option.required]
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})


def _plugin_schema() -> dict[str, Any]:
    """Return the schema of an option whose value is a plugin: a name, or a name with options."""
    name = {"type": "string", "minLength": 1, "description": "Name of a plugin."}
    keys = {"use": name, "with": {"type": ["object", "null"], "description": "Options of the plugin."}}
    stage = {"type": "object", "properties": keys, "required": ["use"], "additionalProperties": False}
    return {"anyOf": [name, stage, {"type": "null"}]}


def named_struct(hint: Any) -> type[Named] | None:
    """Return the class of the named struct that an option of a type takes; None if it takes none."""
    if isinstance(hint, type):
        return hint if issubclass(hint, Named) else None
    return next(filter(None, map(named_struct, get_args(hint))), None)


def _named_schema(cls: type[Named], figures: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a named struct: a name, another struct with changes, or all figures."""
    figures = figures | {"description": f"All figures of a {cls.noun}."}
    base = {"type": "string", "description": f"Name of the {cls.noun} that gives the other figures."}
    changed = {**figures, "properties": {"base": base, **figures["properties"]}, "required": ["base"]}
    changed["description"] = f"Another {cls.noun} with what differs."
    return {"anyOf": [{"type": "string", "description": f"Name of a {cls.noun}."}, changed, figures]}


def _stage(registry: Registry, role: str, keys: tuple[str, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a stage: a plugin of a role with its options."""
    choices = []
    for name, description, options in _usable(registry, role):
        try:
            with as_plugin_error(name):
                schema = options_schema(options, definitions)
        except PluginError:
            continue
        properties = {"use": {"const": name, "description": description}, "with": _or_empty(schema)}
        choices.append({"properties": properties} | ({"required": ["with"]} if "required" in schema else {}))
    required = ["use", "file"] if "file" in keys else ["use"]
    return {"type": "object", "required": required, "propertyNames": {"enum": list(keys)}, "anyOf": choices}


def _or_empty(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that also allows an empty value (``with:`` alone), unless properties are required."""
    return schema if "required" in schema else schema | {"type": [schema["type"], "null"]}


def _usable(registry: Registry, role: str) -> Iterator[tuple[str, str, type[Any]]]:
    for entry in registry.entries(role):
        try:
            plugin = entry.resolve()
        except PluginError:
            continue
        yield registry.short_name(entry), description_of(plugin), ports_of(plugin).options


def description_of(plugin: type[Any]) -> str:
    """Return the first line of a plugin's docstring."""
    return (plugin.__doc__ or "").strip().partition("\n")[0]


def _fields() -> str:
    return ", ".join(f"{{{field}}} ({meaning})" for field, meaning in FIELDS.items())
