"""The hook specs: they only hand over plugins by name; YAML alone orders them.

A value is a plugin class, or ``"module:Class"``, which is imported when a pipeline first uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import pluggy

from tonearm.plugins.contract import Decoder, Encoder, Regroup, Transform
from tonearm.recipes.mel import Recipe

PROJECT = "tonearm"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

Decoders: TypeAlias = Mapping[str, type[Decoder[Any, Any]] | str]
Transforms: TypeAlias = Mapping[str, type[Transform[Any, Any, Any]] | type[Regroup[Any, Any, Any]] | str]
Encoders: TypeAlias = Mapping[str, type[Encoder[Any, Any]] | str]
Dialects: TypeAlias = Mapping[str, Recipe]


@hookspec
def tonearm_decoders() -> Decoders:  # type: ignore[empty-body]
    """Return decoders by name."""


@hookspec
def tonearm_transforms() -> Transforms:  # type: ignore[empty-body]
    """Return transforms by name."""


@hookspec
def tonearm_encoders() -> Encoders:  # type: ignore[empty-body]
    """Return encoders by name."""


@hookspec
def tonearm_dialects() -> Dialects:  # type: ignore[empty-body]
    """Return dialects by name; asked for when a pipeline first names one."""


DIALECTS = "tonearm_dialects"

HOOKS: Mapping[str, str] = {
    "tonearm_decoders": "decoder",
    "tonearm_transforms": "transform",
    "tonearm_encoders": "encoder",
}
"""Each hook, with the role of the plugins that it hands over."""
