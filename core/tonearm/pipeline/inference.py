"""Which plugin reads or writes a file by its name, and which transforms lead from one port to another."""

from __future__ import annotations

import os
from collections.abc import Iterable

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
