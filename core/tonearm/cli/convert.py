"""``tonearm convert``: convert one file without writing a pipeline."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tonearm.addresses import refuse_missing
from tonearm.cli import ceiling, console, styles, watcher
from tonearm.cli.option_flags import add_option_flags, with_option_flags
from tonearm.cli.parser import add_env_option, add_set_option, add_strict_option
from tonearm.cli.printing import remedies_as_flags
from tonearm.cli.repeats import RepeatedWarnings
from tonearm.cli.watched_work import WatchedWork
from tonearm.conversion.build import Request, Step, build
from tonearm.conversion.destination import split_template
from tonearm.errors import ItemError, UsageError, one_line
from tonearm.pipeline.checked import BoundPlugin, CheckedPipeline
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import assignment_mark, escape_variables, override
from tonearm.pipeline.inference import name_by_suffix
from tonearm.pipeline.templates import Template
from tonearm.pipeline.yaml.nodes import MappingNode, Node, SequenceNode
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.progress import Progress
from tonearm.plugins.registry import Registry
from tonearm.reporting.bar import Bar
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
        folder = split_template(arguments.target)[0]
        watch.begin(WatchedWork(arguments.source, arguments.timeout, folder=folder))
        try:
            return _main(arguments, watch)
        except ItemError as error:
            if error.code == "unreadable":
                refuse_missing(arguments.source)  # with the name that was meant
            raise


def _main(arguments: SimpleNamespace, watch: ceiling.Watch) -> int:
    registry = console.load_registry()
    conversion = build(_request(arguments, registry), registry)
    if arguments.yaml:
        import yaml

        for name in (arguments.source, arguments.target):
            if _utf8(name) != name:
                raise UsageError(f"the name {one_line(name)} is not UTF-8, as a pipeline is", code="not-utf8")
        shown = _without_empty(_as_written(conversion.root))
        console.print_data(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True), end="")
        return console.DONE
    from tonearm.run.convert_one import convert_one

    checked = conversion.check(registry)
    folder, name = split_template(arguments.target)
    if _utf8(name) != name:
        checked = _with_name(checked, name)
    if watcher.pipe is None:
        StopHandler.install()
    warnings = RepeatedWarnings()
    bar = Bar(color=styles.has_color(sys.stderr)) if styles.is_terminal(sys.stderr) else None

    def print_warning(warning: str) -> None:
        if bar is not None:
            bar.clear()
        warnings.print(warning)

    def show(progress: Progress) -> None:
        watch.alive()
        if bar is not None:
            bar(progress)

    try:
        written = convert_one(
            Converter(checked),
            conversion.source,
            Path(folder),
            force=arguments.force,
            on_warning=print_warning,
            on_progress=show,
            on_step=watch.alive,
        )
    finally:
        if bar is not None:
            bar.clear()
        warnings.print_rest()
    for path in written:
        console.print_message(one_line(path))
    return console.DONE


def _request(arguments: SimpleNamespace, registry: Registry) -> Request:
    """Return what the command line asks for."""
    decoder = arguments.decoder or name_by_suffix(registry, "decoder", arguments.source)
    encoder = arguments.encoder or name_by_suffix(registry, "encoder", arguments.target)
    return Request(
        decoder=decoder,
        encoder=encoder,
        files=_utf8(arguments.source),
        file=_utf8(split_template(arguments.target)[1]),
        with_options=lambda root, names: with_option_flags(root, arguments, registry, decoder, encoder, names),
        steps=tuple(map(_named_step, arguments.step)),
        overrides=tuple(arguments.overrides),
        limits=tuple(arguments.limits),
        form="flags",
        env=tuple(arguments.env),
        open_source=lambda decoder: _read_source(arguments.source, decoder),
    )


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


def _named_step(text: str) -> Step:
    """Return the step of ``--step NAME:K=V;K=V``. A quoted or bracketed value may hold a ``;``."""
    name, colon, options = text.partition(":")
    found = re.findall(r"""(?:"[^"]*"|'[^']*'|\[[^\]]*\]|\{[^}]*\}|[^;])+""", options)
    assignments = tuple(one.strip() for one in found if one.strip())
    if wrong := next((one for one in assignments if "=" not in one), None):
        message = f"--step {one_line(text)}: {one_line(repr(wrong))} is not an assignment"
        raise UsageError(message, code="bad-override", hint=f"write --step {one_line(name)}:NAME=VALUE")
    if colon and not assignments:
        message = f"--step {one_line(text)}: no option follows the colon"
        raise UsageError(message, code="bad-override", hint=f"write --step {one_line(name)}:NAME=VALUE")

    def set_options(root: Node, index: int) -> Node:
        for one in assignments:
            mark = assignment_mark(one, "--step")
            root = override(root, one, option="--step", below=f"steps.{index}.with.", mark=mark)
        return root

    return Step(name, set_options)
