"""``tonearm inspect``: describe the arrays in files, and print the pipelines that convert them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from tonearm.cli import ceiling, console, styles
from tonearm.cli.parser import add_limit_option
from tonearm.cli.printing import FLAGS, error_fields, remedies_as_flags
from tonearm.cli.watched_work import WatchedWork
from tonearm.cli.wrapping import wrap
from tonearm.errors import ItemError, one_line, tracebacks
from tonearm.findings.notes import MAX_CHOICES, UNKNOWN
from tonearm.inspect import Inspection, inspect_file
from tonearm.pipeline.check import read_limits
from tonearm.pipeline.document import escape_variables
from tonearm.plugins.registry import Registry
from tonearm.reading.memory import limited_memory

_NOTES = {
    "sample_rate": "in Hz, from the model's settings",
    "hop_length": "in samples, from the model's settings",
    "n_fft": "in samples, from the model's settings",
    "full_scale": "the value that is full scale: 32768 for 16-bit samples",
    "kind": "magnitude, power or db; a waveform needs no n_fft and hop_length",
    "axes": "batch or channel in place of ?",
}
"""Notes beside the options that the user must decide."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="Files to inspect")
    parser.add_argument("--decoder", metavar="NAME", help="Decoder (default: the one for the suffix of FILE)")
    parser.add_argument("--key", metavar="NAME", help="Names of the arrays to inspect, with * and ? (default: all)")
    add_limit_option(parser)
    ceiling.add_timeout_option(parser)
    parser.add_argument("--json", action="store_true", help="Print one JSON object for each array")


def main(arguments: argparse.Namespace) -> int:
    """Describe each array of each file; the exit status is 3 if one of them cannot be read."""
    with ceiling.watched() as watch:
        watch.begin(WatchedWork(arguments.files[0], arguments.timeout, as_json=arguments.json))
        registry = console.load_registry()
        limits = read_limits(arguments.limits, registry)
        failed = False
        for file in arguments.files:
            watch.begin(WatchedWork(file, arguments.timeout, as_json=arguments.json))
            with limited_memory(int(limits.memory)):
                failed |= not _inspect(file, arguments, registry)
            console.data().flush()  # what is found is shown, whatever happens to the next file
    return console.SOME_FAILED if failed else console.DONE


def _inspect(file: str, arguments: argparse.Namespace, registry: Registry) -> bool:
    """Describe the arrays of a file, and return whether all of them could be read."""
    complete = True
    try:
        with remedies_as_flags():
            for found in inspect_file(file, registry, decoder=arguments.decoder, key=arguments.key):
                if found.error is not None:
                    complete = False
                    tracebacks.show(found.error)
                    found.error.place = FLAGS
                if arguments.json:
                    console.print_data(json.dumps(_fields(found, registry)))
                else:
                    console.print_data("\n".join(_page(found, registry)))
    except ItemError as error:
        complete = False
        tracebacks.show(error)
        console.print_message(error.problem)
        if arguments.json:
            console.print_data(json.dumps({"file": file, "error": error_fields(error)}))
    return complete


def _fields(found: Inspection, registry: Registry) -> dict[str, Any]:
    """Return an inspection for JSON."""
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
        fields["pipeline"] = found.pipeline(registry)
    return fields


def _page(found: Inspection, registry: Registry) -> Iterator[str]:
    """Yield the lines for people."""
    name = f"{found.file}:{found.key}" if found.key else found.file
    yield f"{one_line(name)}  {'×'.join(map(str, found.shape))} {found.dtype}".rstrip()
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
    yield from _yaml(found, registry)
    yield ""


def _can_print_blocks() -> bool:
    """Return whether the encoding of stdout has block characters."""
    try:
        "█".encode(console.data().encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _yaml(found: Inspection, registry: Registry) -> Iterator[str]:
    """Yield the lines of the pipeline, with a note wherever the user must decide."""
    pipeline = escape_variables(found.pipeline(registry))
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
        yield from (f"  - use: {step['use']}" for step in pipeline["steps"])
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
