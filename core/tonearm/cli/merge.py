"""``tonearm merge``: make one journal of those of a run's parts."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator
from typing import Any

from tonearm.cli import console
from tonearm.cli.printing import failure_lines, format_count
from tonearm.cli.status import missing_lines, shared_fields
from tonearm.errors import one_line
from tonearm.run.merge import MergeReport, merge
from tonearm.run.store.local_store import LocalStore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "out", metavar="DIR", nargs="?", default=".", help="Output folder of the parts (default: the current folder)"
    )
    parser.add_argument("--json", action="store_true", help="Print one JSON object")


def main(arguments: argparse.Namespace) -> int:
    """Merge the journals; the exit status is 3 if something is missing, has failed, or was done twice."""
    with contextlib.closing(LocalStore(arguments.out)) as store:
        report = merge(store)
    if report.warning:
        console.print_message(f"warning: {report.warning}")
    lines = [json.dumps(_fields(report))] if arguments.json else _page(report)
    for line in lines:
        console.print_data(line)
    return console.DONE if report.is_complete else console.SOME_FAILED


def _fields(report: MergeReport) -> dict[str, Any]:
    """Return the report for JSON."""
    status = report.status
    return {
        "out": status.out,
        "merged": report.merged,
        "complete": report.is_complete,
        "sources": status.sources,
        "items": status.items,
        "left": report.left + sum(shared.left for shared in report.unfinished),
        "failed": status.failed,
        "codes": dict(status.codes),
        "unfinished": list(map(shared_fields, report.unfinished)),
        "twice": report.twice,
        "first_twice": [{"output": output, "parts": [one, other]} for output, one, other in report.first_twice],
    }


def _page(report: MergeReport) -> Iterator[str]:
    """Yield the lines for people."""
    status = report.status
    counts = f"{format_count(status.items, 'item')} from {format_count(status.sources, 'source')}"
    if report.merged:
        yield f"{one_line(status.out)}: merged {format_count(report.merged, 'journal')}, {counts}"
    else:
        yield f"{one_line(status.out)}: nothing to merge, {counts}"
    for shared in report.unfinished:
        yield from (f"missing: {line}" for line in missing_lines(shared))
    if report.left:
        yield f"missing: {format_count(report.left, 'source')}"
    if status.failed:
        yield f"failed: {format_count(status.failed, 'item')} of {format_count(status.failing, 'source')}"
    yield from failure_lines(status.codes, status.failures)
    if report.twice:
        yield f"done twice: {format_count(report.twice, 'output')}"
    for output, one, other in report.first_twice:
        yield f"    {one_line(output)}, by parts {one} and {other}"
    if report.is_complete:
        yield "nothing is missing"
