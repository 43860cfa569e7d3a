"""``tonearm inspect``: describe the arrays in files, and print the pipelines that convert them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import Any

from tonearm.addresses import is_stream, refuse_missing
from tonearm.cli import ceiling, console, styles
from tonearm.cli.parser import add_limit_option
from tonearm.cli.pipe_sources import file_name, told_by_content
from tonearm.cli.pipes import InputPipe
from tonearm.cli.printing import FLAGS, error_fields, format_count, remedies_as_flags
from tonearm.cli.watched_work import WatchedWork
from tonearm.cli.wrapping import wrap
from tonearm.errors import ItemError, UsageError, one_line, tracebacks
from tonearm.findings.notes import MAX_CHOICES, UNKNOWN
from tonearm.inspect import Inspection, inspect_file
from tonearm.inspect.alike import MAX_NAMED, AlikeArrays, group_alike, group_files
from tonearm.inspect.folders import folder_files, is_folder
from tonearm.inspect.preview import WIDTH
from tonearm.inspect.token_levels import with_levels
from tonearm.pipeline.document import escape_variables
from tonearm.pipeline.given_limits import read_limits
from tonearm.plugins.registry import Registry
from tonearm.reading.memory import limited_memory
from tonearm.source import Source

_NOTES = {
    "sample_rate": "in Hz, from the model's settings",
    "hop_length": "in samples, from the model's settings",
    "n_fft": "in samples, from the model's settings",
    "full_scale": "the value that is full scale: 32768 for 16-bit samples",
    "kind": "magnitude, power or db; a waveform needs no n_fft and hop_length",
    "model": "the decoder of the codec: tonearm layouts NAME tells where its weights come from",
    "axes": "batch or channel in place of ?",
}
"""Notes beside the options that the user must decide."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="Files and folders to inspect; - is standard input")
    parser.add_argument("--decoder", metavar="NAME", help="Decoder (default: the one for the suffix of FILE)")
    parser.add_argument("--key", metavar="NAME", help="Names of the arrays to inspect, with * and ? (default: all)")
    add_limit_option(parser)
    ceiling.add_timeout_option(parser)
    parser.add_argument("--json", action="store_true", help="Print one JSON object for each array")


def main(arguments: argparse.Namespace) -> int:
    """Describe each array of each file; the exit status is 3 if one cannot be read, 2 if a name has no decoder."""
    with ceiling.watched() as watch:
        watch.begin(WatchedWork(arguments.files[0], arguments.timeout, as_json=arguments.json))
        registry = console.load_registry()
        limits = read_limits(arguments.limits, registry)
        if arguments.decoder:
            registry.find("decoder", arguments.decoder)  # a mistake in the name is one of the command
        failed = mistaken = False
        for file in arguments.files:
            work = _Work(arguments, registry, watch, int(limits.memory))
            try:
                failed |= not (work.inspect_folder(file) if is_folder(file, registry) else work.inspect_file(file))
            except UsageError as error:
                mistaken = True
                tracebacks.show(error)
                work.print_error(file, error)
            console.data().flush()  # what is found is shown, whatever happens to the next file
    if mistaken:
        return console.USAGE
    return console.SOME_FAILED if failed else console.DONE


class _Work:
    """The work of the command: files and folders are inspected one after the other."""

    def __init__(self, arguments: argparse.Namespace, registry: Registry, watch: ceiling.Watch, memory: int) -> None:
        self._arguments, self._registry, self._watch, self._memory = arguments, registry, watch, memory

    def inspect_file(self, file: str) -> bool:
        """Describe the arrays of a file, and return whether all of them could be read."""
        found, failure = self._inspections(file)
        if self._arguments.key and found and not any(one.key for one in found):
            message = f"{one_line(file)} holds one array, which has no name"
            raise UsageError(message, code="unknown-option", hint="leave --key out")
        self._print(group_alike(found))
        if failure is not None:
            self.print_error(file, failure)
        return failure is None and all(one.error is None for one in found)

    def inspect_folder(self, folder: str) -> bool:
        """Describe the files of a folder, alike ones once, and return whether all of them could be read."""
        try:
            content = folder_files(folder, self._registry, self._arguments.decoder)
        except ItemError as error:
            self.print_error(folder, error)
            return False
        groups: list[AlikeArrays] = []
        others: list[Inspection] = []
        failures: list[tuple[str, ItemError | UsageError]] = []
        for file in content.files:
            try:
                found, failure = self._inspections(file)
            except UsageError as unknown:
                failures.append((file, unknown))
                continue
            for one in group_alike(found):
                (groups if isinstance(one, AlikeArrays) else others).append(one)  # type: ignore[arg-type]
            if failure is not None:
                failures.append((file, failure))
        if not self._arguments.json:
            console.print_data(f"{one_line(folder)}  {content.summary()}\n")
        left = sum(content.counts.values()) - len(content.files)
        note = f"{format_count(left, 'more file')} of {one_line(folder)} not inspected" if left else ""
        self._print([*group_files(groups, folder), *others])
        if note and not self._arguments.json:
            console.print_data(note)
        for file, one_failure in failures:
            self.print_error(file, one_failure)
        return not (failures or content.unread) and all(one.error is None for one in others)

    def _inspections(self, file: str) -> tuple[list[Inspection], ItemError | None]:
        """Return the inspections of a file, and the error that ended them."""
        arguments = self._arguments
        self._watch.begin(WatchedWork(file, arguments.timeout, as_json=arguments.json))
        found: list[Inspection] = []
        try:
            with limited_memory(self._memory), remedies_as_flags():
                name, decoder, source = self._opened(file)
                width = min(WIDTH, (styles.terminal_width(console.data()) or WIDTH + 2) - 2)
                for one in inspect_file(
                    name, self._registry, decoder=decoder, key=arguments.key, preview_width=width, found=source
                ):
                    if one.error is not None:
                        tracebacks.show(one.error)
                        one.error.place = FLAGS
                    found.append(one)
        except ItemError as error:
            tracebacks.show(error)
            return found, error
        return with_levels(found, self._registry), None

    def _opened(self, file: str) -> tuple[str, str | None, Source | None]:
        """Return a name for messages, the decoder that was named or told, and what came through a pipe.

        A pipe is one only where it stands alone: otherwise it is no regular file.
        """
        decoder = self._arguments.decoder
        if self._arguments.files != [file] or not is_stream(file):
            refuse_missing(file)
            return file, decoder, None
        given = InputPipe(file, self._watch.alive)
        decoder = decoder or told_by_content(given, self._registry)
        name = file_name(file, decoder, self._registry)
        return name, decoder, Source(name=given.name, path=given.collected())

    def _print(self, groups: Sequence[Inspection | AlikeArrays]) -> None:
        for group in groups:
            if not self._arguments.json:
                console.print_data("\n".join(_page(group, self._registry)))
                continue
            for one in [group.first, *group.others] if isinstance(group, AlikeArrays) else [group]:
                console.print_data(json.dumps(_fields(one, group, self._registry)))

    def print_error(self, file: str, error: ItemError | UsageError) -> None:
        """Print the error of a file."""
        console.print_message(error.problem)
        if self._arguments.json:
            console.print_data(json.dumps({"file": file, "error": error_fields(error)}))


def _fields(found: Inspection, group: Inspection | AlikeArrays, registry: Registry) -> dict[str, Any]:
    """Return an inspection for JSON, with the names of the arrays that one pipeline reads together with it."""
    fields: dict[str, Any] = {"file": found.file, "key": found.key, "shape": list(found.shape), "dtype": found.dtype}
    if found.note:
        fields["note"] = found.note
    if found.error is not None:
        fields["error"] = error_fields(found.error)
    if found.guess is not None:
        fields["findings"] = [
            {"what": one.what, "value": one.value, "confidence": one.confidence, "reason": one.reason}
            for one in found.guess.findings
        ]
        fields |= {f"{option}s": list(values) for option, values in found.guess.choices.items()}
        fields["pipeline"] = group.pipeline(registry)
        if isinstance(group, AlikeArrays) and group.others:
            fields["alike"] = 1 + len(group.others)
    return fields


def _page(group: Inspection | AlikeArrays, registry: Registry) -> Iterator[str]:
    """Yield the lines for people."""
    found = group.first if isinstance(group, AlikeArrays) else group
    name = f"{found.file}:{found.key}" if found.key else found.file
    yield f"{one_line(name)}  {'×'.join(map(str, found.shape))} {found.dtype}".rstrip()
    if isinstance(group, AlikeArrays) and group.others:
        yield f"  {_others_line(group)}"
    if found.note:
        yield f"  {found.note}"
        yield ""
        return
    if found.error is not None:
        yield f"  {found.error.code}: {found.error.message}"
        if found.error.hint:
            yield f"      hint: {found.error.hint}"
        return
    if found.guess is None:
        return
    if _can_print_blocks():
        yield from (f"  {line}" for line in found.preview)
    for finding in found.guess.findings:
        text = f"{finding.value}  ({finding.confidence}: {finding.reason})"
        yield from wrap(text, styles.terminal_width(console.data()), f"  {finding.what + ':':<12} ", " " * 15)
    yield ""
    yield from _yaml(found, group.pipeline(registry))
    yield ""


def _others_line(group: AlikeArrays) -> str:
    """Return the line that names the arrays that are like the first one of a group."""
    others = group.others
    in_files = bool(group.files)
    first = group.first.file if in_files else group.first.key  # which the rows of a column share
    names = [name for name in dict.fromkeys(one.file if in_files else one.key for one in others) if name != first]
    named = ", ".join(one_line(name, 200) for name in names[:MAX_NAMED])
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    what = "alike file" if in_files else "alike array"
    count = format_count(len(names) if in_files else len(others), what)
    return f"and {count}{f': {named}{more}' if named else ''}"


def _can_print_blocks() -> bool:
    """Return whether the encoding of stdout has block characters."""
    try:
        "█".encode(console.data().encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _yaml(found: Inspection, pipeline: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a pipeline, with a note wherever the user must decide."""
    pipeline = escape_variables(pipeline)
    source = pipeline["input"]
    yield "tonearm: 1"
    yield "input:"
    yield f"  use: {source['use']}"
    yield f"  files: {json.dumps(source['files'])}"
    if source["with"]:
        yield "  with:"
    for option, value in source["with"].items():
        shown = f"[{', '.join(_scalar(one) for one in value)}]" if isinstance(value, list) else _scalar(value)
        unknown = value == UNKNOWN or (isinstance(value, list) and UNKNOWN in value)
        note = _note(option, found) if unknown else ""
        yield from _with_note(f"    {option}: {shown}", note)
    if pipeline["steps"]:
        yield "steps:"
    for step in pipeline["steps"]:
        yield f"  - use: {step['use']}"
        for option, value in step.get("with", {}).items():
            yield from _with_note(f"    with: {{{option}: {_scalar(value)}}}", _note(option, found))
    yield "outputs:"
    yield "  - use: wav-writer"
    yield f"    file: {json.dumps(pipeline['outputs'][0]['file'])}"


def _with_note(line: str, note: str) -> Iterator[str]:
    """Yield a line of YAML with a note behind it, or above it if the terminal is too narrow."""
    width = styles.terminal_width(console.data())
    whole = f"{line}  # {note}" if note else line
    if note and width is not None and len(whole) > width:
        yield from wrap(note, width, "    # ")
        yield line
    else:
        yield whole


def _scalar(value: object) -> str:
    """Return a value as YAML; quoted text is the same in JSON."""
    plain = isinstance(value, str) and value[:1].isalpha() and value.replace("-", "").replace("_", "").isalnum()
    return str(value) if plain else json.dumps(value)


def _note(option: str, found: Inspection) -> str:
    """Return the note beside an option that the user must decide."""
    if found.guess is not None and (choices := found.guess.choices.get(option)):
        names, others = choices[:MAX_CHOICES], len(choices) - MAX_CHOICES
        return f"one of {', '.join(names)}{f', or of {others} more: --json lists them' if others > 0 else ''}"
    if option == "kind":
        from tonearm.recipes.mel.inspection import MEL_NEEDS

        return f"{_NOTES[option]}, {MEL_NEEDS}"
    return _NOTES.get(option, "")
