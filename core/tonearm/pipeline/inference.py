"""Which plugin reads or writes a file by its name, and which transforms lead from one port to another."""

from __future__ import annotations

import os
from collections.abc import Iterable

from tonearm.errors import ChooseOption, GiveOption, RunCommand, UsageError, one_line
from tonearm.plugins.ports import Ports, ports_of
from tonearm.plugins.registry import PluginError, Registry, RegistryEntry
from tonearm.signals import Signal

Signals = tuple[type[Signal], ...]


def matching_signals(given: Iterable[type[Signal]], taken: Signals) -> Signals:
    """Return those of the given signal classes that a port takes, or that may turn out to be of a class it takes."""
    return tuple(one for one in given if any(issubclass(one, other) or issubclass(other, one) for other in taken))


def plugins_by_suffix(registry: Registry, role: str, name: str) -> list[RegistryEntry]:
    """Return the plugins that read (or write) files with the suffix of a name; those with the longest one it has."""
    base = os.path.basename(name.rstrip("/")).lower()  # noqa: PTH119
    found: dict[int, list[RegistryEntry]] = {}
    for entry in registry.entries(role):
        try:
            plugin = entry.resolve()
        except PluginError:
            continue
        longest = max((len(suffix) for suffix in getattr(plugin, "suffixes", ()) if base.endswith(suffix)), default=0)
        found.setdefault(longest, []).append(entry)
    return found[max(found)] if found and max(found) else []


def plugin_by_suffix(registry: Registry, role: str, name: str) -> RegistryEntry:
    """Return the only plugin that reads (or writes) files with the suffix of a name.

    Raises
    ------
    UsageError
        If there is no plugin for the suffix, or more than one.
    """
    found = plugins_by_suffix(registry, role, name)
    if len(found) == 1:
        return found[0]
    if found:
        names = tuple(registry.short_name(entry) for entry in found)
        message = f"several {role}s fit {one_line(name)}: {', '.join(names)}"
        raise UsageError(message, code="ambiguous-suffix", remedies=(ChooseOption(role, names),))
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
    message = f"no {role} {'reads' if role == 'decoder' else 'writes'} {suffix or 'a name with no suffix'}"
    remedies = (GiveOption(role), RunCommand(("tonearm", "plugins"), when="to list all plugins"))
    raise UsageError(message, code="unknown-suffix", remedies=remedies)


def find_conversion(registry: Registry, given: Signals, wanted: Signals) -> tuple[str, ...] | None:
    """Return the names of the fewest transforms that lead from one port to another; None if there is no way."""
    known = list(_transforms(registry))
    ways: list[tuple[tuple[str, ...], Signals]] = [((), given)]
    seen = {given}
    for names, signals in ways:  # grows while it is walked: breadth first
        if matching_signals(signals, wanted):
            return names
        for name, ports in known:
            if matching_signals(signals, ports.takes) and ports.gives not in seen:
                seen.add(ports.gives)
                ways.append(((*names, name), ports.gives))
    return None


def _transforms(registry: Registry) -> Iterable[tuple[str, Ports]]:
    """Yield every transform that can be used, with its ports."""
    for entry in registry.entries("transform"):
        try:
            yield registry.short_name(entry), ports_of(entry.resolve())
        except PluginError:
            continue
