"""``tonearm check``: validate pipelines without reading any data."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from tonearm.cli import console
from tonearm.errors import PipelineError, TonearmError

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    from tonearm.cli.parser import add_set_option  # not at the top: `main` is called without argparse

    parser.add_argument("pipelines", nargs="+", metavar="PIPELINE", help="Pipeline files to validate (YAML)")
    add_set_option(parser)


def main(arguments: SimpleNamespace) -> int:
    """Check each pipeline, and print all its problems, or its stages if there are none."""
    from tonearm.pipeline.check import check
    from tonearm.pipeline.document import read_pipeline

    registry = console.load_registry()
    count = 0
    for name in arguments.pipelines:
        try:
            root, file = read_pipeline(name, arguments.overrides)
            checked = check(root, file, registry)
        except PipelineError as error:
            count += len(error.problems)
            console.print_message(error)
        except TonearmError as error:
            count += 1
            console.print_message(error.problem)
        else:
            outputs = " and ".join(output.encoder.name for output in checked.outputs)
            stages = [checked.decoder.name, *(step.name for step in checked.steps), outputs]
            console.print_message(f"{name}: ok: {' → '.join(stages)}")
    if count:
        console.print_message(f"{count} problem{'s' if count > 1 else ''}")
    return console.USAGE if count else console.DONE
