"""``tonearm status``: what became of the runs into a folder."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

from tonearm.cli import console
from tonearm.errors import one_line
from tonearm.run.report import size_of
from tonearm.run.status import Pass, Status, status_of

_STATES = {"failures": "stopped after failures", "output": "stopped: the output side failed"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("out", metavar="DIR", nargs="?", default=".", help="output folder of the runs")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def main(arguments: argparse.Namespace) -> int:
    """Say what became of the runs; 3 if items have failed and were not converted since, as ``run`` says it."""
    status = status_of(arguments.out)
    if arguments.json:
        import json

        print(json.dumps(_plain(status)))
    else:
        for line in _page(status):
            print(line)
    return console.SOME_FAILED if status.failed else console.DONE


def _plain(status: Status) -> dict[str, Any]:
    """Return it as JSON has it."""
    plain: dict[str, Any] = dict(vars(status))
    plain["last"] = [{**vars(run), "seconds": run.seconds} for run in status.last]
    plain["codes"] = dict(status.codes)
    plain["failures"] = [
        {name: getattr(failure, name) for name in ("source", "key", "index", "code", "message", "hint")}
        for failure in status.failures
    ]
    plain["noted"] = [
        {"warning": kind, "count": count, "first": first} for kind, (count, first) in status.noted.items()
    ]
    plain["measured"] = {
        name: {
            "low": {"value": spread.low[0], "output": spread.low[1]},
            "high": {"value": spread.high[0], "output": spread.high[1]},
            "mean": spread.mean,
            "count": spread.count,
        }
        for name, spread in status.measured.items()
    }
    return plain


def _page(status: Status) -> Iterator[str]:
    """Yield the lines for people."""
    for run in status.last:
        yield from _run(run, alone=len(status.last) == 1)
    there = [f"{status.items} items", f"{status.files} files, {size_of(status.size)}"]
    there += [f"{console.format_duration(status.sound)} of sound"] if status.sound else []
    yield f"{one_line(status.out)}: {', '.join(there)}, from {status.sources} sources"
    if status.failed:
        yield f"failed: {status.failed} items of {status.failing} sources"
    for code, count in status.codes.most_common():
        failure = next((failure for failure in status.failures if failure.code == code), None)
        yield f"    {count} × {code}" + (f", first {one_line(failure.source)}: {failure.message}" if failure else "")
        if failure and failure.hint:
            yield f"        hint: {failure.hint}"
    if status.warned:
        yield f"warnings: {status.warned} items"
    for kind, (count, first) in sorted(status.noted.items(), key=lambda one: -one[1][0]):
        yield f"    {count} × {kind}, first {one_line(first)}"
    yield from _measurements(status)


def _run(run: Pass, *, alone: bool) -> Iterator[str]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.began))
    counts = [f"{run.converted} converted", f"{run.failed} failed"]
    counts += [f"{run.skipped} done before"] if run.skipped else []
    counts += [f"{run.sources - run.through} left"] if run.sources > run.through else []
    rates = []
    if run.seconds > 0:
        rates.append(f"{run.through / run.seconds:.1f} sources a second")
        rates += [f"{run.sound / run.seconds:.0f} × real time"] if run.sound else []
    state = {"failures": "stopped after failures", "output": "stopped: the output side failed"}.get(
        run.state, run.state
    )
    which = "" if alone else f" of {run.journal}"
    yield f"last run{which}: {when}, {state}, {console.format_duration(run.seconds)}, {one_line(run.pipeline)}"
    yield f"    {', '.join(counts)}{': ' if rates else ''}{', '.join(rates)}"


def _measurements(status: Status) -> Iterator[str]:
    """Yield a table of the least and greatest value of each measurement, and where they are."""
    if not status.measured:
        return
    rows = [("measured", "mean", "least", "", "greatest", "")]
    for name, spread in sorted(status.measured.items()):
        low, high = spread.low, spread.high
        rows.append(
            (name, f"{spread.mean:.6g}", f"{low[0]:.6g}", one_line(low[1], 40), f"{high[0]:.6g}", one_line(high[1], 40))
        )
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    for row in rows:
        cells = [
            cell.ljust(width) if column in (0, 3, 5) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
