"""``tonearm status``: report the status of the runs in a folder."""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import time
from collections.abc import Collection, Iterator
from typing import Any

from tonearm.cli import console
from tonearm.cli.printing import (
    align_columns,
    error_fields,
    failure_lines,
    format_count,
    format_duration,
    kept_line,
    warning_lines,
)
from tonearm.errors import UsageError, one_line
from tonearm.errors.text import item_name
from tonearm.run.current_records import CurrentRecord
from tonearm.run.past_runs import PastRun, SharedRun
from tonearm.run.report import format_size, warning_pattern
from tonearm.run.status import Ranking, Status, StatusReader
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.records import ErrRecord

RANKED = 10
"""Default number of outputs at each end of a ranking."""

RANKINGS = {
    "loudest": ("peak_db", "highest"),
    "quietest": ("peak_db", "lowest"),
    "longest": ("duration", "highest"),
    "shortest": ("duration", "lowest"),
    "flattest": ("guard_flatness", "highest"),
}
"""Names of one end of a ranking, each with the measurement and the end."""

MAX_PARTS = 20
"""Largest number of parts that are printed one by one."""

_STATES = {"failures": "stopped after failures", "output": "stopped: the output side failed"}
"""States of a run in words; the others are words already."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "out", metavar="DIR", nargs="?", default=".", help="Output folder of the runs (default: the current folder)"
    )
    parser.add_argument(
        "--rank",
        action="append",
        default=[],
        metavar="NAME[:N]",
        help="Measurement to rank the files by, as in peak_db or duration:3; lists the N lowest and the N highest"
        f" (default: {RANKED}). {', '.join(RANKINGS)} list one end. Can be repeated",
    )
    parser.add_argument("--code", metavar="CODE", help="Error code; lists every item that failed with it")
    parser.add_argument("--failed", action="store_true", help="List every item that failed, with its error code")
    parser.add_argument(
        "--warning", metavar="TEXT", help="Kind of warning, or a part of it; lists every file with such a warning"
    )
    parser.add_argument(
        "--json", action="store_true", help="Print one JSON object; with a list of items or files, one for each line"
    )


def main(arguments: argparse.Namespace) -> int:
    """Report the status; the exit status is 3 if items have failed and were not converted since."""
    ranks: dict[str, int] = {}
    for text in arguments.rank:
        name, count = _rank(text)
        measurement = RANKINGS.get(name, (name, ""))[0]
        ranks[measurement] = max(count, ranks.get(measurement, 0))
    with contextlib.closing(LocalStore(arguments.out)) as store:
        return _report(StatusReader(store, ranks), arguments)


def _report(reader: StatusReader, arguments: argparse.Namespace) -> int:
    if arguments.failed or arguments.code is not None or arguments.warning is not None:
        _print_matches(reader, arguments)
    else:
        for _found in reader:
            pass
        ranks = dict.fromkeys(_rank(text)[0] for text in arguments.rank)
        lines = [json.dumps(_fields(reader.status))] if arguments.json else _page(reader.status, ranks)
        for line in lines:
            console.print_data(line)
    return console.SOME_FAILED if reader.status.failed else console.DONE


def _rank(text: str) -> tuple[str, int]:
    """Return the measurement and the number of outputs that an option names."""
    name, separator, count = text.rpartition(":")
    if not separator:
        return text, RANKED
    if not count.isdecimal() or not name or not int(count[:9]):
        raise UsageError(f"invalid ranking {one_line(text)!r}: use NAME or NAME:N with N >= 1")
    return name, int(count[:9])


def _print_matches(reader: StatusReader, arguments: argparse.Namespace) -> None:
    """Print a line for each failure with a code, and for each output with a kind of warning."""
    found = False
    for record in reader:
        for fields in _matches(record, arguments.code, arguments.warning, failed=arguments.failed):
            found = True
            line = json.dumps(fields) if arguments.json else _match_line(fields, with_code=arguments.failed)
            console.print_data(line)
    if not found:
        if arguments.failed:
            console.print_message("no item has failed")
        if arguments.code is not None:
            console.print_message(f"no item has failed with {one_line(arguments.code)}")
        if arguments.warning is not None:
            console.print_message(f"no file has a warning like {one_line(arguments.warning)!r}")


def _matches(
    found: CurrentRecord, code: str | None, warning: str | None, *, failed: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield the JSON fields of what a record has to list."""
    record = found.record
    if isinstance(record, ErrRecord):
        if failed or record.code == code:
            fields = {"source": record.source, "key": record.key, "index": record.index}
            yield {**fields, **error_fields(record.failure())}
        return
    if warning is None:
        return
    for item in record.items:
        for text in item.warnings:
            if warning in text or warning in warning_pattern(text):
                fields = {"source": record.source, "key": item.key, "index": item.index}
                yield {**fields, "output": item.files[0][0], "warning": text}


def _match_line(fields: dict[str, Any], *, with_code: bool = False) -> str:
    """Return the line of a failed item, or of an output with a warning; a code is left out if all lines have one."""
    if "warning" in fields:
        return f"{one_line(fields['output'], 1000)}: {one_line(fields['warning'], 1000)}"
    code = f"{one_line(fields['code'])}: " if with_code else ""
    name = item_name(fields["source"], fields["key"], fields["index"])
    message = f"{name}: {code}{one_line(fields['message'], 1000)}"
    return f"{message}{kept_line(fields.get('kept', ''))}"


def _fields(status: Status) -> dict[str, Any]:
    """Return the status for JSON."""
    fields: dict[str, Any] = dict(vars(status))
    fields["last"] = list(map(run_fields, status.last))
    fields["shared"] = list(map(shared_fields, status.shared))
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
            "low": _value_fields(spread.low),
            "high": _value_fields(spread.high),
            "mean": spread.mean,
            "count": spread.count,
        }
        for name, spread in status.measured.items()
    }
    fields["ranked"] = {
        name: {
            "lowest": list(map(_value_fields, ranking.lowest)),
            "highest": list(map(_value_fields, ranking.highest)),
        }
        for name, ranking in status.ranked.items()
    }
    return fields


def _value_fields(value: tuple[float, str]) -> dict[str, Any]:
    return {"value": value[0], "output": value[1]}


def run_fields(run: PastRun) -> dict[str, Any]:
    """Return a run for JSON."""
    return {**vars(run), "left": run.left, "seconds": run.seconds}


def shared_fields(shared: SharedRun) -> dict[str, Any]:
    """Return a run that parts have shared for JSON."""
    return {
        "pipeline": shared.pipeline,
        "fingerprint": shared.fingerprint,
        "parts": shared.count,
        "missing": shared.missing,
        "missing_count": shared.missing_count,
        "unfinished": [
            {"part": run.part and run.part[0], "state": run.state, "left": run.left} for run in shared.unfinished
        ],
        "sources": shared.sources,
        "left": shared.left,
        "converted": shared.items,
        "failed": shared.failed,
    }


def _page(status: Status, ranks: Collection[str] = ()) -> Iterator[str]:
    """Yield the lines for people, with the rankings that ``ranks`` names."""
    for run in status.last:
        if run.part is None:
            yield from _run_lines(run)
    for shared in status.shared:
        yield from _shared_lines(shared)
    counts = [format_count(status.items, "item"), f"{format_count(status.files, 'file')}, {format_size(status.size)}"]
    counts += [f"{format_duration(status.sound)} of sound"] if status.sound else []
    yield f"{one_line(status.out)}: {', '.join(counts)}, from {format_count(status.sources, 'source')}"
    if status.nonsense:
        yield f"the journal has {format_count(status.nonsense, 'line')} that make no sense and are skipped"
    if status.failed:
        yield f"failed: {format_count(status.failed, 'item')} of {format_count(status.failing, 'source')}"
    yield from failure_lines(status.codes, status.failures)
    if status.failed > len(status.codes):  # else each has been named
        yield f"    hint: tonearm status {shlex.quote(one_line(status.out))} --failed lists every item"
    if status.warned:
        yield f"warnings: {format_count(status.warned, 'item')}"
    yield from warning_lines(status.noted)
    if ranks:
        for name in ranks:
            measurement, end = RANKINGS.get(name, (name, ""))
            yield from _ranking_lines(name, status.ranked[measurement], end)
    else:
        yield from _measurement_lines(status)


def _run_lines(run: PastRun) -> Iterator[str]:
    """Yield when a run began, how it ended, and what it did."""
    counts = [f"{run.converted} converted", f"{run.failed} failed"]
    counts += [f"{run.skipped} done before"] if run.skipped else []
    counts += [f"{run.left} left"] if run.left else []
    rates = _rates(run.finished, run.sound, run.seconds)
    yield f"last run: {_when(run.began)}, {_state(run)}, {format_duration(run.seconds)}, {one_line(run.pipeline)}"
    yield f"    {', '.join(counts)}{': ' if rates else ''}{', '.join(rates)}"


def _shared_lines(shared: SharedRun) -> Iterator[str]:
    """Yield when the parts of a run began, what they did together, and which of them are missing."""
    parts = list(shared.parts.values())
    seconds = max(shared.ended - shared.began, 0.0)
    counts = [f"{shared.items} converted", f"{shared.failed} failed"]
    counts += [f"{shared.left} left"] if shared.left else []
    rates = _rates(sum(run.finished for run in parts), sum(run.sound for run in parts), seconds)
    done = len(parts) - len(shared.unfinished)
    yield (
        f"last run, in parts: {_when(shared.began)}, {done} of {format_count(shared.count, 'part')} finished,"
        f" {format_duration(seconds)}, {one_line(shared.pipeline)}"
    )
    sources = f" of {format_count(shared.sources, 'source')}"
    yield f"    {', '.join(counts)}{sources}{': ' if rates else ''}{', '.join(rates)}"
    yield from (f"    {line}" for line in missing_lines(shared))


def missing_lines(shared: SharedRun) -> Iterator[str]:
    """Yield the parts that are not finished, and those that have never run."""
    for run in shared.unfinished[:MAX_PARTS]:
        part = run.part[0] if run.part else 0
        yield f"part {part} of {shared.count}: {_state(run)}, {format_count(run.left, 'source')} left"
    if len(shared.unfinished) > MAX_PARTS:
        yield f"and {len(shared.unfinished) - MAX_PARTS} more parts that are not finished"
    if shared.missing_count == 1:
        yield f"part {shared.missing[0]} of {shared.count} has never run"
    elif shared.missing_count:
        numbers = ", ".join(map(str, shared.missing[:MAX_PARTS]))
        more = f" and {shared.missing_count - MAX_PARTS} more" if shared.missing_count > MAX_PARTS else ""
        yield f"parts {numbers}{more} of {shared.count} have never run"


def _when(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):  # somebody has edited the journal
        return "at an unknown time"


def _state(run: PastRun) -> str:
    return _STATES.get(run.state, one_line(run.state))


def _rates(sources: int, sound: float, seconds: float) -> list[str]:
    rates = []
    if seconds > 0:
        rates.append(f"{sources / seconds:.1f} sources a second")
        rates += [f"{sound / seconds:.0f} × real time"] if sound else []
    return rates


def _measurement_lines(status: Status) -> Iterator[str]:
    """Yield a table of each measurement: its mean, lowest and highest value, and the outputs that have them."""
    if not status.measured:
        return
    rows = [("measured", "mean", "lowest", "", "highest", "")]
    for name, spread in sorted(status.measured.items()):
        low, high = spread.low, spread.high
        values = (f"{spread.mean:.6g}", f"{low[0]:.6g}", one_line(low[1], 40), f"{high[0]:.6g}", one_line(high[1], 40))
        rows.append((one_line(name, 40), *values))
    yield from align_columns(rows, left=(0, 3, 5))
    if names := [name for name, (measurement, _end) in RANKINGS.items() if measurement in status.measured]:
        yield f"    hint: --rank NAME lists the files that are {' or '.join((', '.join(names[:-1]), names[-1]))}"


def _ranking_lines(name: str, ranking: Ranking, only: str) -> Iterator[str]:
    """Yield the outputs with the lowest and the highest values of a measurement, or those of one end alone."""
    for end, values in (("lowest", ranking.lowest), ("highest", ranking.highest)):
        if only not in ("", end):
            continue
        yield f"{name}, by {RANKINGS[name][0]}:" if only else f"{end} {one_line(name, 40)}:"
        yield from align_columns([("   ", f"{value:.6g}", one_line(output)) for value, output in values], left=(0, 2))
