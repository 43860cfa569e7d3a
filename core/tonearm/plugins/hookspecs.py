"""The hook specs: packages register plugins by name. Pipelines decide their order, and runs name their executor.

A value is a plugin class, or ``"module:Class"``. The latter is imported when a pipeline first uses the plugin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import pluggy

from tonearm.plugins.decoder import Decoder
from tonearm.plugins.diagnosis import Diagnosis
from tonearm.plugins.discovery import PROJECT
from tonearm.plugins.encoder import Encoder
from tonearm.plugins.executor import Executor
from tonearm.plugins.kind import Kind
from tonearm.plugins.transform import Regroup, Transform
from tonearm.recipes.catalogue import Named

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Decorator of a package's hooks, such as ``tonearm_decoders``."""

Decoders: TypeAlias = Mapping[str, type[Decoder[Any, Any]] | str]
"""Decoders by name, each as a class or as ``"module:Class"``, as the hook ``tonearm_decoders`` returns them."""

Transforms: TypeAlias = Mapping[str, type[Transform[Any, Any, Any]] | type[Regroup[Any, Any, Any]] | str]
"""Transforms by name, each as a class or as ``"module:Class"``, as the hook ``tonearm_transforms`` returns them."""

Encoders: TypeAlias = Mapping[str, type[Encoder[Any, Any]] | str]
"""Encoders by name, each as a class or as ``"module:Class"``, as the hook ``tonearm_encoders`` returns them."""

Kinds: TypeAlias = Mapping[str, type[Kind[Any, Any]] | str]
"""Kinds of array by name, each as a class or as ``"module:Class"``, as the hook ``tonearm_kinds`` returns them."""

Executors: TypeAlias = Mapping[str, type[Executor[Any]] | str]
"""Executors by name, each as a class or as ``"module:Class"``, as the hook ``tonearm_executors`` returns them."""

Dialects: TypeAlias = Mapping[str, Named | Mapping[str, Any]]
"""Dialects of mel spectrograms by name, as the hook ``tonearm_dialects`` returns them."""

Recipes: TypeAlias = Mapping[str, Named | Mapping[str, Any]]
"""Recipes of linear spectrograms by name, as the hook ``tonearm_recipes`` returns them."""

Layouts: TypeAlias = Mapping[str, Named | Mapping[str, Any]]
"""Layouts of codec tokens by name, as the hook ``tonearm_layouts`` returns them."""

Diagnoses: TypeAlias = Iterable[Diagnosis]
"""Diagnoses of a package, as the hook ``tonearm_diagnoses`` returns them."""


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
def tonearm_kinds() -> Kinds:  # type: ignore[empty-body]
    """Return kinds of array by name."""


@hookspec
def tonearm_executors() -> Executors:  # type: ignore[empty-body]
    """Return executors by name."""


@hookspec
def tonearm_dialects() -> Dialects:  # type: ignore[empty-body]
    """Return recipes of mel spectrograms by name; called when a pipeline first uses one."""


@hookspec
def tonearm_recipes() -> Recipes:  # type: ignore[empty-body]
    """Return recipes of linear spectrograms by name; called when a pipeline first uses one."""


@hookspec
def tonearm_layouts() -> Layouts:  # type: ignore[empty-body]
    """Return layouts of codec tokens by name; called when a pipeline first uses one."""


@hookspec
def tonearm_diagnoses() -> Diagnoses:  # type: ignore[empty-body]
    """Return what works on this machine, and what does not; called by ``tonearm doctor`` alone."""


DIAGNOSES = "tonearm_diagnoses"
"""Hook that examines the machine."""

NAMED_HOOKS = ("tonearm_dialects", "tonearm_recipes", "tonearm_layouts")
"""Hooks that hand over named structs rather than plugins, each for one class: see `tonearm.recipes.catalogue.Named`."""

HOOKS: Mapping[str, str] = {
    "tonearm_decoders": "decoder",
    "tonearm_transforms": "transform",
    "tonearm_encoders": "encoder",
    "tonearm_kinds": "kind",
    "tonearm_executors": "executor",
}
"""Hooks, each with the role of its plugins."""
