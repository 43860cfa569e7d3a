"""``tonearm check``: validate pipelines without reading any data."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from tonearm.cli import console
from tonearm.errors import PipelineError, TonearmError
from tonearm.errors.text import counted

if TYPE_CHECKING:
    import argparse

    from tonearm.pipeline.checked import CheckedPipeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    from tonearm.cli.parser import add_env_option, add_set_option  # not at the top: `main` is called without argparse

    parser.add_argument("pipelines", nargs="+", metavar="PIPELINE", help="Pipeline files to validate (YAML)")
    add_set_option(parser)
    add_env_option(parser)


def main(arguments: SimpleNamespace) -> int:
    """Check each pipeline, and print all its problems, or its stages if there are none."""
    from tonearm.pipeline.check import check
    from tonearm.pipeline.document import read_pipeline

    registry = console.load_registry()
    count = 0
    for name in arguments.pipelines:
        try:
            root, file = read_pipeline(name, arguments.overrides, arguments.limits)
            checked = check(root, file, registry, env=arguments.env)
        except PipelineError as error:
            count += len(error.problems)
            console.print_message(error)
        except TonearmError as error:
            count += 1
            console.print_message(error.problem)
        else:
            console.print_message(f"{name}: ok: {_stages(checked)}")
    if count:
        console.print_message(counted(count, "problem"))
    return console.USAGE if count else console.DONE


def _stages(checked: CheckedPipeline) -> str:
    """Return the names of all stages, with the steps of one output in parentheses."""
    outputs = []
    for output in checked.outputs:
        own = " → ".join(stage.name for stage in (*output.steps, output.encoder))
        outputs.append(f"({own})" if output.steps and len(checked.outputs) > 1 else own)
    return " → ".join([*(stage.name for stage in (checked.decoder, *checked.steps)), " and ".join(outputs)])
