"""``tonearm schema``: print the JSON Schema of pipelines."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from tonearm.cli import console

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Explain what the schema is for; the command takes no arguments."""
    parser.epilog = (
        "Save the output to a file, and put '# yaml-language-server: $schema=FILE' on the first line of a pipeline."
    )


def main(_: SimpleNamespace) -> int:
    """Print the schema on stdout."""
    import json

    from tonearm.pipeline.schema import pipeline_schema

    console.print_data(json.dumps(pipeline_schema(console.load_registry()), indent=2, ensure_ascii=False))
    return console.DONE
