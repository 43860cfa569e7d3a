"""The state of bound plugins, from which another process restores them without importing anything else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from tonearm.errors import Place
from tonearm.pipeline.checked import BoundPlugin
from tonearm.pipeline.environment import Masks
from tonearm.plugins.culprit import has_foreign_code
from tonearm.plugins.discovery import Package
from tonearm.plugins.plugin import Plugin
from tonearm.plugins.ports import Spec, ports_of
from tonearm.plugins.registry import RegistryEntry

PluginState: TypeAlias = tuple[str, str, str, str, str, type[Plugin[Any]], Any, Place, Spec | None, Masks]


def plugin_state(bound: BoundPlugin) -> PluginState:
    """Return the state from which a bound plugin can be restored."""
    entry, plugin = bound.entry, bound.plugin
    origin, label = entry.package.origin, entry.package.label
    return (
        *(bound.name, entry.name, entry.role, origin, label, type(plugin), plugin.options),
        *(bound.place, bound.spec, bound.masks),
    )


def plugin_states(steps: Iterable[BoundPlugin]) -> list[PluginState]:
    """Return the states of several."""
    return [plugin_state(step) for step in steps]


def restored_stage(state: PluginState) -> BoundPlugin:
    """Return the plugin that a state was made of."""
    name, own_name, role, origin, label, cls, options, place, spec, masks = state
    package = Package(origin=origin, load=lambda: None, label=label)
    entry = RegistryEntry(own_name, role, cls, package)
    plugin = entry.bind(options, name)
    return BoundPlugin(name, entry, plugin, ports_of(cls), place, spec, masks, has_foreign_code(plugin))
