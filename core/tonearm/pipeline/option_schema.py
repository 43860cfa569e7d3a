"""JSON Schema of options, by their types: each value is described once, so that one wrong value gives one message."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import msgspec

from tonearm.plugins.nested import plain_value
from tonearm.plugins.option_types import (
    UNIT_EXAMPLES,
    UNITS,
    alternatives,
    bare,
    container,
    is_enum,
    is_mapping,
    is_path,
    is_plugin,
    is_record,
    unit_of,
)
from tonearm.plugins.options import Option, PluginType, declared_options, plugin_type
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import PluginError, Registry, RegistryEntry, as_plugin_error
from tonearm.recipes.catalogue import Named

Schema = dict[str, Any]
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


def description_of(plugin: type[Any]) -> str:
    """Return the first line of a plugin's docstring."""
    return (plugin.__doc__ or "").strip().partition("\n")[0]


class OptionSchemas:
    """Makes the schemas of options, and collects the definitions that they refer to.

    Parameters
    ----------
    registry
        Registry of the plugins and named structs that options name; None to allow all names.

    Attributes
    ----------
    definitions
        Definitions by name.
    """

    def __init__(self, registry: Registry | None = None) -> None:
        self.registry = registry
        self.definitions: dict[str, Schema] = {}
        self._names: dict[Any, str] = {}
        self._properties_by_entry: dict[RegistryEntry, Schema] = {}

    def options(self, cls: type[Any]) -> Schema:
        """Return the schema of a dataclass or struct."""
        known = declared_options(cls)
        schema: Schema = {"type": "object", **self._properties(known)}
        beside = [option for option in known.values() if option.is_beside and option.plugin]
        if beside and self.registry:
            schema["allOf"] = [one for option in beside for one in self._beside(option, known)]
        else:
            schema["additionalProperties"] = False
        return schema

    def _properties(self, known: Mapping[str, Option]) -> Schema:
        """Return the part of a schema that describes options, and those that are required."""
        required = _required(known)
        properties = {name: self.option(option) for name, option in known.items()}
        return {"properties": properties} | ({"required": required} if required else {})

    def option(self, option: Option) -> Schema:
        """Return the schema of an option, with its description, default and examples."""
        schema = self.name_of_plugin(option.plugin) if option.is_beside and option.plugin else self.of_type(option.type)
        schema = schema | ({"description": option.description} if option.description else {})
        if option.examples:
            others = [plain_value(example) for example in option.examples]
            schema["examples"] = others + [one for one in schema.get("examples", ()) if one not in others]
        return schema if option.required else schema | {"default": plain_value(option.default)}

    def of_type(self, hint: Any) -> Schema:
        """Return the schema of a type."""
        by_type: dict[str, Schema] = {}
        for one in alternatives(hint):
            for json_type, schema in self._offered(one):
                if json_type == "any":
                    return {}
                by_type[json_type] = _either(by_type[json_type], schema) if json_type in by_type else schema
        return _combined(by_type)

    def _offered(self, hint: Any) -> Iterator[tuple[str, Schema]]:
        """Yield the JSON types of an alternative of a type, each with its schema."""
        inner = bare(hint)
        if inner is Any:
            yield "any", {}
        elif is_plugin(hint):
            kind = plugin_type(hint)
            assert kind is not None
            yield "string", self.plugin_names(self._fitting(kind))
            yield "object", {"$ref": self._defined(kind, lambda: self.stage(self._fitting(kind), ("use", "with")))}
        elif is_record(hint):
            if issubclass(inner, Named):
                yield "string", self._struct_names(inner)
                yield "object", {"$ref": self._defined(inner, lambda: self._named(inner))}
            else:
                yield "object", {"$ref": self._defined(inner, lambda: self.options(inner))}
        elif container(hint) is not None:
            yield self._container(hint)
        elif inner in _JSON_TYPES or is_path(hint):
            yield from _scalar(hint)
        else:
            yield from _choice(hint)

    def _container(self, hint: Any) -> tuple[str, Schema]:
        parts = get_args(bare(hint))
        metas = get_args(hint)[1:] if bare(hint) is not hint else ()
        bounds = {"min_length": "Items", "max_length": "Items"}
        found = {f"{name[:3]}{word}": getattr(meta, name) for meta in metas for name, word in bounds.items()
                 if getattr(meta, name, None) is not None}  # fmt: skip
        if is_mapping(hint):
            values = self.of_type(parts[1]) if parts else {}
            return "object", {"additionalProperties": values} if values else {}
        if container(hint) is tuple and parts and parts[-1] is not ...:
            return "array", {
                "prefixItems": [self.of_type(part) for part in parts],
                "items": False,
                "minItems": len(parts),
            }
        return "array", ({"items": self.of_type(parts[0])} if parts else {}) | found

    def _defined(self, key: Any, make: Any) -> str:
        """Return the reference to the definition of a type, which is made on first use."""
        if key not in self._names:
            first = name = key.__name__ if isinstance(key, type) else f"{key.role}.beside"
            while name in self.definitions:
                name = f"{first}.{len(self.definitions)}"
            self._names[key] = name
            self.definitions[name] = {}
            self.definitions[name] = make()
        return f"#/$defs/{self._names[key]}"

    def _struct_names(self, cls: type[Named]) -> Schema:
        if self.registry is None:
            return {}
        names = list(self.registry.catalogue(cls))
        # A name may have an origin, and underscores.
        return {"if": {"type": "string", "pattern": "^[^/_]*$"}, "then": {"enum": names}, "examples": names}

    def _named(self, cls: type[Named]) -> Schema:
        """Return the schema of a named struct: another struct with changes, or all figures."""
        schema = self.options(cls)
        base = {"type": "string", "description": f"Name of the {cls.noun} that gives the other figures."}
        schema["properties"] = {"base": base | self._struct_names(cls)} | schema["properties"]
        if "required" in schema:
            schema |= {"if": {"required": ["base"]}, "else": {"required": schema.pop("required")}}
        return schema | {"description": f"All figures of a {cls.noun}, or a base with what differs."}

    def _fitting(self, kind: PluginType) -> Iterable[RegistryEntry]:
        return self.registry.fitting(kind) if self.registry else ()

    def name_of_plugin(self, kind: PluginType) -> Schema:
        """Return the schema of an option that takes the name of a plugin only."""
        return _combined({"string": self.plugin_names(self._fitting(kind)), "null": {}})

    def plugin_names(self, entries: Iterable[RegistryEntry]) -> Schema:
        """Return the schema of the name of a plugin: short, or with its origin."""
        if self.registry is None:
            return {"minLength": 1}
        found = list(entries)
        short = {
            "enum": [self.registry.short_name(entry) for entry in found],
            "enumDescriptions": [description_of(entry.resolve()) for entry in found],
        }
        full = {"enum": [entry.full_name for entry in found]}
        return {"if": {"type": "string", "pattern": "/"}, "then": full, "else": short}

    def stage(self, entries: Iterable[RegistryEntry], keys: tuple[str, ...], required: tuple[str, ...] = ()) -> Schema:
        """Return the schema of a plugin with its options, chosen from some plugins.

        Parameters
        ----------
        entries
            Plugins to choose from; those whose options cannot be described are left out.
        keys
            Keys that the mapping may have.
        required
            Keys beside ``use`` that it must have.
        """
        rules, usable = [], []
        for entry in entries:
            try:
                with as_plugin_error(entry.full_name):
                    cls = ports_of(entry.resolve()).options
                    reference = self._options_of(entry, cls)
            except PluginError:
                continue
            usable.append(entry)
            then: Schema = {"properties": {"with": {"$ref": reference}}}
            if _required(declared_options(cls)):
                then["required"] = ["with"]
            rules.append({"if": {"properties": {"use": self._is(entry)}, "required": ["use"]}, "then": then})
        schema = {
            "type": "object",
            "required": ["use", *required],
            "propertyNames": {"enum": list(keys)},
            "properties": {"use": self.plugin_names(usable)},
        }
        return schema | ({"allOf": rules} if rules else {})

    def _is(self, entry: RegistryEntry) -> Schema:
        names = {self.registry.short_name(entry), entry.full_name} if self.registry else {entry.full_name}
        return {"enum": sorted(names, key=len)}

    def _options_of(self, entry: RegistryEntry, cls: type[Any]) -> str:
        """Return the reference to the schema of a plugin's options; they may be empty unless one is required."""
        if entry not in self._names:
            name = f"{entry.role}.{entry.origin}.{entry.name}"
            self._names[entry] = name
            try:
                schema = self.options(cls)
            except Exception:
                del self._names[entry]
                raise
            self.definitions[name] = schema if "required" in schema else schema | {"type": ["object", "null"]}
        return f"#/$defs/{self._names[entry]}"

    def _beside(self, option: Option, known: Mapping[str, Option]) -> Iterator[Schema]:
        """Yield rules that allow the options of the plugin that an option names, or those of all if it names none."""
        assert option.plugin is not None
        everything: dict[str, Schema] = {}
        for entry in self._fitting(option.plugin):
            inner = self._properties_of(entry)
            if inner["properties"].keys() & known.keys():  # the plugin is refused
                continue
            everything = inner["properties"] | everything
            names = {"propertyNames": {"enum": [*known, *inner["properties"]]}}
            then = {"$ref": self._defined(_Rest(entry.full_name, entry.role), functools.partial(dict, inner))} | names
            yield {"if": {"properties": {option.name: self._is(entry)}, "required": [option.name]}, "then": then}
        nothing = {"properties": {option.name: {"type": "null"}}}
        without = {"properties": everything, "propertyNames": {"enum": [*known, *everything]}}
        yield {"if": nothing, "then": without}

    def _properties_of(self, entry: RegistryEntry) -> Schema:
        """Return the schema's part of a plugin's options, which many options repeat."""
        if entry not in self._properties_by_entry:
            options = declared_options(ports_of(entry.resolve()).options)
            self._properties_by_entry[entry] = self._properties(options)
        return self._properties_by_entry[entry]


class _Rest(msgspec.Struct, frozen=True):
    """Key of the definition of the options of a plugin that stand beside it."""

    name: str
    role: str


def _required(known: Mapping[str, Option]) -> list[str]:
    return [name for name, option in known.items() if option.required]


def _scalar(hint: Any) -> Iterator[tuple[str, Schema]]:
    inner = bare(hint)
    if is_path(hint):
        yield "string", {"minLength": 1}
        return
    schema = {name: value for name, value in msgspec.json.schema(hint).items() if name not in ("type", "description")}
    schema.pop("examples", None)
    yield _JSON_TYPES[inner], schema
    if unit := unit_of(hint):
        units = "|".join(UNITS[unit])
        number = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
        yield "string", {"pattern": rf"^\s*{number}\s*({units})\s*$", "examples": [UNIT_EXAMPLES[unit]]}


def _choice(hint: Any) -> Iterator[tuple[str, Schema]]:
    """Yield the values of a ``Literal`` or an enumeration by type, or the schema of another type that msgspec takes."""
    inner = bare(hint)
    values = [member.value for member in inner] if is_enum(hint) else get_args(inner)
    if not values:
        schema = dict(msgspec.json.schema(inner))
        yield str(schema.pop("type", "any")), schema
    for kind, json_type in _JSON_TYPES.items():
        chosen = [value for value in values if type(value) is kind]
        if chosen:
            yield json_type, {"enum": chosen} if kind is not type(None) else {}


def _either(one: Schema, other: Schema) -> Schema:
    """Return a schema that allows what either of two schemas of one type allows."""
    if "enum" in one and "enum" in other:
        return {"enum": [*one["enum"], *other["enum"]]}
    if not one or not other or ("enum" in one and not set(other) & {"enum", "$ref", "if"}):
        return {"examples": one["enum"]} if "enum" in one else {}
    return {"anyOf": [one, other]}


def _combined(by_type: dict[str, Schema]) -> Schema:
    """Return the schema of values of several types."""
    types = list(by_type)
    others = [name for name in types if name != "null"]
    if others and all(set(by_type[name]) == {"enum"} for name in others):
        values = [value for name in others for value in by_type[name]["enum"]]
        return {"enum": [*values, None] if "null" in types else values}
    if len(types) == 1 and "$ref" in by_type[types[0]]:
        return by_type[types[0]]
    schema: Schema = {"type": types[0] if len(types) == 1 else types}
    rules = []
    for name in others:
        if len(types) > 1 and set(by_type[name]) & {"enum", "$ref", "if", "anyOf"}:
            rules.append({"if": {"type": name}, "then": by_type[name]})
        else:
            schema |= by_type[name]
    examples = [example for name in others for example in by_type[name].get("examples", ())]
    return schema | ({"allOf": rules} if rules else {}) | ({"examples": examples} if examples else {})
