"""``tonearm convert``: convert one file without writing a pipeline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec.structs import replace

from tonearm.addresses import refuse_missing
from tonearm.cli import ceiling, console, watcher
from tonearm.cli.option_flags import add_option_flags, with_option_flags
from tonearm.cli.parser import add_env_option, add_set_option, add_strict_option
from tonearm.cli.printing import remedies_as_flags
from tonearm.cli.repeats import RepeatedWarnings
from tonearm.cli.watched_work import WatchedWork
from tonearm.errors import ItemError, PipelineError, UsageError, one_line
from tonearm.pipeline.blame import as_item_error
from tonearm.pipeline.check import bind_decoder, check, read_limits
from tonearm.pipeline.checked import BoundPlugin, CheckedPipeline
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import assignment_mark, escape_variables, from_plain, override, with_limits
from tonearm.pipeline.inference import find_conversion, plugin_by_suffix
from tonearm.pipeline.signal_checks import check_given
from tonearm.pipeline.templates import Template
from tonearm.pipeline.yaml.nodes import MappingNode, Node, SequenceNode
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.item import Item
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import Registry
from tonearm.reading.compressed_sources import inflated_source
from tonearm.reading.memory import limited_memory
from tonearm.signals import Signal
from tonearm.source import Source, source_changed
from tonearm.startup import StopHandler
from tonearm.writing.templates import parse_parts

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command; the options of decoders and encoders are flags."""
    from tonearm.plugins import registry

    parser.add_argument("source", metavar="SRC", help="File to read")
    parser.add_argument("target", metavar="DST", help="File to write; its suffix selects the encoder")
    parser.add_argument("--decoder", metavar="NAME", help="Decoder (default: the one for the suffix of SRC)")
    parser.add_argument("--encoder", metavar="NAME", help="Encoder (default: the one for the suffix of DST)")
    parser.add_argument(
        "--step",
        action="append",
        default=[],
        metavar="NAME[:K=V[;K=V...]]",
        help="Transform to apply, with its options, as in resample:sample_rate=48000; may be repeated. Transforms that"
        " must come before it are added",
    )
    parser.add_argument("--force", action="store_true", help="Replace DST if it exists")
    parser.add_argument("--yaml", action="store_true", help="Print the equivalent pipeline instead of converting")
    ceiling.add_timeout_option(parser)
    add_set_option(parser)
    add_strict_option(parser)
    add_env_option(parser)
    add_option_flags(parser, registry.default())


def main(arguments: SimpleNamespace) -> int:
    """Convert the file, or print the equivalent pipeline."""
    with remedies_as_flags(), ceiling.watched() as watch:
        folder = str(Path(arguments.target).parent)
        watch.begin(WatchedWork(arguments.source, arguments.timeout, folder=folder))
        try:
            return _main(arguments, watch)
        except ItemError as error:
            if error.code == "unreadable":
                refuse_missing(arguments.source)  # with the name that was meant
            raise


def _main(arguments: SimpleNamespace, watch: ceiling.Watch) -> int:
    registry = console.load_registry()
    root, source, started = _pipeline(arguments, registry)
    if arguments.yaml:
        import yaml

        for name in (arguments.source, arguments.target):
            if _utf8(name) != name:
                raise UsageError(f"the name {one_line(name)} is not UTF-8, as a pipeline is", code="not-utf8")
        shown = _without_empty(_as_written(root))
        console.print_data(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True), end="")
        return console.DONE
    from tonearm.run.convert_one import convert_one

    checked = check(root, None, registry, form="flags", env=arguments.env)
    if started is not None:
        checked = replace(checked, decoder=replace(checked.decoder, plugin=started))
    target = Path(arguments.target)
    if _utf8(target.name) != target.name:
        checked = _with_name(checked, target.name)
    if watcher.pipe is None:
        StopHandler.install()
    warnings = RepeatedWarnings()
    try:
        written = convert_one(
            Converter(checked),
            source,
            target.parent,
            force=arguments.force,
            on_warning=warnings.print,
            on_progress=watch.alive,
            on_step=watch.alive,
        )
    finally:
        warnings.print_rest()
    for path in written:
        console.print_message(one_line(path))
    return console.DONE


def _pipeline(arguments: SimpleNamespace, registry: Registry) -> tuple[Node, Source, _StartedDecoder | None]:
    """Return the pipeline that is equivalent to the command line, its source, and the decoder if it has started."""
    decoder = arguments.decoder or _name_by_suffix(registry, "decoder", arguments.source)
    encoder = arguments.encoder or _name_by_suffix(registry, "encoder", arguments.target)
    draft: dict[str, Any] = {
        "tonearm": 1,
        "input": {"use": decoder, "files": _utf8(arguments.source), "with": {}},
        "steps": [],
        "outputs": [{"use": encoder, "file": _utf8(Path(arguments.target).name), "with": {}}],
    }
    root = with_option_flags(from_plain(draft), arguments, registry, decoder, encoder)
    for assignment in arguments.overrides:
        if assignment.startswith("input."):
            root = override(root, assignment, mark=assignment_mark(assignment))
    try:
        bound = bind_decoder(root, None, registry, form="flags", env=arguments.env)
    except PipelineError as error:
        from tonearm.run.reading_problem import with_reading_problem  # not at the top: only this error needs it

        raise with_reading_problem(
            error,
            root,
            registry,
            lambda decoder: _read_source(arguments.source, decoder),
            form="flags",
            env=arguments.env,
            memory=lambda: int(read_limits(arguments.limits, registry).memory),
        ) from None
    source = _read_source(arguments.source, bound)
    with limited_memory(int(read_limits(arguments.limits, registry).memory)):
        given, started = _decoded_signals(bound, source, registry)
    steps = _conversion_steps([_named_step(step) for step in arguments.step], registry, given, encoder)
    draft["steps"] = [{"use": name, "with": {}} for name, _ in steps]
    root = with_option_flags(from_plain(draft), arguments, registry, decoder, encoder)
    for index, (_, assignments) in enumerate(steps):
        for one in assignments:
            root = override(
                root, one, option="--step", below=f"steps.{index}.with.", mark=assignment_mark(one, "--step")
            )
    for assignment in arguments.overrides:
        root = override(root, assignment, mark=assignment_mark(assignment))
    return with_limits(root, arguments.limits), source, started


def _utf8(name: str) -> str:
    """Return a name with what is not UTF-8 escaped, for a pipeline that is never written."""
    return name.encode(errors="backslashreplace").decode()


def _with_name(checked: CheckedPipeline, name: str) -> CheckedPipeline:
    """Return a pipeline whose output has a name that is not UTF-8, which no template that is read can have."""
    template = Template(name, parse_parts(name))
    return replace(checked, outputs=tuple(replace(output, template=template) for output in checked.outputs))


def _read_source(name: str, decoder: BoundPlugin) -> Source:
    """Return the source, with its content if the decoder takes that.

    Raises
    ------
    ItemError
        If the source changed while it was read.
    """
    from tonearm.content_hash import take_snapshot

    snapshot = take_snapshot(name, read=isinstance(decoder.plugin, Decoder) and decoder.plugin.reads == "content")
    if snapshot.content is not None and not snapshot.is_current(name):
        raise source_changed(name)
    return Source(name=name, path=name, content=snapshot.content, identity=snapshot.identity)


def _name_by_suffix(registry: Registry, role: str, file: str) -> str:
    return registry.short_name(plugin_by_suffix(registry, role, file))


def _as_written(node: Node) -> object:
    """Return a pipeline as plain data that can be printed as YAML and read back, with variables in place of values."""
    if isinstance(node, MappingNode):
        return {escape_variables(key): _as_written(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, SequenceNode):
        return [_as_written(item) for item in node.items]
    return node.text if node.variables else escape_variables(node.value)


def _without_empty(value: object) -> object:
    """Return the pipeline without empty lists and mappings."""
    if isinstance(value, dict):
        return {key: _without_empty(inner) for key, inner in value.items() if inner not in ({}, [])}
    return [_without_empty(inner) for inner in value] if isinstance(value, list) else value


Step: TypeAlias = tuple[str, tuple[str, ...]]
"""Name of a transform, and assignments of its options."""


def _named_step(text: str) -> Step:
    """Return the name and the assignments of ``--step NAME:K=V;K=V``. A quoted or bracketed value may hold a ``;``."""
    name, colon, options = text.partition(":")
    found = re.findall(r"""(?:"[^"]*"|'[^']*'|\[[^\]]*\]|\{[^}]*\}|[^;])+""", options)
    assignments = tuple(one.strip() for one in found if one.strip())
    if wrong := next((one for one in assignments if "=" not in one), None):
        message = f"--step {one_line(text)}: {one_line(repr(wrong))} is not an assignment"
        raise UsageError(message, code="bad-override", hint=f"write --step {one_line(name)}:NAME=VALUE")
    if colon and not assignments:
        message = f"--step {one_line(text)}: no option follows the colon"
        raise UsageError(message, code="bad-override", hint=f"write --step {one_line(name)}:NAME=VALUE")
    return name, assignments


def _conversion_steps(
    given_steps: Iterable[Step], registry: Registry, given: tuple[type[Signal], ...], encoder: str
) -> list[Step]:
    """Return the transforms that lead from the decoder to the encoder by way of the given steps."""
    steps: list[Step] = []
    for step in [*given_steps, None]:
        taker = registry.find("transform", step[0]) if step else registry.find("encoder", encoder)
        ports = ports_of(taker.resolve())
        conversion = find_conversion(registry, given, ports.takes)
        if conversion is None:
            ports_given = " or ".join(signal.port for signal in given)
            raise UsageError(
                f"{taker.name} cannot take {ports_given}, and no transform leads there", code="port-mismatch"
            )
        steps += [*((name, ()) for name in conversion), *([step] if step else [])]
        given = ports.gives if step else given
    return steps


def _decoded_signals(
    bound: BoundPlugin, source: Source, registry: Registry
) -> tuple[tuple[type[Signal], ...], _StartedDecoder | None]:
    """Return the class of the signals that the decoder gives; where its options leave it open, start to decode."""
    plugin = bound.plugin
    if not isinstance(plugin, Decoder):
        raise UsageError(f"{bound.name} is not a decoder")
    signals = plugin.produces().signals
    if len(signals) == 1 and signals[0] is not Signal:
        return signals, None
    with as_item_error(bound):
        started = _StartedDecoder(plugin, source, registry)
        if started.first is None:
            raise UsageError(f"{one_line(source.name)} holds nothing", code="empty")
        if isinstance(started.first, ItemError):
            raise started.first
        signal: Any = getattr(started.first, "signal", started.first)
        check_given(signal, bound)
        return (type(signal),), started


class _StartedDecoder(Decoder[Signal, Any]):
    """A decoder that has decoded the first item of a source, and continues from there.

    Parameters
    ----------
    plugin
        Decoder that does the work.
    source
        Source.
    registry
        Registry with the named structs that options name.

    Attributes
    ----------
    first
        First item, until it is decoded: None if there is none.
    """

    def __init__(self, plugin: Decoder[Any, Any], source: Source, registry: Registry) -> None:
        super().__init__(plugin.options)
        self._plugin = plugin
        self._context = Context(catalogue=registry.catalogue)
        self._items = iter(plugin.decode(inflated_source(source, type(plugin).suffixes), self._context))
        self.first = next(self._items, None)

    def preflight(self) -> None:
        """Let the decoder prepare."""
        self._plugin.preflight()

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:  # noqa: ARG002 - started
        """Yield the first item and then the others, with what the decoder has recorded about each."""
        item, self.first = self.first, None
        while item is not None:
            self._forward(context)
            yield item
            del item  # frees its memory before the next item is made
            try:
                item = next(self._items, None)
            finally:
                self._forward(context)

    def _forward(self, context: Context) -> None:
        recorded = self._context.drain()
        context.measure(**recorded.measurements)
        context.doubts += recorded.doubts
        for warning in recorded.warnings:
            context.warn(warning)
