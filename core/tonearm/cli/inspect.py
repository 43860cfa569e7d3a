"""``tonearm inspect``: what arrays seem to be, and the YAML that would convert them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from tonearm.cli import console
from tonearm.errors import ItemError, one_line
from tonearm.inspect import Inspection, inspect_file
from tonearm.inspect.guess_mel import MAX_DIALECTS
from tonearm.inspect.notes import UNKNOWN
from tonearm.pipeline.document import escape_variables
from tonearm.plugins.registry import Registry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="files of arrays")
    parser.add_argument("--decoder", metavar="NAME", help="decoder, where the suffix does not say it")
    parser.add_argument("--key", metavar="NAME", help="arrays to look at, with * and ?; all if not given")
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")


def main(arguments: argparse.Namespace) -> int:
    """Say of each array what it seems to be."""
    registry = console.load_registry()
    failed = False
    for file in arguments.files:
        try:
            for found in inspect_file(file, registry, decoder=arguments.decoder, key=arguments.key):
                failed |= found.error is not None
                if arguments.json:
                    print(json.dumps(_plain(found, registry), ensure_ascii=False))
                else:
                    print("\n".join(_page(found, registry)))
        except ItemError as error:
            failed = True
            console.print_message(error.problem)
            if arguments.json:
                print(json.dumps({"file": file, "error": {"code": error.code, "message": error.message}}))
    return console.SOME_FAILED if failed else console.DONE


def _plain(found: Inspection, registry: Registry) -> dict[str, Any]:
    """Return what was found as JSON has it."""
    plain: dict[str, Any] = {"file": found.file, "key": found.key, "shape": list(found.shape), "dtype": found.dtype}
    if found.note:
        plain["note"] = found.note
    if found.error is not None:
        plain["error"] = {"code": found.error.code, "message": found.error.message, "hint": found.error.hint}
    if found.guess is not None:
        plain["findings"] = [
            {"what": one.what, "value": one.value, "confidence": one.confidence, "reason": one.reason}
            for one in found.guess.findings
        ]
        if found.guess.dialects:
            plain["dialects"] = list(found.guess.dialects)
        plain["pipeline"] = found.pipeline(registry)
    return plain


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
        return
    if found.guess is None:
        return
    if _shows_blocks():
        yield from (f"  {line}" for line in found.preview)
    for one in found.guess.findings:
        yield f"  {one.what + ':':<12} {one.value}  ({one.confidence}: {one.reason})"
    yield ""
    yield from _yaml(found, registry)
    yield ""


def _shows_blocks() -> bool:
    """Say whether stdout can print block characters, and not only their numbers."""
    try:
        "█".encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _yaml(found: Inspection, registry: Registry) -> Iterator[str]:
    """Yield the pipeline, with a note wherever the user must decide."""
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
        yield f"    {option}: {shown}{f'  # {note}' if note else ''}"
    if pipeline["steps"]:
        yield "steps:"
        yield from (f"  - use: {step['use']}" for step in pipeline["steps"])
    yield "outputs:"
    yield "  - use: wav-writer"
    yield f"    file: {json.dumps(pipeline['outputs'][0]['file'])}"


def _scalar(value: object) -> str:
    """Return a value as YAML has it; JSON's quotes are YAML's too."""
    plain = isinstance(value, str) and value[:1].isalpha() and value.replace("-", "").replace("_", "").isalnum()
    return str(value) if plain else json.dumps(value)


def _note(option: str, found: Inspection) -> str:
    if option == "dialect" and found.guess is not None:
        first, others = found.guess.dialects[:MAX_DIALECTS], len(found.guess.dialects) - MAX_DIALECTS
        return f"one of {', '.join(first)}{f', or of {others} more: --json lists them' if others > 0 else ''}"
    return {
        "sample_rate": "in Hz, as the model's settings say",
        "hop_length": "in samples, as the model's settings say",
        "n_fft": "in samples, as the model's settings say",
        "full_scale": "the value that is full scale: 32768 for 16-bit samples",
        "kind": "magnitude, power or db; a waveform needs no n_fft and no hop_length, a mel its dialect instead",
        "axes": "batch or channel where the ? is",
    }.get(option, "")
