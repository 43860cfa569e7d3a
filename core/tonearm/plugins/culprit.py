"""The culprit of an exception: the innermost plugin on its traceback, which may be one in the options of another."""

from __future__ import annotations

from typing import Any

from tonearm.names import BUILTIN
from tonearm.plugins.nested import nested_plugins
from tonearm.plugins.plugin import Plugin


def culprit_of(error: BaseException) -> Plugin[Any] | None:
    """Return the innermost plugin on the traceback of an exception; None if there is none."""
    found: Plugin[Any] | None = None
    trace = error.__traceback__
    while trace is not None:
        owner = trace.tb_frame.f_locals.get("self")
        if isinstance(owner, Plugin) and getattr(owner, "registered", None) and owner.registered.name:
            found = owner
        trace = trace.tb_next
    return found


def blamed_name(name: str, plugin: Plugin[Any] | None, error: BaseException | None) -> str:
    """Return the name of the plugin to blame in messages.

    Parameters
    ----------
    name
        Name of the stage.
    plugin
        Plugin of the stage; None if unknown.
    error
        Exception; None if the plugin gave something wrong.

    Returns
    -------
    str
        Name of the stage, followed by that of the plugin in its options that raised the exception. If none did, it is
        followed by the names of all that come from other packages, because their results may be wrong.
    """
    culprit = culprit_of(error) if error is not None else None
    if culprit is not None and culprit is not plugin:
        inner = culprit.registered.name
        return name if inner in name.replace(":", " ").split() else f"{name}: {inner}"
    foreign = foreign_in(plugin) if plugin is not None else []
    return f"{name} with {' and '.join(foreign)}" if foreign else name


def foreign_in(plugin: Plugin[Any]) -> list[str]:
    """Return the names of the plugins in the options of a plugin that come from other packages."""
    try:
        nested = list(nested_plugins(plugin))
    except Exception:  # options that are no options
        return []
    return [one.registered.name for one in nested if one.registered.name and not _is_builtin(one)]


def has_foreign_code(plugin: Plugin[Any]) -> bool:
    """Return whether a plugin, or one in its options, comes from another package."""
    return not _is_builtin(plugin) or bool(foreign_in(plugin))


def _is_builtin(plugin: Plugin[Any]) -> bool:
    return plugin.registered.full_name.startswith(f"{BUILTIN}/")
