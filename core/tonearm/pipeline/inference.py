"""Inference of plugins: by the suffix of a file, and by the ports that transforms must connect."""

from __future__ import annotations

import os
from collections.abc import Iterable

from tonearm.plugins.ports import Ports, ports_of
from tonearm.plugins.registry import PluginError, Registry, RegistryEntry
from tonearm.signals import Signal

Signals = tuple[type[Signal], ...]


def matching_signals(given: Iterable[type[Signal]], taken: Signals) -> Signals:
    """Return the given signal classes that a port takes, including base classes of those that it takes."""
    return tuple(one for one in given if any(issubclass(one, other) or issubclass(other, one) for other in taken))


def plugins_by_suffix(registry: Registry, role: str, name: str) -> list[RegistryEntry]:
    """Return the plugins of a role for the suffix of a file name; the longest matching suffix wins."""
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
    """Return the names of the shortest chain of transforms between two ports; None if there is none."""
    known = list(_transforms(registry))
    ways: list[tuple[tuple[str, ...], Signals]] = [((), given)]
    seen = {given}
    for names, signals in ways:  # the list grows during the loop: breadth-first search
        if matching_signals(signals, wanted):
            return names
        for name, ports in known:
            if matching_signals(signals, ports.takes) and ports.gives not in seen:
                seen.add(ports.gives)
                ways.append(((*names, name), ports.gives))
    return None


def _transforms(registry: Registry) -> Iterable[tuple[str, Ports]]:
    """Yield the names and ports of all usable transforms."""
    for entry in registry.entries("transform"):
        try:
            yield registry.short_name(entry), ports_of(entry.resolve())
        except PluginError:
            continue
