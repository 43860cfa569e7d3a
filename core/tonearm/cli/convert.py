"""``tonearm convert``: convert one file or stream without writing a pipeline."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from tonearm.addresses import is_stream, refuse_missing
from tonearm.cli import ceiling, console, styles, watcher
from tonearm.cli.convert_ends import TargetFormat, decoder_name, encoding_name, target_format
from tonearm.cli.option_flags import PREFIX, add_array_flags, add_plugin_flags, add_suffix_flags, with_option_flags
from tonearm.cli.parser import add_download_option, add_env_option, add_set_option, add_strict_option
from tonearm.cli.pipe_sources import file_name, read_source, stem_of, whole_source
from tonearm.cli.pipes import InputPipe, OutputPipe
from tonearm.cli.printing import remedies_as_flags
from tonearm.cli.repeats import RepeatedWarnings
from tonearm.cli.watched_work import WatchedWork
from tonearm.conversion.build import Request, Step, build
from tonearm.conversion.destination import split_template
from tonearm.errors import ItemError, UsageError, one_line
from tonearm.pipeline.block_conversion import can_convert_blocks, convert_blocks
from tonearm.pipeline.checked import BoundPlugin, CheckedPipeline
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import assignment_mark, escape_variables, override
from tonearm.pipeline.networks import MODEL
from tonearm.pipeline.templates import Template
from tonearm.pipeline.yaml.nodes import MappingNode, Node, SequenceNode
from tonearm.plugins.block_plugins import BlockDecoder
from tonearm.plugins.context import Context
from tonearm.plugins.ports import Spec, ports_of
from tonearm.plugins.progress import Progress
from tonearm.plugins.registry import Registry
from tonearm.plugins.sink import Sink
from tonearm.reading.file_types import identify
from tonearm.reporting.bar import Bar
from tonearm.source import Source
from tonearm.startup import StopHandler
from tonearm.writing.templates import parse_parts

if TYPE_CHECKING:
    from tonearm.cli.parser import CommandParser


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments of the command; the options of decoders and encoders are flags."""
    from tonearm.plugins import registry

    parser.add_argument("source", metavar="SRC", help="File or named pipe to read; - is standard input")
    parser.add_argument(
        "target",
        metavar="DST",
        help="File or named pipe to write, whose suffix selects the encoder; - is standard output, and needs --to",
    )
    parser.add_argument(
        "--decoder",
        metavar="NAME",
        help="Decoder (default: the one for the suffix of SRC, or for the first bytes of a pipe)",
    )
    parser.add_argument("--encoder", metavar="NAME", help="Encoder (default: the one for the suffix of DST)")
    parser.add_argument("--to", metavar="FORMAT", help="Format of DST, as in mp3: a suffix, or the name of an encoder")
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
    add_download_option(parser)
    add_array_flags(parser, registry.default())
    parser.add_later(
        lambda words: add_suffix_flags(parser, registry.default(), words),
        lambda _: add_plugin_flags(parser, registry.default()),
    )


def main(arguments: SimpleNamespace) -> int:
    """Convert the source, or print the equivalent pipeline."""
    with remedies_as_flags(), ceiling.watched() as watch:
        is_piped = is_stream(arguments.target, written=True)
        folder = None if is_piped else split_template(arguments.target)[0]
        watch.begin(WatchedWork(arguments.source, arguments.timeout, folder=folder))
        try:
            return _main(arguments, watch)
        except ItemError as error:
            if error.code == "unreadable" and not is_stream(arguments.source):
                refuse_missing(arguments.source)  # with the name that was meant
            raise


def _main(arguments: SimpleNamespace, watch: ceiling.Watch) -> int:
    registry = console.load_registry()
    arguments.with_encoding = encoding_name(getattr(arguments, "with_encoding", None))
    given = InputPipe(arguments.source, watch.alive) if is_stream(arguments.source) else None
    made = target_format(arguments, registry)
    taken = OutputPipe(arguments.target, watch.alive) if made.is_piped and not arguments.yaml else None
    if given is not None:
        given.output = taken
    conversion = build(_request(arguments, registry, given, made), registry)
    if arguments.yaml:
        return _print_pipeline(conversion.root, arguments)
    if arguments.download:
        from tonearm.pipeline.downloads import with_downloads

        conversion = replace(conversion, root=with_downloads(conversion.root, registry))
    checked = conversion.check(registry)
    name = "" if made.is_piped else split_template(arguments.target)[1]
    if _utf8(name) != name:
        checked = _with_name(checked, name)
    if watcher.pipe is None:
        StopHandler.install()
    with _reported(watch) as (print_warning, show):
        work = _Work(checked, conversion.source, given, arguments, print_warning, show, watch.alive)
        written = work.write_files() if taken is None else work.write_pipe(taken, made.suffix)
    for path in written:
        console.print_message(one_line(path))
    return console.DONE


@contextlib.contextmanager
def _reported(watch: ceiling.Watch) -> Iterator[tuple[Callable[[str], None], Callable[[Progress], None]]]:
    """Give functions that print a warning, and show progress: on a terminal, in a bar."""
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
        yield print_warning, show
    finally:
        if bar is not None:
            bar.clear()
        warnings.print_rest()


class _Work(Struct, frozen=True):
    """The work of the command, when everything has been checked.

    Parameters
    ----------
    checked
        Pipeline.
    source
        Source; of a pipe whose samples are converted as they come, its name alone.
    given
        Pipe that the source comes from; None for a file.
    arguments
        Parsed command line.
    on_warning, on_progress, on_step
        Functions that are called with each warning and report of progress, and after each step.
    """

    checked: CheckedPipeline
    source: Source
    given: InputPipe | None
    arguments: SimpleNamespace
    on_warning: Callable[[str], None]
    on_progress: Callable[[Progress], None]
    on_step: Callable[[], None]

    def write_files(self) -> list[Path]:
        """Write files, and return their paths."""
        from tonearm.run.convert_one import convert_one, write_one

        folder, force = Path(split_template(self.arguments.target)[0]), self.arguments.force
        converter = Converter(self.checked)
        if self._is_to_come and can_convert_blocks(self.checked, pipe=False):
            converter.preflight()
            return [write_one(converter.outputs[0], self.source, folder, self._write_blocks, force=force)]
        return convert_one(
            converter,
            self._whole(),
            folder,
            force=force,
            on_warning=self.on_warning,
            on_progress=self.on_progress,
            on_step=self.on_step,
        )

    def write_pipe(self, taken: OutputPipe, suffix: str) -> list[Path]:
        """Write into a pipe, and return that no file has been written."""
        from tonearm.conversion.piped import check_pipe, convert_to_pipe
        from tonearm.run.store.pipe_sink import PipeSink

        converter, sink = Converter(self.checked), PipeSink(taken.write, suffix)
        converter.preflight()
        encoder = converter.outputs[0].encoder
        check_pipe(encoder, Spec(signals=ports_of(type(encoder.plugin)).takes, suffix=suffix))
        if self._is_to_come and can_convert_blocks(self.checked, pipe=True, suffix=suffix):
            self._write_blocks(sink)
        else:
            convert_to_pipe(converter, self._whole(), sink, on_warning=self.on_warning, on_progress=self.on_progress)
        taken.close()
        return []

    @property
    def _is_to_come(self) -> bool:
        """Whether no more than the beginning of the source has been read."""
        return self.given is not None and self.source.path_text is None

    def _write_blocks(self, sink: Sink) -> None:
        assert self.given is not None
        context = Context(on_warning=self.on_warning, catalogue=self.checked.catalogue, source=self.source)
        convert_blocks(self.checked, self.given.chunks(), self.source.name, sink, context)

    def _whole(self) -> Source:
        """Return the source, all of which is there."""
        if self.given is None or not self._is_to_come:
            return self.source
        return whole_source(self.given, self.arguments.source, self.checked.decoder)


def _print_pipeline(root: Node, arguments: SimpleNamespace) -> int:
    """Print the pipeline that the command stands for."""
    import yaml

    for name in (arguments.source, arguments.target):
        if _utf8(name) != name:
            raise UsageError(f"the name {one_line(name)} is not UTF-8, as a pipeline is", code="not-utf8")
    shown = _without_empty(_as_written(root))
    console.print_data(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True), end="")
    if is_stream(arguments.source) or is_stream(arguments.target, written=True):
        console.print_message("a pipeline has files where the command has pipes: write their names into it")
    return console.DONE


def _request(arguments: SimpleNamespace, registry: Registry, given: InputPipe | None, made: TargetFormat) -> Request:
    """Return what the command line asks for."""
    decoder = decoder_name(arguments, registry, given)
    encoder = made.encoder
    return Request(
        decoder=decoder,
        encoder=encoder,
        files=_utf8(arguments.source) if given is None else file_name(arguments.source, decoder, registry),
        file=f"{{stem}}{made.suffix}" if made.is_piped else _utf8(split_template(arguments.target)[1]),
        with_options=lambda root, names: with_option_flags(root, arguments, registry, decoder, encoder, names),
        steps=tuple(map(_named_step, arguments.step)),
        model=getattr(arguments, f"{PREFIX}{MODEL}", None) or "",
        overrides=tuple(arguments.overrides),
        limits=tuple(arguments.limits),
        form="flags",
        env=tuple(arguments.env),
        open_source=lambda decoder: _opened_source(arguments, decoder, given),
    )


def _opened_source(arguments: SimpleNamespace, decoder: BoundPlugin, given: InputPipe | None) -> Source:
    """Return the source, with its content if the decoder takes that; of a pipe that is read later, its beginning."""
    if given is None:
        return read_source(arguments.source, decoder)
    if isinstance(decoder.plugin, BlockDecoder):
        head = b"" if arguments.yaml else given.head()
        if not identify(head).reader:  # JSON, which has one, is read whole
            return Source(name=given.name, content=head, key=stem_of(arguments.source))
    return whole_source(given, arguments.source, decoder)


def _utf8(name: str) -> str:
    """Return a name with what is not UTF-8 escaped, for a pipeline that is never written."""
    return name.encode(errors="backslashreplace").decode()


def _with_name(checked: CheckedPipeline, name: str) -> CheckedPipeline:
    """Return a pipeline whose output has a name that is not UTF-8, which no template that is read can have."""
    template = Template(name, parse_parts(name))
    return replace(checked, outputs=tuple(replace(output, template=template) for output in checked.outputs))


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
