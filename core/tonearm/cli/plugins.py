"""``tonearm plugins``: list the installed plugins, or the options of one."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from tonearm.cli import console, listing, styles
from tonearm.cli.option_words import nested_options, option_notes, option_type
from tonearm.cli.printing import align_columns
from tonearm.cli.wrapping import wrap, wrap_cells
from tonearm.errors import RunCommand, UsageError, did_you_mean
from tonearm.pipeline.option_schema import description_of
from tonearm.pipeline.schema import options_schema
from tonearm.plugins.block_plugins import BlockEncoder, BlockTransform
from tonearm.plugins.encoder import Encoder
from tonearm.plugins.nested import plain_value
from tonearm.plugins.options import Option, declared_options
from tonearm.plugins.plugin import Plugin
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import ROLES, PluginError, Registry, RegistryEntry, as_plugin_error
from tonearm.plugins.transform import Regroup, Transform
from tonearm.signals import Signal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="Plugin to describe")
    kinds = parser.add_mutually_exclusive_group()
    for argument in listing.LISTINGS:  # `tonearm dialects` is how it is written now
        kinds.add_argument(
            f"--{argument}", dest="listing", action="store_const", const=argument, help=argparse.SUPPRESS
        )
    parser.add_argument("--json", action="store_true", help="Print JSON")


def main(arguments: SimpleNamespace) -> int:
    """List all plugins, or describe one."""
    registry = console.load_registry()
    if arguments.listing:
        found = listing.find_listing(arguments.listing)
        plugin = arguments.name and _by_name(registry).get(arguments.name)
        if plugin and not _takes(registry, plugin, found.cls.noun):
            raise UsageError(f"{arguments.name} takes no {found.cls.noun}", code=f"no-{found.cls.noun}")
        return listing.print_listing(found, registry, name=None if plugin else arguments.name, as_json=arguments.json)
    if arguments.name:
        entry = _find(registry, arguments.name)
        row = plugin_row(registry, entry)
        definitions: dict[str, Any] = {}
        with as_plugin_error(entry.full_name):
            row["options"] = options_schema(ports_of(entry.resolve()).options, definitions, registry)
        if definitions:
            row["$defs"] = definitions
        console.print_data(
            json.dumps(row, indent=2, ensure_ascii=False) if arguments.json else _page(row, entry, registry)
        )
        return console.DONE
    rows = []
    for entry in registry.entries():
        try:
            rows.append(plugin_row(registry, entry))
        except PluginError as error:
            console.print_warnings([error.problem])
    console.print_data(json.dumps(rows, indent=2, ensure_ascii=False) if arguments.json else _table(rows))
    return console.DONE


def _by_name(registry: Registry) -> dict[str, RegistryEntry]:
    """Return the plugins by full name, and by short name where it is unambiguous."""
    names = {}
    for entry in registry.entries():
        names[registry.short_name(entry)] = entry
        names[entry.full_name] = entry
    return names


def _find(registry: Registry, name: str) -> RegistryEntry:
    names = _by_name(registry)
    if name not in names:
        for role in ROLES:
            registry.refuse_if_ambiguous(role, name)
        hint = did_you_mean(name, names)
        remedies = () if hint else (RunCommand(("tonearm", "plugins"), when="to list all plugins"),)
        raise UsageError(f"there is no plugin {name!r}", code="unknown-plugin", hint=hint, remedies=remedies)
    return names[name]


def plugin_row(registry: Registry, entry: RegistryEntry) -> dict[str, Any]:
    """Return a plugin's name, role, ports, package and description."""
    plugin = entry.resolve()
    ports = ports_of(plugin)
    return {
        "name": registry.short_name(entry),
        "role": entry.role,
        "takes": _port_names(ports.takes),
        "gives": _port_names(ports.gives),
        "origin": entry.origin,
        "package": entry.package.label,
        "description": description_of(plugin),
    }


def _port_names(signals: tuple[type[Signal], ...]) -> list[str]:
    return ["any" if signal is Signal else signal.port for signal in signals]


def port_flow(row: dict[str, Any]) -> str:
    """Return the ports that a plugin takes and gives, as in ``complex → waveform``; empty for an executor."""
    ends = [" or ".join(names) for names in (row["takes"], row["gives"]) if names]
    if row["role"] == "transform":
        return " → ".join(ends)
    if not ends:
        return ""
    return f"→ {ends[0]}" if row["role"] in ("decoder", "kind") else f"{ends[0]} →"


def note_on_blocks(plugin: type[Plugin[Any]]) -> str:
    """Return whether a transform or an encoder works in streams, and what to use instead; empty for other roles."""
    if issubclass(plugin, (BlockTransform, BlockEncoder)):
        return "works block by block, so it can stream"
    if not issubclass(plugin, (Transform, Regroup, Encoder)):
        return ""
    return f"needs the whole signal; in a stream, {plugin.instead}" if plugin.instead else "needs the whole signal"


def _table(rows: list[dict[str, Any]]) -> str:
    """Return the plugins in columns, role by role."""
    width = styles.terminal_width(console.data())
    lines: list[str] = []
    for role, group in itertools.groupby(rows, lambda row: row["role"]):
        members = list(group)
        lines += ["", f"{role}s"] if lines else [f"{role}s"]
        names = align_columns([(row["name"], port_flow(row)) for row in members], left=(0, 1))
        texts = [
            row["description"] if row["origin"] == "builtin" else f"{row['description']} [{row['package']}]".lstrip()
            for row in members
        ]
        lines += [f"  {line}" for line in wrap_cells(names, texts, None if width is None else width - 2)]
    return "\n".join(lines)


def _takes(registry: Registry, entry: RegistryEntry, option: str) -> bool:
    """Return whether a plugin has an option, itself or by a plugin whose options stand beside its own."""
    known = declared_options(ports_of(entry.resolve()).options)
    if option in known:
        return True
    roles = {one.plugin.role for one in known.values() if one.plugin and one.is_beside}
    return any(_takes(registry, inner, option) for role in roles for inner in _usable(registry, role))


def _usable(registry: Registry, role: str) -> Iterator[RegistryEntry]:
    for entry in registry.entries(role):
        try:
            entry.resolve()
        except PluginError:
            continue
        yield entry


def _page(row: dict[str, Any], entry: RegistryEntry, registry: Registry) -> str:
    """Return the description of one plugin and its options."""
    width = styles.terminal_width(console.data())
    kind = ", ".join(filter(None, (row["role"], port_flow(row), f"from {row['package']}")))
    lines = [*wrap(f"{row['name']}: {row['description']}", width), *wrap(kind, width)]
    note = note_on_blocks(entry.resolve())
    lines += [*(wrap(note, width) if note else ()), ""]
    options = declared_options(ports_of(entry.resolve()).options)
    for indent, text in _option_lines(options.values(), registry):
        lines += wrap(text, width, indent, f"{indent}  ")
    return "\n".join(lines if options else [*lines, "  no options"])


def _option_lines(
    options: Iterable[Option], registry: Registry, indent: str = "  ", within: tuple[type[Any], ...] = ()
) -> Iterator[tuple[str, str]]:
    """Yield the lines about options, each with its indent; those of a mapping stand below it."""
    for option in options:
        default = "required" if option.required else f"default {_plain(option.default)}"
        yield indent, f"{option.name}: {option_type(option.type)}, {default}"
        for note in filter(None, (option.description, *option_notes(option, registry))):
            yield f"{indent}    ", note
        for count, (cls, inner) in enumerate(nested_options(option, within)):
            if count:
                yield f"{indent}    ", "or"
            yield from _option_lines(inner, registry, f"{indent}    ", (*within, cls))


def _plain(value: Any) -> str:
    """Return the default of an option as JSON."""
    return json.dumps(plain_value(value), ensure_ascii=False)
