"""The checked pipeline: plugins bound to their options, and templates of output names."""

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
    """An encoder and the template for names of its files."""

    encoder: BoundPlugin
    template: Template


class CheckedPipeline(Struct, frozen=True):
    """A pipeline without problems.

    Parameters
    ----------
    file
        Name of the pipeline's file; None for a mapping given from Python.
    decoder, steps, outputs
        Plugins in order.
    files
        Patterns of sources, relative to the file.
    dialects
        Function that returns all dialects by name.
    """

    file: str | None
    decoder: BoundPlugin
    files: tuple[str, ...]
    steps: tuple[BoundPlugin, ...]
    outputs: tuple[Output, ...]
    dialects: Callable[[], Catalogue] = Catalogue
