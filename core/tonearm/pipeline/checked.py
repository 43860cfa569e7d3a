"""The checked pipeline: plugins bound to their options, and templates of output names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from tonearm.errors import Place, Problem
from tonearm.pipeline.environment import Masks
from tonearm.pipeline.limits import PipelineLimits
from tonearm.pipeline.templates import Template
from tonearm.plugins.nested import nested_plugins, plugin_identity
from tonearm.plugins.plugin import Plugin
from tonearm.plugins.ports import Ports, Spec
from tonearm.plugins.registry import RegistryEntry
from tonearm.recipes.catalogue import Catalogue


class BoundPlugin(Struct, frozen=True):
    """A plugin bound to its options, with its place in the pipeline.

    Parameters
    ----------
    name
        Name of the plugin as the pipeline has it.
    entry
        Entry of the registry.
    plugin
        Plugin.
    ports
        Ports of its class.
    place
        Place in the pipeline.
    spec
        Specification of the signals that it gives, as the check has found it; None if unknown, and for an encoder.
    masks
        What is shown in place of values of its options that come from the environment.
    is_guarded
        Whether the state of the process is restored after each of its calls, because code of another package is in it.
    """

    name: str
    entry: RegistryEntry
    plugin: Plugin[Any]
    ports: Ports
    place: Place = Place()
    spec: Spec | None = None
    masks: Masks = Masks()
    is_guarded: bool = False

    def __repr__(self) -> str:
        return f"<{self.entry.role} {self.name}>"


class Output(Struct, frozen=True):
    """One output of a pipeline.

    Parameters
    ----------
    encoder
        Encoder.
    template
        Template for the names of its files.
    steps
        Steps of this output alone, between the shared steps and the encoder.
    """

    encoder: BoundPlugin
    template: Template
    steps: tuple[BoundPlugin, ...] = ()

    def __repr__(self) -> str:
        return f"<output {self.template.text!r} by {' → '.join(one.name for one in (*self.steps, self.encoder))}>"


class CheckedPipeline(Struct, frozen=True):
    """A pipeline without problems.

    Parameters
    ----------
    file
        Name of the pipeline's file; None for a mapping given from Python.
    decoder
        Decoder.
    steps
        Steps that all outputs share.
    outputs
        Outputs, each with its own steps and its encoder.
    files
        Patterns of sources, relative to the file.
    catalogue
        Function that returns the catalogue of a class of named structs.
    limits
        Limits of the sources.
    masks
        What is shown in place of patterns of sources that have variables.
    warnings
        Warnings of its steps.
    """

    file: str | None
    decoder: BoundPlugin
    files: tuple[str, ...]
    steps: tuple[BoundPlugin, ...]
    outputs: tuple[Output, ...]
    catalogue: Callable[[type[Any]], Catalogue[Any]] = Catalogue
    limits: PipelineLimits = PipelineLimits()
    masks: Masks = Masks()
    warnings: tuple[Problem, ...] = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {' → '.join(one.name for one in self.stages())}>"

    def stages(self) -> Iterator[BoundPlugin]:
        """Yield the plugins of all stages, output by output."""
        yield from (self.decoder, *self.steps)
        for output in self.outputs:
            yield from (*output.steps, output.encoder)

    def stages_of(self, output: Output) -> tuple[BoundPlugin, ...]:
        """Return the plugins that make one output, in order."""
        return (self.decoder, *self.steps, *output.steps, output.encoder)

    def interpreter_holders(self) -> tuple[str, ...]:
        """Return the names of the plugins that hold Python's interpreter most of the time, each once."""
        found: dict[str, None] = {}
        for bound in self.stages():
            found |= {
                plugin_identity(one).name: None
                for one in (*nested_plugins(bound.plugin), bound.plugin)
                if one.holds_interpreter
            }
        return tuple(found)
