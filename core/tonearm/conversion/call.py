"""What a call of `tonearm.save` and its like asks for: the request, its pipeline, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from tonearm.conversion.build import Request, Step, build
from tonearm.conversion.keywords import with_keywords
from tonearm.conversion.known_pipelines import converter_for
from tonearm.errors import Form, UsageError
from tonearm.pipeline.checked import BoundPlugin
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import assigned, from_plain
from tonearm.pipeline.inference import plugin_by_suffix
from tonearm.pipeline.yaml.nodes import Node
from tonearm.plugins import registry as registries
from tonearm.source import Source

FORM: Form = "python"
OF_ARRAY, OF_ARRAYS = "npy-reader", "npz-reader"
"""Names of the decoders that read an array and a mapping of arrays in memory."""

GivenStep: TypeAlias = str | tuple[str, Mapping[str, object]]


class Call(Struct, frozen=True, kw_only=True):
    """The arguments that the functions share.

    Parameters
    ----------
    source
        Source: what the caller has in memory, or a file.
    encoder
        Name of the encoder; empty if the conversion ends with a waveform.
    file
        Template of the output's name.
    options
        Options by name, of the decoder, the encoder, and the transforms that are put in.
    steps
        Transforms to apply, each by its name, or its name and options.
    encoder_options
        Options of the encoder alone.
    limits
        Limits by name.
    """

    source: Source
    encoder: str = ""
    file: str = ""
    options: Mapping[str, object] = {}
    steps: Iterable[GivenStep] = ()
    encoder_options: Mapping[str, object] = {}
    limits: Mapping[str, object] = {}

    def converter(self) -> tuple[Converter, Source]:
        """Return the pipeline that the call stands for, and its source."""
        registry = registries.default()
        decoder = _decoder_for(self.source, registry)
        converter = converter_for(self, decoder, registry, lambda: build(self._request(registry, decoder), registry))
        return converter, self.source

    def _request(self, registry: registries.Registry, decoder: str) -> Request:
        steps = tuple(map(_step, self.steps))

        def with_options(root: Node, names: Sequence[tuple[int, str]] | None) -> Node:
            given = self.options if self.source.signal is None else _described(self.source.signal)
            root = with_keywords(root, given, registry, decoder=decoder, encoder=self.encoder, inserted=names)
            for name, value in self.encoder_options.items() if self.encoder else ():
                root = assigned(root, ["outputs", "0", "with", name], from_plain(value))
            return root

        def open_source(_: BoundPlugin) -> Source:
            return self.source

        return Request(
            decoder=decoder,
            encoder=self.encoder,
            file=self.file,
            with_options=with_options,
            steps=steps,
            limits=self.limits,
            form=FORM,
            open_source=open_source,
        )


def _described(signal: Any) -> dict[str, object]:
    """Return the options with which a reader of arrays would restore a signal."""
    return {"kind": signal.port, **signal.described()}


def _decoder_for(source: Source, registry: registries.Registry) -> str:
    """Return the name of the decoder of a source: ``.npy`` files hold an array, and ``.npz`` files a mapping."""
    if source.path_text is None:  # by name, as a search by suffix would import all decoders
        return registry.short_name(registry.find("decoder", OF_ARRAYS if source.arrays is not None else OF_ARRAY))
    return registry.short_name(plugin_by_suffix(registry, "decoder", source.path_text))


def _step(given: GivenStep) -> Step:
    if isinstance(given, str):
        return Step(given)
    if not (isinstance(given, tuple) and len(given) == 2):
        raise UsageError("a step is the name of a transform, or a pair of its name and its options")
    name, options = given

    def set_options(root: Node, index: int) -> Node:
        for option, value in options.items():
            root = assigned(root, ["steps", str(index), "with", option], from_plain(value))
        return root

    return Step(name, set_options)


def encoder_for(target: str, format: str | None) -> str:  # noqa: A002 - the name that every such function has
    """Return the name of the encoder for a file's name, or for a format: a suffix without dot, or an encoder's name."""
    registry = registries.default()
    if format is None:
        return registry.short_name(plugin_by_suffix(registry, "encoder", target))
    if any(format in (entry.name, entry.full_name) for entry in registry.entries("encoder")):
        return format
    return registry.short_name(plugin_by_suffix(registry, "encoder", f"x.{format}"))
