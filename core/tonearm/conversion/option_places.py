"""The plugins of a conversion that have an option of some name: one rule for flags and for keywords."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from tonearm.arrays import ArrayOptions
from tonearm.errors.literals import all_of
from tonearm.errors.text import counted
from tonearm.pipeline.networks import needs_model
from tonearm.plugins.options import Option, declared_options
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import PluginError, Registry
from tonearm.plugins.target import has_same_signal

MAX_NAMED = 3
"""Largest number of plugins that a message or a help text names as those that have an option."""


class OptionPlace(Struct, frozen=True):
    """A stage of a pipeline, with the options that may be given to it.

    Parameters
    ----------
    path
        Path of the stage in the pipeline: ``input``, ``steps.1``, ``outputs.0``.
    plugin
        Name of its plugin.
    options
        Options by name; those of a decoder of arrays include the options of their kind.
    is_network
        Whether it is a network that was put in. An option that the decoder has as well is the same.
    """

    path: str
    plugin: str
    options: Mapping[str, Option]
    is_network: bool = False


def chosen_places(places: Sequence[OptionPlace], name: str) -> list[OptionPlace]:
    """Return the places that have an option: several only if they are plugins that may mean different things by it.

    A network takes what the decoder is told, so that the place of the decoder stands for both.
    """
    found = [place for place in places if name in place.options]
    return [place for place in found if not place.is_network] or found


def shared_places(places: Sequence[OptionPlace], chosen: OptionPlace, name: str) -> list[OptionPlace]:
    """Return the places that get an option: the chosen one, and the networks that have it as well as the decoder."""
    networks = [place for place in places if place.is_network and name in place.options]
    return [chosen, *networks] if chosen.path == "input" else [chosen]


def array_classes(registry: Registry, kind: str | None = None) -> dict[str, type[Any]]:
    """Return the classes that have the options of arrays: of all decoders, and of a kind, or of every kind if None."""
    found: dict[str, type[Any]] = dict.fromkeys(declared_options(ArrayOptions), ArrayOptions)
    kinds = list(registry.entries("kind"))
    chosen = [entry for entry in kinds if kind in (entry.name, entry.full_name)]
    for entry in chosen or kinds:  # a kind that does not exist is a problem of its own
        with contextlib.suppress(PluginError, TypeError):
            options = ports_of(entry.resolve()).options
            found.update({name: options for name in declared_options(options) if name not in found})
    return found


def option_places(
    registry: Registry,
    *,
    decoder: str,
    encoder: str,
    kind: str | None = None,
    inserted: Sequence[tuple[int, str]] = (),
) -> tuple[OptionPlace, ...]:
    """Return the places of options: the decoder, the encoder, and the transforms that were put in.

    Parameters
    ----------
    registry
        Registry of plugins.
    decoder, encoder
        Names of the plugins; an empty name stands for none.
    kind
        Kind of the arrays, if it is given.
    inserted
        Transforms that were put in, each with its index among the steps.
    """
    return tuple(_places(registry, decoder, encoder, kind, inserted))


def _places(
    registry: Registry, decoder: str, encoder: str, kind: str | None, inserted: Sequence[tuple[int, str]]
) -> Iterator[OptionPlace]:
    if decoder:
        own = ports_of(registry.find("decoder", decoder).resolve()).options
        found = array_classes(registry, kind) if issubclass(own, ArrayOptions) else {}
        of_arrays = {name: declared_options(cls)[name] for name, cls in found.items()}
        yield OptionPlace("input", decoder, {**of_arrays, **declared_options(own)})
    if encoder:
        yield OptionPlace("outputs.0", encoder, options_of(registry, "encoder", encoder))
    for index, name in inserted:
        ports = ports_of(registry.find("transform", name).resolve())
        yield OptionPlace(f"steps.{index}", name, declared_options(ports.options), is_network=needs_model(ports))


def options_of(registry: Registry, role: str, name: str) -> Mapping[str, Option]:
    """Return the options of a plugin by name."""
    return declared_options(ports_of(registry.find(role, name).resolve()).options)


def options_by_plugin(registry: Registry, role: str) -> Iterator[tuple[str, Mapping[str, Option]]]:
    """Yield the name and the options of each plugin of a role; those that cannot be loaded are left out."""
    for entry in registry.entries(role):
        with contextlib.suppress(PluginError, TypeError):
            yield registry.short_name(entry), declared_options(ports_of(entry.resolve()).options)


def plugins_with(registry: Registry, role: str, option: str) -> Iterator[str]:
    """Yield the names of the plugins of a role that have an option."""
    return (name for name, options in options_by_plugin(registry, role) if option in options)


def connecting_transforms(registry: Registry) -> Iterator[str]:
    """Yield the names of the transforms that may be put in: they give other signals than they take."""
    for entry in registry.entries("transform"):
        if has_same_signal(entry.target):
            continue
        with contextlib.suppress(PluginError, TypeError):
            ports = ports_of(entry.resolve())
            if not set(ports.takes) & set(ports.gives):
                yield registry.short_name(entry)


def named_plugins(names: Sequence[str]) -> str:
    """Return the first names of plugins as a list in prose, and how many others there are.

    Examples
    --------
    >>> named_plugins(["a", "b"]), named_plugins(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and 2 others')
    """
    more = len(names) - MAX_NAMED
    return all_of([*names[:MAX_NAMED], *([counted(more, "other")] if more > 0 else [])])


def named_in_vain(names: Sequence[str], what: str) -> str:
    """Return the names of plugins that have an option, and that they are not needed, applied or used."""
    return f"{named_plugins(names)}, which {'is' if len(names) == 1 else 'are'} not {what} here"
