"""``tonearm check``: validate pipelines without reading any data."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING

from tonearm.cli import console
from tonearm.errors import PipelineError, Problem, TonearmError, one_line
from tonearm.errors.text import counted

if TYPE_CHECKING:
    import argparse

    from tonearm.cli.problem_formats import Level
    from tonearm.pipeline.checked import CheckedPipeline

Found = list[tuple["Level", Problem]]
"""Problems of one pipeline, each with its severity."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    from tonearm.cli.parser import add_env_option, add_set_option  # not at the top: `main` is called without argparse
    from tonearm.cli.problem_formats import FORMATS

    parser.add_argument("pipelines", nargs="+", metavar="PIPELINE", help="Pipeline files to validate (YAML)")
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="Format of the problems: text for people, one JSON object for each pipeline, or annotations for GitHub"
        " Actions (default: text)",
    )
    formats.add_argument("--json", dest="format", action="store_const", const="json", help="Same as --format json")
    add_set_option(parser)
    add_env_option(parser)


def main(arguments: SimpleNamespace) -> int:
    """Check each pipeline, and print all its problems, or its stages if there are none."""
    from tonearm.pipeline.check import check
    from tonearm.pipeline.document import read_pipeline
    from tonearm.run.sources.missing import missing_sources

    registry = console.load_registry()
    report = {"text": _print_text, "json": _print_json, "github": _print_annotations}[arguments.format]
    count = 0
    for name in arguments.pipelines:
        checked: CheckedPipeline | None = None
        found: Found
        try:
            root, file = read_pipeline(name, arguments.overrides, arguments.limits)
            checked = check(root, file, registry, env=arguments.env, needs_outputs=False)
        except PipelineError as error:
            found = [("error", problem) for problem in error.problems]
        except TonearmError as error:
            found = [("error", error.problem)]
        else:
            warnings = (*checked.warnings, *_no_outputs(checked), *missing_sources(checked, root))
            found = [("warning", problem) for problem in warnings]
        count += checked is None and len(found)
        report(name, checked, found)
    if count and arguments.format != "json":
        console.print_message(counted(count, "problem"))
    return console.USAGE if count else console.DONE


def _print_text(name: str, checked: CheckedPipeline | None, found: Found) -> None:
    for level, problem in found:
        if level == "warning":
            console.print_warnings([problem])
        else:
            console.print_message(problem)
    if checked is not None:
        console.print_message(f"{one_line(name)}: ok: {_stages(checked)}")


def _print_json(name: str, checked: CheckedPipeline | None, found: Found) -> None:
    import json

    from tonearm.cli.problem_formats import problem_fields

    fields = {
        "pipeline": name,
        "ok": checked is not None,
        "stages": checked and _stages(checked),
        "problems": [problem_fields(problem, level) for level, problem in found],
    }
    console.print_data(json.dumps(fields))


def _print_annotations(name: str, checked: CheckedPipeline | None, found: Found) -> None:
    from tonearm.cli.problem_formats import github_annotation

    for level, problem in found:
        console.print_data(github_annotation(problem, level, one_line(name)))
    if checked is not None:
        console.print_message(f"{one_line(name)}: ok: {_stages(checked)}")


def _no_outputs(checked: CheckedPipeline) -> Iterator[Problem]:
    """Yield the problem of a pipeline without outputs, which only ``convert`` of a `Pipeline` takes."""
    from msgspec.structs import replace

    from tonearm.pipeline.structure import NO_OUTPUTS

    if not checked.outputs:
        message = f"{NO_OUTPUTS.message}, so that the pipeline converts in Python, but tonearm run refuses it"
        yield replace(NO_OUTPUTS, message=message, file=checked.file)


def _stages(checked: CheckedPipeline) -> str:
    """Return the names of all stages, with the steps of one output in parentheses."""
    outputs = []
    for output in checked.outputs:
        own = " → ".join(stage.name for stage in (*output.steps, output.encoder))
        outputs.append(f"({own})" if output.steps and len(checked.outputs) > 1 else own)
    shared = [stage.name for stage in (checked.decoder, *checked.steps)]
    return " → ".join([*shared, *([" and ".join(outputs)] if outputs else [])])
