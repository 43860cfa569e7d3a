"""Which transforms lead from one port to another."""

from __future__ import annotations

from collections.abc import Iterable

from tonearm.ports import Ports, ports_of
from tonearm.registry import PluginError, Registry
from tonearm.signals import Signal

Signals = tuple[type[Signal], ...]


def fitting(given: Iterable[type[Signal]], taken: Signals) -> Signals:
    """Return those of the given signal classes that a port takes, or that may turn out to be of a class it takes."""
    return tuple(one for one in given if any(issubclass(one, other) or issubclass(other, one) for other in taken))


def find_way(registry: Registry, given: Signals, wanted: Signals) -> tuple[str, ...] | None:
    """Return the names of the fewest transforms that lead from one port to another; None if there is no way."""
    known = list(_transforms(registry))
    ways: list[tuple[tuple[str, ...], Signals]] = [((), given)]
    seen = {given}
    for names, signals in ways:  # grows while it is walked: breadth first
        if fitting(signals, wanted):
            return names
        for name, ports in known:
            if fitting(signals, ports.takes) and ports.gives not in seen:
                seen.add(ports.gives)
                ways.append(((*names, name), ports.gives))
    return None


def _transforms(registry: Registry) -> Iterable[tuple[str, Ports]]:
    """Yield every transform that can be used, with its ports."""
    for entry in registry.entries("transform"):
        try:
            yield entry.name if registry.is_bare(entry) else entry.full_name, ports_of(entry.resolve())
        except PluginError:
            continue
