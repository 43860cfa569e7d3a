"""The pipeline that a command or a call stands for: its decoder and encoder by suffix, and the steps between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tonearm.conversion.signal_decoder import SIGNAL, bound_signal
from tonearm.conversion.started_decoder import StartedDecoder, decoded_signals
from tonearm.errors import Form, PipelineError, Place, UsageError, one_line
from tonearm.pipeline.check import bind_decoder, check
from tonearm.pipeline.checked import BoundPlugin, CheckedPipeline
from tonearm.pipeline.document import assignment_mark, from_plain, override, with_limits
from tonearm.pipeline.given_limits import read_limits
from tonearm.pipeline.inference import Signals, find_conversion, matching_signals
from tonearm.pipeline.networks import network_of, no_decoder_error
from tonearm.pipeline.yaml.nodes import Node
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import Registry
from tonearm.reading.memory import limited_memory
from tonearm.signals import Signal, Waveform
from tonearm.source import Source

WithOptions: TypeAlias = Callable[[Node, Sequence[tuple[int, str]] | None], Node]
"""Function that returns a pipeline with options, given the pipeline, and places and names of the transforms put in.

The decoder is bound before the steps are known; then it is called with None in place of the transforms.
"""


class Step(Struct, frozen=True):
    """A step that the user asks for.

    Parameters
    ----------
    use
        Name of the transform.
    set_options
        Function that returns a pipeline with the options of the step, given the pipeline and the index of the step.
    """

    use: str
    set_options: Callable[[Node, int], Node] = lambda root, _: root


class Request(Struct, frozen=True, kw_only=True):
    """Request for a conversion without a written pipeline.

    Parameters
    ----------
    decoder
        Name of the decoder; empty if a signal is given.
    signal
        Signal that takes the place of what a decoder gives.
    sample_rate
        Sample rate in Hz that the user states although no plugin has an option for it; the source must have the same
        one. None if the user states none.
    encoder
        Name of the encoder; empty if nothing is written, and the conversion ends with a waveform.
    files
        Name of the source, as the pipeline has it; empty for an array.
    file
        Template of the output's name.
    with_options
        Function that sets the options of the decoder, the encoder, and the transforms that are put in.
    steps
        Steps that the user asks for.
    model
        Model whose transform makes sound of tokens, latents or a mel spectrogram; empty if the user names none.
    overrides
        Assignments as ``--set`` takes them.
    limits
        Limits: assignments as ``--limit`` takes them, or values by name.
    form
        Form in which remedies are written.
    env
        Names of the environment variables that may stand anywhere in the pipeline.
    open_source
        Function that returns the source for its decoder.
    """

    decoder: str
    signal: Signal | None = None
    sample_rate: int | None = None
    encoder: str = ""
    files: str = ""
    file: str = ""
    with_options: WithOptions
    steps: tuple[Step, ...] = ()
    model: str = ""
    overrides: tuple[str, ...] = ()
    limits: tuple[str, ...] | Mapping[str, object] = ()
    form: Form
    env: tuple[str, ...] = ()
    open_source: Callable[[BoundPlugin], Source]


class Conversion(Struct, frozen=True):
    """The pipeline that a request stands for, and its source.

    Parameters
    ----------
    request
        Request.
    root
        Pipeline.
    source
        Source.
    decoder
        Decoder, bound to its options.
    started
        Decoder that has decoded the first item of the source; None if its options alone tell what it gives.
    put_in
        Paths of the steps that were put in.
    """

    request: Request
    root: Node
    source: Source
    decoder: BoundPlugin
    started: StartedDecoder | None
    put_in: frozenset[str] = frozenset()

    def check(self, registry: Registry) -> CheckedPipeline:
        """Return the pipeline with its plugins bound to their options.

        Raises
        ------
        PipelineError
            If the pipeline has problems; it contains all of them.
        """
        request = self.request
        checked = check(
            self.root,
            None,
            registry,
            form=request.form,
            env=request.env,
            needs_outputs=bool(request.encoder),
            one_source=True,
            signal=self.decoder if request.signal is not None else None,
            put_in=self.put_in,
        )
        if self.started is not None:
            checked = replace(checked, decoder=replace(checked.decoder, plugin=self.started))
        return checked


def build(request: Request, registry: Registry) -> Conversion:
    """Return the pipeline that a request stands for.

    Transforms are put in where they must lead from one port to the next. If the options of the decoder leave open what
    it gives, the source is decoded up to its first item.

    Parameters
    ----------
    request
        Request.
    registry
        Registry of plugins.

    Raises
    ------
    PipelineError
        If an option is wrong or missing.
    UsageError
        If no transform leads to the encoder, or the source contradicts the sample rate that the user states.
    ItemError
        If the source cannot be read.
    """
    for step in request.steps:
        registry.find("transform", step.use)  # a misspelt name is refused before anything else
    draft: dict[str, Any] = {
        "tonearm": 1,
        "input": {"use": request.decoder or SIGNAL, **({"files": request.files} if request.files else {}), "with": {}},
        "steps": [],
    }
    if request.encoder:
        draft["outputs"] = [{"use": request.encoder, "file": request.file, "with": {}}]
    root = request.with_options(from_plain(draft), None)
    for assignment in request.overrides:
        if assignment.startswith("input."):
            root = override(root, assignment, mark=assignment_mark(assignment))
    bound = bound_signal(request.signal) if request.signal is not None else _bound_decoder(request, root, registry)
    source = request.open_source(bound)
    with limited_memory(_memory(request, registry)):
        given, started = decoded_signals(bound, source, registry, start=request.sample_rate is not None)
    if request.sample_rate is not None:
        refuse_other_rate(request.sample_rate, source, started.signal if started else request.signal)
    steps = _steps(request, registry, given, bound)
    draft["steps"] = [{"use": name, "with": {}} for name, _ in steps]
    inserted = [(index, name) for index, (name, asked) in enumerate(steps) if asked is None]
    root = request.with_options(from_plain(draft), inserted)
    for index, (_, asked) in enumerate(steps):
        if asked is not None:
            root = asked.set_options(root, index)
    for assignment in request.overrides:
        root = override(root, assignment, mark=assignment_mark(assignment))
    put_in = frozenset(f"steps.{index}" for index, _ in inserted)
    return Conversion(request, with_limits(root, request.limits), source, bound, started, put_in)


def _bound_decoder(request: Request, root: Node, registry: Registry) -> BoundPlugin:
    """Return the decoder, or raise the problems of its options, with that of reading the source if some are missing."""
    try:
        return bind_decoder(root, None, registry, form=request.form, env=request.env)
    except PipelineError as error:
        from tonearm.run.reading_problem import with_reading_problem  # not at the top: only this error needs it

        raise with_reading_problem(
            error,
            root,
            registry,
            request.open_source,
            form=request.form,
            env=request.env,
            memory=lambda: _memory(request, registry),
        ) from None


def _memory(request: Request, registry: Registry) -> int:
    """Return the memory in bytes that the source may take."""
    return int(read_limits(request.limits, registry, request.form).memory)


def _steps(request: Request, registry: Registry, given: Signals, decoder: BoundPlugin) -> list[tuple[str, Step | None]]:
    """Return the transforms that lead from the decoder to the end by way of the steps that the user asks for."""
    steps: list[tuple[str, Step | None]] = []
    for step in request.steps:
        ports = ports_of(registry.find("transform", step.use).resolve())
        steps += [*_connection(request, registry, given, ports.takes, step.use, decoder), (step.use, step)]
        given = ports.gives
    if not request.encoder:
        return [*steps, *_connection(request, registry, given, (Waveform,), "", decoder)]
    entry = registry.find("encoder", request.encoder)
    taken = ports_of(entry.resolve()).takes
    return [*steps, *_connection(request, registry, given, taken, entry.name, decoder)]


def _connection(
    request: Request, registry: Registry, given: Signals, taken: Signals, taker: str, decoder: BoundPlugin
) -> Iterable[tuple[str, None]]:
    """Return the transforms that lead from one port to another: first the network, if the user names its model."""
    first: tuple[str, ...] = ()
    after = given
    if request.model and not matching_signals(given, taken) and (name := network_of(registry, request.model, given)):
        first, after = (name,), ports_of(registry.find("transform", name).resolve()).gives
    names = find_conversion(registry, after, taken)
    if names is None:
        if error := no_decoder_error(given, decoder.plugin, Place(form=request.form)):
            raise error
        ports = " or ".join(signal.port for signal in given)
        message = (
            f"{taker} cannot take {ports}, and no transform leads there"
            if taker
            else (f"no transform makes a waveform of {ports}")
        )
        raise UsageError(message, code="port-mismatch")
    return [(name, None) for name in (*first, *names)]


def refuse_other_rate(stated: int, source: Source, signal: Any) -> None:
    """Raise `UsageError` if a source contradicts the sample rate that the user states."""
    known = getattr(signal, "sample_rate", None)
    if known in (None, stated):
        return
    name = f"the {signal.port}" if source.signal is not None else one_line(source.name)
    raise UsageError(
        f"{name} has {known} Hz, but sample_rate says {stated}",
        code="rate-mismatch",
        hint=f'leave sample_rate out; to resample, steps=[("resample", {{"sample_rate": {stated}}})]',
    )
