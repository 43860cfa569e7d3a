"""A pipeline in which nothing is wrong: plugins bound to their options, and names of outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from tonearm.errors import Place
from tonearm.pipeline.templates import Template
from tonearm.plugins.plugin import Plugin
from tonearm.plugins.ports import Ports
from tonearm.plugins.registry import RegistryEntry
from tonearm.recipes.mel import Catalogue


class BoundPlugin(Struct, frozen=True):
    """A plugin bound to its options, with its place in the pipeline."""

    name: str
    entry: RegistryEntry
    plugin: Plugin[Any]
    ports: Ports
    place: Place = Place()


class Output(Struct, frozen=True):
    """An encoder and the template of its file's name."""

    encoder: BoundPlugin
    template: Template


class CheckedPipeline(Struct, frozen=True):
    """A pipeline in which nothing is wrong.

    Parameters
    ----------
    file
        Its name in messages; None for a mapping given from Python.
    decoder, steps, outputs
        The plugins in their order.
    files
        Patterns of sources, relative to the file.
    dialects
        Returns the dialects that there are by name.
    """

    file: str | None
    decoder: BoundPlugin
    files: tuple[str, ...]
    steps: tuple[BoundPlugin, ...]
    outputs: tuple[Output, ...]
    dialects: Callable[[], Catalogue] = Catalogue
