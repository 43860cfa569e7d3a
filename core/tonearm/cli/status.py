"""``tonearm status``: report the status of the runs in a folder."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

from tonearm.cli import console
from tonearm.cli.printing import (
    align_columns,
    error_fields,
    failure_lines,
    format_count,
    format_duration,
    warning_lines,
)
from tonearm.errors import one_line
from tonearm.run.report import format_size
from tonearm.run.status import PastRun, Status, status_of

_STATES = {"failures": "stopped after failures", "output": "stopped: the output side failed"}
"""States of a run in words; the others are words already."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "out", metavar="DIR", nargs="?", default=".", help="Output folder of the runs (default: the current folder)"
    )
    parser.add_argument("--json", action="store_true", help="Print one JSON object")


def main(arguments: argparse.Namespace) -> int:
    """Report the status; the exit status is 3 if items have failed and were not converted since."""
    status = status_of(arguments.out)
    if arguments.json:
        import json

        print(json.dumps(_fields(status)))
    else:
        for line in _page(status):
            print(line)
    return console.SOME_FAILED if status.failed else console.DONE


def _fields(status: Status) -> dict[str, Any]:
    """Return the status for JSON."""
    fields: dict[str, Any] = dict(vars(status))
    fields["last"] = [{**vars(run), "seconds": run.seconds} for run in status.last]
    fields["codes"] = dict(status.codes)
    fields["failures"] = [
        {"source": failure.source, "key": failure.key, "index": failure.index, **error_fields(failure)}
        for failure in status.failures
    ]
    fields["noted"] = [
        {"warning": kind, "count": count, "first": first} for kind, (count, first) in status.noted.items()
    ]
    fields["measured"] = {
        name: {
            "low": {"value": spread.low[0], "output": spread.low[1]},
            "high": {"value": spread.high[0], "output": spread.high[1]},
            "mean": spread.mean,
            "count": spread.count,
        }
        for name, spread in status.measured.items()
    }
    return fields


def _page(status: Status) -> Iterator[str]:
    """Yield the lines for people."""
    for run in status.last:
        yield from _run_lines(run, alone=len(status.last) == 1)
    counts = [format_count(status.items, "item"), f"{format_count(status.files, 'file')}, {format_size(status.size)}"]
    counts += [f"{format_duration(status.sound)} of sound"] if status.sound else []
    yield f"{one_line(status.out)}: {', '.join(counts)}, from {format_count(status.sources, 'source')}"
    if status.failed:
        yield f"failed: {format_count(status.failed, 'item')} of {format_count(status.failing, 'source')}"
    yield from failure_lines(status.codes, status.failures)
    if status.warned:
        yield f"warnings: {format_count(status.warned, 'item')}"
    yield from warning_lines(status.noted)
    yield from _measurement_lines(status)


def _run_lines(run: PastRun, *, alone: bool) -> Iterator[str]:
    """Yield when a run began, how it ended, and what it did."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.began))
    counts = [f"{run.converted} converted", f"{run.failed} failed"]
    counts += [f"{run.skipped} done before"] if run.skipped else []
    counts += [f"{run.sources - run.finished} left"] if run.sources > run.finished else []
    rates = []
    if run.seconds > 0:
        rates.append(f"{run.finished / run.seconds:.1f} sources a second")
        rates += [f"{run.sound / run.seconds:.0f} × real time"] if run.sound else []
    state = _STATES.get(run.state, run.state)
    which = "" if alone else f" of {run.journal}"
    yield f"last run{which}: {when}, {state}, {format_duration(run.seconds)}, {one_line(run.pipeline)}"
    yield f"    {', '.join(counts)}{': ' if rates else ''}{', '.join(rates)}"


def _measurement_lines(status: Status) -> Iterator[str]:
    """Yield a table of each measurement: its mean, lowest and highest value, and the outputs that have them."""
    if not status.measured:
        return
    rows = [("measured", "mean", "lowest", "", "highest", "")]
    for name, spread in sorted(status.measured.items()):
        low, high = spread.low, spread.high
        rows.append(
            (name, f"{spread.mean:.6g}", f"{low[0]:.6g}", one_line(low[1], 40), f"{high[0]:.6g}", one_line(high[1], 40))
        )
    yield from align_columns(rows, left=(0, 3, 5))
