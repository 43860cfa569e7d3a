"""``tonearm check``: every problem, before any data is read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from tonearm.cli import console
from tonearm.errors import PipelineError, TonearmError

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("pipelines", nargs="+", metavar="PIPELINE", help="YAML files")
    console.add_set_option(parser)


def main(arguments: SimpleNamespace) -> int:
    """Check each pipeline; say all that is wrong, or what flows through it."""
    from tonearm.python import load_pipeline

    plugins = console.load_registry()
    wrong = 0
    for name in arguments.pipelines:
        try:
            pipeline = load_pipeline(name, overrides=arguments.overrides, plugins=plugins)
        except PipelineError as error:
            wrong += len(error.problems)
            console.print_message(error)
        except TonearmError as error:
            wrong += 1
            console.print_message(error.problem)
        else:
            checked = pipeline.checked
            outputs = " and ".join(output.encoder.name for output in checked.outputs)
            console.print_message(
                f"{name}: ok: {' → '.join([checked.decoder.name, *(s.name for s in checked.steps), outputs])}"
            )
    if wrong:
        console.print_message(f"{wrong} problem{'s' if wrong > 1 else ''}")
    return console.USAGE if wrong else console.DONE
