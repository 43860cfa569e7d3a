"""Keywords of a call as options: of the decoder, of the encoder, or of a transform that was put in."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from tonearm.arrays import ArrayOptions
from tonearm.errors import UsageError, did_you_mean, one_line
from tonearm.pipeline.document import assigned, from_plain
from tonearm.pipeline.yaml.nodes import Node
from tonearm.plugins.options import declared_options
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import PluginError, Registry


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


def with_keywords(
    root: Node,
    given: Mapping[str, object],
    registry: Registry,
    *,
    decoder: str,
    encoder: str,
    inserted: Sequence[tuple[int, str]] | None,
) -> Node:
    """Return a pipeline with keywords as options of the plugin that has an option of the name.

    Parameters
    ----------
    root
        Pipeline.
    given
        Keywords and their values.
    registry
        Registry of plugins.
    decoder, encoder
        Names of the plugins; an empty encoder has no options.
    inserted
        Transforms that were put in, each with its place among the steps; None before they are known. Then keywords
        that the decoder does not have are left out.

    Raises
    ------
    UsageError
        If no plugin has an option of the name, or several have.
    """
    kind = given.get("kind")
    classes = array_classes(registry, kind if isinstance(kind, str) else None)
    places = {"input": {**classes, **declared_options(_options(registry, "decoder", decoder))}}
    if inserted is not None:
        if encoder:
            places["outputs.0"] = dict(declared_options(_options(registry, "encoder", encoder)))
        for index, name in inserted:
            places[f"steps.{index}"] = dict(declared_options(_options(registry, "transform", name)))
    for name, value in given.items():
        found = [place for place, names in places.items() if name in names]
        if len(found) > 1:
            raise UsageError(f"several plugins have the option {name}", code="ambiguous-option")
        if not found and inserted is not None:
            known = sorted({one for names in places.values() for one in names})
            raise UsageError(
                f"there is no option {one_line(name)}", code="unknown-option", hint=did_you_mean(name, known)
            )
        for place in found:
            root = assigned(root, [*place.split("."), "with", name], from_plain(value))
    return root


def _options(registry: Registry, role: str, name: str) -> type[Any]:
    return ports_of(registry.find(role, name).resolve()).options
