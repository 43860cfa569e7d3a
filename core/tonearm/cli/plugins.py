"""``tonearm plugins``: what is installed, and what it takes."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tonearm.cli import console
from tonearm.errors import UsageError, did_you_mean
from tonearm.pipeline.options import declared_options
from tonearm.pipeline.schema import description_of, options_schema
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import PluginError, Registry, RegistryEntry, as_plugin_error
from tonearm.signals import Signal

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="show one plugin and its options, or one dialect")
    parser.add_argument(
        "--dialects",
        action="store_true",
        help="list the dialects of mel spectrograms that it knows; or spell out the one that NAME says",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: SimpleNamespace) -> int:
    """List all plugins, or describe one."""
    registry = console.load_registry()
    if arguments.dialects:
        from tonearm.cli import dialects

        plugin = arguments.name and _named(registry).get(arguments.name)
        if plugin and "dialect" not in declared_options(ports_of(plugin.resolve()).options):
            raise UsageError(f"{arguments.name} takes no dialect", code="no-dialect")
        return dialects.main(registry, name=None if plugin else arguments.name, as_json=arguments.json)
    if arguments.name:
        entry = _find(registry, arguments.name)
        row = described(registry, entry)
        definitions: dict[str, Any] = {}
        with as_plugin_error(entry.full_name):
            row["options"] = options_schema(ports_of(entry.resolve()).options, definitions)
        if definitions:
            row["$defs"] = definitions
        print(json.dumps(row, indent=2, ensure_ascii=False) if arguments.json else _page(row, entry))
        return console.DONE
    rows = []
    for entry in registry.entries():
        try:
            rows.append(described(registry, entry))
        except PluginError as error:
            console.print_warnings([error.problem])
    print(json.dumps(rows, indent=2, ensure_ascii=False) if arguments.json else _table(rows))
    return console.DONE


def _named(registry: Registry) -> dict[str, RegistryEntry]:
    names = {}
    for entry in registry.entries():
        if registry.is_bare(entry):
            names[entry.name] = entry
        names[entry.full_name] = entry
    return names


def _find(registry: Registry, name: str) -> RegistryEntry:
    names = _named(registry)
    if name not in names:
        hint = did_you_mean(name, names) or "tonearm plugins lists all"
        raise UsageError(f"there is no plugin {name!r}", code="unknown-plugin", hint=hint)
    return names[name]


def described(registry: Registry, entry: RegistryEntry) -> dict[str, Any]:
    """Return what the table and the page show."""
    plugin = entry.resolve()
    ports = ports_of(plugin)
    return {
        "name": registry.short_name(entry),
        "role": entry.role,
        "takes": _words(ports.takes),
        "gives": _words(ports.gives),
        "origin": entry.origin,
        "package": entry.package.label,
        "description": description_of(plugin),
    }


def _words(signals: tuple[type[Signal], ...]) -> list[str]:
    return ["any" if signal is Signal else signal.port for signal in signals]


def flow(row: dict[str, Any]) -> str:
    """Return what goes in and comes out, in ports."""
    ends = [" or ".join(words) for words in (row["takes"], row["gives"]) if words]
    if row["role"] == "transform":
        return " → ".join(ends)
    return f"→ {ends[0]}" if row["role"] == "decoder" else f"{ends[0]} →"


def _table(rows: list[dict[str, Any]]) -> str:
    """Return the plugins role by role, in columns."""
    name_width = max((len(row["name"]) for row in rows), default=0)
    flow_width = max((len(flow(row)) for row in rows), default=0)
    lines: list[str] = []
    for role in dict.fromkeys(row["role"] for row in rows):
        lines += ["", f"{role}s"] if lines else [f"{role}s"]
        for row in (row for row in rows if row["role"] == role):
            origin = "" if row["origin"] == "builtin" else f"[{row['package']}]"
            columns = f"  {row['name']:{name_width}}  {flow(row):{flow_width}}  "
            lines.append(columns + " ".join(filter(None, (row["description"], origin))))
    return "\n".join(lines)


def _page(row: dict[str, Any], entry: RegistryEntry) -> str:
    """Return one plugin with its options."""
    lines = [f"{row['name']}: {row['description']}", f"{row['role']}, {flow(row)}, from {row['package']}", ""]
    for option in declared_options(ports_of(entry.resolve()).options).values():
        schema = row["options"]["properties"][option.name]
        default = "required" if option.required else f"default {json.dumps(schema['default'], ensure_ascii=False)}"
        lines += [f"  {option.name}: {kind(schema)}, {default}", f"      {option.description}"]
    return "\n".join(lines) if len(lines) > 3 else "\n".join([*lines, "  no options"])


def kind(schema: dict[str, Any]) -> str:
    """Return what an option takes, in words."""
    if "anyOf" in schema:
        return " or ".join(kind(part) for part in schema["anyOf"] if part.get("type") != "null")
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"] if value is not None)
    if "$ref" in schema:
        return {"MelDialect": "dialect"}.get(schema["$ref"].rpartition("/")[2], "mapping")
    words = {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text"}
    word = str(schema.get("type", "any"))
    if word == "array":
        return f"list of {kind(schema.get('items', {}))}"
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {schema[name]}" for name, sign in signs.items() if name in schema]
    return " ".join([words.get(word, word), *bounds])
