"""Functions of a package that look like hooks, but that pluggy would ignore: misspelt or unmarked ones."""

from __future__ import annotations

import types
from collections.abc import Collection, Iterator

from msgspec import Struct

from tonearm.errors.text import nearest, one_line
from tonearm.plugins.discovery import PROJECT

_PREFIX = f"{PROJECT}_"


class IgnoredHook(Struct, frozen=True):
    """A function that is not a hook, although its name or its decorator looks like one.

    Parameters
    ----------
    name
        Name of the hook that the function seems to implement.
    message
        Description of the mistake.
    hint
        Advice for the author.
    """

    name: str
    message: str
    hint: str


def ignored_hooks(plugin: object, known: Collection[str]) -> Iterator[IgnoredHook]:
    """Yield the functions of a package's module or object that look like hooks, but are not.

    Parameters
    ----------
    plugin
        Module or object with the hook implementations.
    known
        Names of all hooks.
    """
    for attribute in dir(plugin):
        function = getattr(plugin, attribute, None)
        if not isinstance(function, (types.FunctionType, types.MethodType)) or hasattr(function, f"{PROJECT}_spec"):
            continue
        marker = getattr(function, f"{PROJECT}_impl", None)
        if marker is None and not attribute.startswith(_PREFIX):
            continue
        name = str((marker or {}).get("specname") or attribute)
        if name in known:
            if marker is None:
                message = f"{name} is not marked with @hookimpl, so it is never called"
                yield IgnoredHook(name, message, "put @hookimpl on the line above it")
        elif attribute == function.__name__ or getattr(plugin, function.__name__, None) != function:  # no second name
            near = nearest(name.removeprefix(_PREFIX), [other.removeprefix(_PREFIX) for other in known])
            hint = f"did you mean {_PREFIX + near!r}?" if near else f"hooks: {', '.join(known)}"
            yield IgnoredHook(name, f"there is no hook {one_line(name)!r}", hint)
