"""``tonearm dialects``: list the dialects of mel spectrograms, or show all figures of one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from tonearm.cli import console, listing

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    listing.add_listing_arguments(parser, "dialect")


def main(arguments: SimpleNamespace) -> int:
    """List the dialects, or show one."""
    found = listing.find_listing("dialects")
    registry = console.load_registry()
    return listing.print_listing(found, registry, name=arguments.name, as_json=arguments.json)
