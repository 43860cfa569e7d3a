"""The options that a plugin declares: the fields of its dataclass, with their types, bounds and descriptions."""

from __future__ import annotations

import dataclasses
import functools
import operator
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec

from tonearm.plugins.option_types import alternatives, bare, check_hints, container, extra_of, is_record, is_union
from tonearm.plugins.plugin import BESIDE, IF_ABSENT, SINCE, Plugin
from tonearm.plugins.ports import Ports, port_arguments
from tonearm.signals import Signal


class PluginType(msgspec.Struct, frozen=True):
    """The type of an option whose value is a plugin.

    Parameters
    ----------
    base
        Base class of the plugins that fit: that of a role, such as `Transform`, or a subclass of it.
    takes
        Signal classes that the plugin must take; empty if any fit.
    gives
        Signal classes that the plugin may give; empty if any fit.
    options
        Base class of the plugin's options; None if any fit.
    """

    base: type[Plugin[Any]]
    takes: tuple[type[Signal], ...] = ()
    gives: tuple[type[Signal], ...] = ()
    options: type[Any] | None = None

    @property
    def role(self) -> str:
        """Role of the plugins."""
        return self.base.role

    def fits(self, plugin: type[Plugin[Any]], ports: Ports) -> bool:
        """Return whether a plugin class with these ports fits."""
        return (
            issubclass(plugin, self.base)
            and all(any(issubclass(one, taken) for taken in ports.takes) for one in self.takes)
            and (not self.gives or all(any(issubclass(one, given) for given in self.gives) for one in ports.gives))
            and (self.options is None or issubclass(ports.options, self.options))
        )


class Option(msgspec.Struct, frozen=True):
    """One option, as declared by its dataclass.

    Parameters
    ----------
    name
        Name of the option.
    type
        Type that msgspec converts values to, with its bounds.
    default
        Default value; `dataclasses.MISSING` if the option is required. For a plugin, the name of the default.
    description
        Description from the ``Meta`` of the type.
    extra
        Other properties from the ``Meta`` of the type: see `tonearm.plugins.plugin`.
    plugin
        Type of the plugins that the option takes; None if it takes none.
    examples
        Examples of values, from the ``Meta`` of the type.
    """

    name: str
    type: Any
    default: Any
    description: str
    extra: Mapping[str, Any] = {}
    plugin: PluginType | None = None
    examples: tuple[Any, ...] = ()

    @property
    def is_beside(self) -> bool:
        """Whether the options of the plugin that the option names stand beside it, not under ``with:``."""
        return bool(self.extra.get(BESIDE))

    @property
    def since(self) -> str:
        """First version of the plugin's package that has the option; empty if unknown."""
        return str(self.extra.get(SINCE, ""))

    @property
    def required(self) -> bool:
        """Whether the option is required."""
        return self.default is dataclasses.MISSING


def declared_options(options: type[Any]) -> Mapping[str, Option]:
    """Return the options that a dataclass or struct declares, in order.

    Raises
    ------
    TypeError
        If an option, or one of a dataclass in the options, has a type that is not supported.
    """
    return _checked(typing.cast("Any", options))


@functools.cache
def _checked(options: Any) -> Mapping[str, Option]:
    known = _declared(options)
    _check_types(options, set())
    return known


def _check_types(options: Any, seen: set[Any]) -> None:
    """Raise `TypeError` if an option has a type that is not supported."""
    hints = {name: option.type for name, option in _declared(options).items()}
    check_hints(options.__name__, hints)
    _check_defaults(options)
    seen.add(options)
    for record in (one for hint in hints.values() for one in _records_in(hint)):
        if record not in seen:
            _check_types(record, seen)


def _check_defaults(options: Any) -> None:
    """Raise `TypeError` if a number that is the default of an option is out of the option's bounds."""
    for option in _declared(options).values():
        if type(option.default) not in (int, float):
            continue
        reason = ""
        for one in alternatives(option.type):
            if bare(one) in (int, float):
                try:
                    msgspec.convert(option.default, one)
                except msgspec.ValidationError as error:
                    reason = str(error)
                else:
                    break
        else:
            if reason:
                message = f"option {option.name!r} of {options.__name__} has the default {option.default}: {reason}"
                raise TypeError(message)


def _records_in(hint: Any) -> Iterator[type[Any]]:
    """Yield the dataclasses in a type."""
    for one in alternatives(hint):
        if is_record(one):
            if dataclasses.is_dataclass(bare(one)):  # msgspec checks the types of its structs
                yield bare(one)
        elif container(one) is not None:
            yield from (record for part in typing.get_args(bare(one)) for record in _records_in(part))


@functools.cache
def _declared(options: Any) -> Mapping[str, Option]:
    hints = typing.get_type_hints(options, include_extras=True)
    found = {}
    for name, default in _defaults(options):
        description, examples = _meta_of(hints[name])
        hint = _inner_bounds(hints[name])
        extra = extra_of(hint)
        default = extra.get(IF_ABSENT, default)
        found[name] = Option(name, hint, default, description, extra, plugin_type(hint), examples)
    return found


def _defaults(options: Any) -> Iterator[tuple[str, Any]]:
    """Yield each field of a dataclass or struct with its default."""
    if not dataclasses.is_dataclass(options):
        for field in msgspec.structs.fields(options):
            made = field.default_factory is not msgspec.NODEFAULT
            default = field.default_factory() if made else field.default
            yield field.name, dataclasses.MISSING if field.required else default
        return
    for one in _own_first(options):
        if one.init:
            yield one.name, one.default if one.default_factory is dataclasses.MISSING else one.default_factory()


def _own_first(options: Any) -> list[dataclasses.Field[Any]]:
    """Return the fields of a dataclass, its own before those of the classes that it inherits."""
    order: dict[str, int] = {}
    for depth, cls in enumerate(reversed(options.__mro__)):
        for name in vars(cls).get("__dataclass_fields__", {}):
            order.setdefault(name, -depth)
    return sorted(dataclasses.fields(options), key=lambda one: order[one.name])


def _inner_bounds(hint: Any) -> Any:
    """Return a type with its bounds moved to where msgspec accepts them.

    msgspec accepts ``Annotated[int, Meta(ge=1)] | None``, but not ``Annotated[int | None, Meta(ge=1)]``. Options may
    use both forms.
    """
    if typing.get_origin(hint) is not Annotated or not is_union(hint.__origin__):
        return hint
    inner, *metas = typing.get_args(hint)
    parts = [part for part in typing.get_args(inner) if part is not type(None)]
    if len(parts) == 1:
        bounded: Any = operator.getitem(typing.cast("Any", Annotated), (parts[0], *metas))
        return bounded | None
    return functools.reduce(operator.or_, alternatives(hint))


def _meta_of(hint: Any) -> tuple[str, tuple[Any, ...]]:
    """Return the description and the examples of a type."""
    metas = [meta for meta in typing.get_args(hint)[1:] if isinstance(meta, msgspec.Meta)]
    if typing.get_origin(hint) is not Annotated:
        return "", ()
    description = next((meta.description for meta in metas if meta.description), "")
    return description, tuple(next((meta.examples for meta in metas if meta.examples), ()))


@functools.cache
def plugin_type(hint: Any) -> PluginType | None:
    """Return the type of the plugins that a type takes: itself, or an alternative of a union; None if there is none."""
    base = typing.get_origin(hint) or hint
    if base is Annotated or is_union(hint):
        parts = typing.get_args(hint)[:1] if base is Annotated else typing.get_args(hint)
        return next(filter(None, map(plugin_type, parts)), None)
    if not (isinstance(base, type) and issubclass(base, Plugin)):
        return None
    given = port_arguments(base, typing.get_args(hint))
    options = given.get("options")
    return PluginType(
        base,
        _signal_classes(given.get("takes")),
        _signal_classes(given.get("gives")),
        options if isinstance(options, type) and dataclasses.is_dataclass(options) else None,
    )


def _signal_classes(hint: Any) -> tuple[type[Signal], ...]:
    """Return the signal classes of a generic argument; none if it may be any."""
    parts = typing.get_args(hint) if is_union(hint) else (hint,)
    return tuple(part for part in parts if isinstance(part, type) and issubclass(part, Signal))
