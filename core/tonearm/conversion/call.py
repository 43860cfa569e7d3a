"""Calls of `tonearm.save` and its like: their arguments, and the pipelines that they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from tonearm.conversion.build import Conversion, Request, Step, build
from tonearm.conversion.keywords import plain_keyword, with_keywords, with_option
from tonearm.conversion.known_pipelines import converter_for
from tonearm.conversion.option_places import OptionPlace, option_places
from tonearm.errors import Form, UsageError, one_line
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.networks import MODEL
from tonearm.pipeline.yaml.nodes import Node
from tonearm.plugins import registry as registries
from tonearm.source import Source

FORM: Form = "call"
"""Form in which remedies are written."""

OF_ARRAY, OF_ARRAYS = "npy-reader", "npz-reader"
"""Names of the decoders that read an array and a mapping of arrays in memory."""

STEPS_EXAMPLE = 'as in steps=["normalize", ("resample", {"sample_rate": 48000})]'
"""Hint of errors about the steps of a call."""

GivenStep: TypeAlias = str | tuple[str, Mapping[str, object]]
"""Step of a call: the name of a transform, or its name and its options."""


class Call(Struct, frozen=True, kw_only=True):
    """The arguments that the functions share.

    Parameters
    ----------
    source
        Source: what the caller has in memory, or a file.
    decoder
        Name of the decoder of a file; empty for what the caller has in memory.
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
    decoder: str = ""
    encoder: str = ""
    file: str = ""
    options: Mapping[str, object] = {}
    steps: Iterable[GivenStep] = ()
    encoder_options: Mapping[str, object] = {}
    limits: Mapping[str, object] = {}

    def converter(self) -> Converter:
        """Return the pipeline that the call stands for.

        Raises
        ------
        PipelineError
            If an option or a limit is wrong or missing.
        UsageError
            If no plugin has an option of some name, or no transform leads to the encoder.
        ItemError
            If the source cannot be read.
        """
        registry = registries.default()
        decoder = self.decoder or _decoder_in_memory(self.source, registry)

        def build_pipeline() -> Conversion:
            return build(self._request(registry, decoder), registry)

        if self.options.get("sample_rate") is not None and not self.source.holds_arrays:
            # The rate is compared with that of each source.
            return Converter(build_pipeline().check(registry))
        return converter_for(self, decoder, registry, build_pipeline)

    def own_converter(self) -> Converter:
        """Return the pipeline that the call stands for, with plugins that no other call shares.

        A stream needs its own: it may live in several threads, one after the other, and plugins keep state.

        Raises
        ------
        TonearmError
            As `converter` does.
        """
        registry = registries.default()
        return Converter(build(self._request(registry, self.decoder or OF_ARRAY), registry).check(registry))

    def _request(self, registry: registries.Registry, decoder: str) -> Request:
        steps = tuple(map(_step, _listed(self.steps)))
        given = dict(self.options)
        rate: Any = given.get("sample_rate")
        places = option_places(registry, decoder=decoder, encoder=self.encoder)
        states_rate = rate is not None and not _takes_rate(places)
        if states_rate:
            del given["sample_rate"]
            rate = plain_keyword(rate)
            if type(rate) is not int:
                message = f"sample_rate is {one_line(repr(rate), 60)}, not a whole number"
                raise UsageError(message, code="bad-option", hint="as in sample_rate=24000")

        def with_options(root: Node, names: Sequence[tuple[int, str]] | None) -> Node:
            return with_keywords(
                root,
                given,
                registry,
                decoder=decoder,
                encoder=self.encoder,
                encoder_options=self.encoder_options,
                asked=[step.use for step in steps],
                inserted=names,
            )

        return Request(
            decoder=decoder,
            signal=self.source.signal,
            sample_rate=rate if states_rate else None,
            encoder=self.encoder,
            file=self.file,
            with_options=with_options,
            steps=steps,
            model=model if isinstance(model := given.get(MODEL), str) else "",
            limits=self.limits,
            form=FORM,
            open_source=lambda _: self.source,
        )


_MAPPINGS = {"encoder": 'as in encoder={"subtype": "PCM_24"}', "limits": 'as in limits={"beyond": 8.0}'}


def check_mappings(**given: object) -> None:
    """Raise `UsageError` unless the options of the encoder, and the limits, are mappings or None."""
    for name, mapping in given.items():
        if mapping is not None and not isinstance(mapping, Mapping):
            is_format = name == "encoder" and isinstance(mapping, str)
            hint = f'format="{one_line(mapping, 60)}"' if is_format else _MAPPINGS[name]
            raise UsageError(f"{name} is a mapping of options, not {type(mapping).__name__}", hint=hint)


def _takes_rate(places: Iterable[OptionPlace]) -> bool:
    """Return whether a plugin has an option for the sample rate; others take it from what they read."""
    return any("sample_rate" in place.options for place in places)


def _decoder_in_memory(source: Source, registry: registries.Registry) -> str:
    """Return the name of the decoder of what is in memory: ``.npy`` files hold an array, ``.npz`` files a mapping."""
    if source.signal is not None:
        return ""
    # By name, as a search by suffix would import all decoders.
    return registry.short_name(registry.find("decoder", OF_ARRAYS if source.arrays is not None else OF_ARRAY))


def _listed(steps: Iterable[GivenStep]) -> Iterable[GivenStep]:
    """Return steps, or raise `UsageError` if there is one alone in place of a list."""
    if isinstance(steps, str):
        raise UsageError("steps must be a list", hint=f'steps=["{one_line(steps, 60)}"]')
    if isinstance(steps, tuple) and len(steps) == 2 and isinstance(steps[1], Mapping):
        raise UsageError("steps must be a list", hint="put the step into brackets: steps=[(name, options)]")
    if isinstance(steps, Mapping) or not isinstance(steps, Iterable):
        raise UsageError(f"steps must be a list, not {type(steps).__name__}", hint=STEPS_EXAMPLE)
    return steps


def _step(given: GivenStep) -> Step:
    """Return a step as a request has it.

    Raises
    ------
    UsageError
        If it is neither the name of a transform nor such a name and options.
    """
    if isinstance(given, str):
        return Step(given)
    if not (
        isinstance(given, (tuple, list))
        and len(given) == 2
        and isinstance(given[0], str)
        and isinstance(given[1], Mapping)
    ):
        raise UsageError("a step is the name of a transform, or its name and its options", hint=STEPS_EXAMPLE)
    name, options = given

    def set_options(root: Node, index: int) -> Node:
        for option, value in options.items():
            root = with_option(root, f"steps.{index}", option, value)
        return root

    return Step(name, set_options)
