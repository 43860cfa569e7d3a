"""The plugins in the options of a plugin, and the options as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tonearm.plugins.options import declared_options
from tonearm.plugins.plugin import Plugin, PluginIdentity


def nested_plugins(plugin: Plugin[Any]) -> Iterator[Plugin[Any]]:
    """Yield the plugins in the options of a plugin, to any depth; each comes after those in its own options."""
    return _plugins_in(plugin.options)


def _plugins_in(value: Any) -> Iterator[Plugin[Any]]:
    if isinstance(value, Plugin):
        yield from _plugins_in(value.options)
        yield value
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _plugins_in(inner)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _plugins_in(inner)
    elif dataclasses.is_dataclass(value) or isinstance(value, msgspec.Struct):
        for name in declared_options(type(value)):
            yield from _plugins_in(getattr(value, name))


def plugin_identity(plugin: Plugin[Any]) -> PluginIdentity:
    """Return the identity of a plugin; its class stands for its name if the host has not bound it, as in a default."""
    if plugin.registered.full_name:
        return plugin.registered
    name = f"{type(plugin).__module__}:{type(plugin).__qualname__}"
    return PluginIdentity(name=name, full_name=name)


def plain_options(options: Any) -> dict[str, Any]:
    """Return options with their defaults as plain data, as a pipeline has them.

    A plugin becomes ``{"use": name, "package": …, "with": options}``. If its options stand beside it, it becomes its
    name, and they follow.
    """
    plain: dict[str, Any] = {}
    for option in declared_options(type(options)).values():
        value = getattr(options, option.name)
        if option.is_beside and isinstance(value, Plugin):
            plain |= {option.name: plugin_identity(value).name} | plain_options(value.options)
        else:
            plain[option.name] = plain_value(value)
    return plain


def plain_value(value: Any) -> Any:
    """Return the value of an option as plain data."""
    if isinstance(value, Plugin):
        known = plugin_identity(value)
        return {"use": known.name, "package": known.package, "with": plain_options(value.options)}
    if isinstance(value, (list, tuple)):
        return [plain_value(inner) for inner in value]
    if isinstance(value, Mapping):
        return {str(name): plain_value(inner) for name, inner in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain_options(value)
    return msgspec.to_builtins(value, order="deterministic", enc_hook=_hook)


def _hook(value: Any) -> Any:
    """Return a value that msgspec does not know as plain data: a plugin, or a path."""
    from pathlib import PurePath

    if isinstance(value, Plugin):
        return plain_value(value)
    if isinstance(value, PurePath):
        return str(value)
    raise NotImplementedError(f"an option holds {type(value).__name__}, which is no plain data")
