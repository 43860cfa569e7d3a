"""``tonearm layouts``: list the layouts of codec tokens, or show all figures of one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from tonearm.cli import console, listing

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    listing.add_listing_arguments(parser, "layout")


def main(arguments: SimpleNamespace) -> int:
    """List the layouts, or show one."""
    found = listing.find_listing("layouts")
    registry = console.load_registry()
    return listing.print_listing(found, registry, name=arguments.name, as_json=arguments.json)
