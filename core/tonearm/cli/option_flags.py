"""The options of decoders, kinds and encoders as flags of ``tonearm convert``."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from msgspec import Struct

from tonearm.cli.option_words import option_notes
from tonearm.conversion.option_places import (
    array_classes,
    connecting_transforms,
    named_in_vain,
    named_plugins,
    option_places,
    shared_places,
)
from tonearm.errors import UsageError
from tonearm.pipeline.document import escape_variables, override
from tonearm.pipeline.inference import plugins_by_suffix
from tonearm.pipeline.option_scalars import takes, takes_list
from tonearm.pipeline.yaml.nodes import Node
from tonearm.plugins.option_types import alternatives, bare, choices, names_file
from tonearm.plugins.options import Option, declared_options
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import PluginError, Registry, RegistryEntry

PREFIX = "with_"
"""Prefix of the names that parsed flags have."""

GROUPS: Mapping[str, str] = {
    "Options of single decoders": "decoder",
    "Options of single encoders": "encoder",
    "Options of transforms that are put in": "transform",
}
"""Groups of flags in the help, after those of all arrays, each with the role of the plugins."""


class OptionFlag(Struct, frozen=True):
    """A flag, and the options that it sets.

    Parameters
    ----------
    group
        Group of the flag in the help.
    name
        Name of the option.
    classes
        Name of each plugin that has the option, and the class of its options; the name is empty for options of arrays.
    """

    group: str
    name: str
    classes: tuple[tuple[str, type[Any]], ...]

    @property
    def owners(self) -> tuple[tuple[str, Option], ...]:
        """Name of each plugin, and the option; plugins whose options cannot be described are left out.

        It takes time to describe options, so this is for help, and for flags that are given.
        """
        found = []
        for plugin, options in self.classes:
            with contextlib.suppress(TypeError):
                found.append((plugin, declared_options(options)[self.name]))
        return tuple(found)

    def description(self, registry: Registry) -> str:
        """Return the description of the option, or those of each plugin that has one of this name."""
        users: dict[str, list[str]] = {}
        for name, option in self.owners:
            values = enumerated(option.type)
            one_of = [f"One of {', '.join(values)}."] if len(values) > 1 else []
            notes = option_notes(option, registry) if not name else ()
            users.setdefault(" ".join((option.description, *one_of, *notes)), []).append(name)
        return " ".join(f"{named_plugins(names)}: {text}" if names[0] else text for text, names in users.items())

    @property
    def metavar(self) -> str:
        """Name of the value in the help."""
        hints = [bare(one) for _, option in self.owners for one in alternatives(option.type)]
        if any(map(names_file, (one for _, option in self.owners for one in alternatives(option.type)))):
            return "FILE"
        return "N" if {int, float, type(None)}.issuperset(hints) else "VALUE"


class _FlagAction(argparse.Action):
    """Action that stores the value of a flag; only help takes the time to describe it.

    Parameters
    ----------
    found
        Flag.
    registry
        Registry of plugins.
    more
        Parameters of the base class.
    """

    def __init__(self, found: OptionFlag, registry: Registry, **more: Any) -> None:
        self._found = found
        self._registry = registry
        super().__init__(**more)

    @property
    def help(self) -> str | None:
        """Description of the option."""
        return self._found.description(self._registry).replace("%", "%%")

    @help.setter  # noqa: A003 - argparse's name
    def help(self, value: str | None) -> None:
        """Ignore the description that the base class sets."""

    @property
    def metavar(self) -> str | tuple[str, ...] | None:
        """Name of the value."""
        return self._found.metavar

    @metavar.setter
    def metavar(self, value: str | tuple[str, ...] | None) -> None:
        """Ignore the name that the base class sets."""

    def __call__(self, _parser: object, namespace: argparse.Namespace, values: object, _option: object = None) -> None:
        """Store the value."""
        setattr(namespace, self.dest, values)


def enumerated(hint: Any) -> list[str]:
    """Return the values that a type takes if it takes no others; a list of the type counts as the type."""
    found: list[str] = []
    for one in alternatives(hint):
        if bare(one) is bool:
            found += ["true", "false"]
        elif values := choices(one):
            found += values
        elif bare(one) is not type(None):
            return []
    return found


def option_flags(registry: Registry) -> Mapping[str, OptionFlag]:
    """Return the flags by name: the options of all arrays, decoders, encoders, and transforms that may be put in."""
    connecting = set(connecting_transforms(registry))
    transforms = [one for one in registry.entries("transform") if registry.short_name(one) in connecting]
    return _flags(registry, (*registry.entries("decoder"), *registry.entries("encoder"), *transforms))


def _flags(registry: Registry, entries: Sequence[RegistryEntry]) -> Mapping[str, OptionFlag]:
    """Return the flags of all arrays, and of some plugins, by name."""
    found = _array_flags(registry)
    for group, role in GROUPS.items():
        owners: dict[str, list[tuple[str, type[Any]]]] = {}
        for entry in (one for one in entries if one.role == role):
            with contextlib.suppress(PluginError, TypeError):
                options = ports_of(entry.resolve()).options
                own = vars(options).get("__annotations__", {})
                for field in sorted(dataclasses.fields(options), key=lambda field: field.name not in own):
                    if field.name not in found or (role == "transform" and found[field.name].group in GROUPS):
                        owners.setdefault(field.name, []).append((registry.short_name(entry), options))
        for name, users in owners.items():
            first = found.get(name, OptionFlag(group, name, ()))
            found[name] = OptionFlag(first.group, name, (*first.classes, *users))
    return found


def _array_flags(registry: Registry) -> dict[str, OptionFlag]:
    """Return the flags of all arrays by name. No decoder, encoder or transform is imported for them."""
    return {name: OptionFlag("The array", name, (("", cls),)) for name, cls in array_classes(registry).items()}


def add_array_flags(parser: argparse.ArgumentParser, registry: Registry) -> None:
    """Add the flags of all arrays, but those whose names other flags have."""
    _add(parser, registry, _array_flags(registry))


def add_plugin_flags(parser: argparse.ArgumentParser, registry: Registry) -> None:
    """Add the flags of decoders, encoders and transforms, but those whose names other flags have.

    It takes longer than a small file to import all of them, which only few command lines need.
    """
    _add(parser, registry, option_flags(registry))


def add_suffix_flags(parser: argparse.ArgumentParser, registry: Registry, words: Sequence[str]) -> None:
    """Add the flags of the plugins that the suffixes of files select: the first name is a source, the last a target."""
    names = [word for word in words if not word.startswith("-")]
    decoders = (plugins_by_suffix(registry, "decoder", name) for name in names)
    encoders = (plugins_by_suffix(registry, "encoder", name) for name in reversed(names))
    found = [*next(filter(None, decoders), ()), *next(filter(None, encoders), ())]
    _add(parser, registry, _flags(registry, found))


def _add(parser: argparse.ArgumentParser, registry: Registry, flags: Mapping[str, OptionFlag]) -> None:
    taken = {text for action in parser._actions for text in action.option_strings}  # noqa: SLF001 - no other way to ask
    taken |= {"--color", "--debug"}  # every command has them
    groups: dict[str, Any] = {}
    for name, found in flags.items():
        flag = f"--{name.replace('_', '-')}"
        if flag in taken:
            continue
        if found.group not in groups:
            groups[found.group] = parser.add_argument_group(found.group)
        groups[found.group].add_argument(
            flag, dest=f"{PREFIX}{name}", action=_FlagAction, found=found, registry=registry
        )


def with_option_flags(
    root: Node,
    arguments: SimpleNamespace,
    registry: Registry,
    decoder: str,
    encoder: str,
    inserted: Sequence[tuple[int, str]] | None = None,
) -> Node:
    """Return a pipeline with the flags as options of the first plugin that has the option.

    That is the decoder, then the encoder, then a transform that was put in.

    Parameters
    ----------
    root
        Pipeline.
    arguments
        Parsed flags.
    registry
        Registry of plugins.
    decoder, encoder
        Names of the plugins.
    inserted
        Transforms that were put in, each with its index among the steps; None before they are known.

    Raises
    ------
    UsageError
        If the transform that has the option was not put in.
    """
    kind = getattr(arguments, f"{PREFIX}kind", None)
    places = option_places(registry, decoder=decoder, encoder=encoder, kind=kind, inserted=inserted or ())
    for name, value in _given(arguments):
        place = next((place for place in places if name in place.options), None)
        flags = {} if place else option_flags(registry)  # which imports every plugin
        role = "decoder" if place else GROUPS.get(flags[name].group, "decoder")
        if role == "transform":
            if inserted is not None:
                raise _not_put_in(flags[name])
            continue
        if place is None:
            path = {"decoder": "input", "encoder": "outputs.0"}[role]  # the check refuses it there
            root = override(root, f"{path}.with.{name}={_as_yaml(value, None)}")
        for one in shared_places(places, place, name) if place else ():
            root = override(root, f"{one.path}.with.{name}={_as_yaml(value, one.options[name])}")
    return root


def _not_put_in(found: OptionFlag) -> UsageError:
    names = list(dict.fromkeys(name for name, _ in found.classes))
    flag = f"--{found.name.replace('_', '-')}"
    return UsageError(
        f"{flag} is an option of {named_in_vain(names, 'needed')}",
        code="unknown-option",
        hint=f"leave {flag} out, or apply it by --step {names[0]}:{found.name}=…",
    )


def _given(arguments: SimpleNamespace) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the flags that were given."""
    for flag, value in vars(arguments).items():
        name = flag.removeprefix(PREFIX)
        if flag.startswith(PREFIX) and value is not None:
            yield name, value


def _as_yaml(value: str, option: Option | None) -> str:
    """Return the value of a flag as YAML: text needs no quotes, as in ``*.npy``, and a list no brackets."""
    import json

    if option is None:
        return json.dumps(escape_variables(value))
    parts = [part.strip() for part in value.strip("[]").split(",")]
    numbers = [int(part) for part in parts if part.removeprefix("-").isdecimal()]
    for candidate in (value, parts, *([numbers] if len(numbers) == len(parts) else ())):
        if takes(option.type, candidate):
            return json.dumps(escape_variables(candidate))
    # The value is wrong. If it is a list, the problem is one of its parts.
    return json.dumps(escape_variables(parts)) if len(parts) > 1 and takes_list(option.type) else value
