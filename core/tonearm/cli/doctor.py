"""``tonearm doctor``: tell what works on this machine, what is slower or missing, and how to mend it."""

from __future__ import annotations

import itertools
import json
import platform
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from tonearm.cli import console, styles
from tonearm.cli.printing import align_columns
from tonearm.cli.wrapping import wrap, wrap_cells
from tonearm.errors import one_line
from tonearm.errors.text import counted
from tonearm.health.examination import examine
from tonearm.plugins import registry
from tonearm.plugins.diagnosis import Diagnosis
from tonearm.usable_cores import usable_cores
from tonearm.version import __version__

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--imports",
        action="store_true",
        help="Import optional packages, too, to find broken ones: torch and transformers take seconds",
    )
    parser.add_argument("--json", action="store_true", help="Print one JSON object")
    parser.epilog = (
        "The exit status is 3 if something is broken, or a package is missing that each installation has. What is"
        " optional or slower is no fault."
    )


def main(arguments: SimpleNamespace) -> int:
    """Examine the machine; the exit status is 3 if anything is at fault."""
    found = _in_groups(examine(registry.default(), imports=arguments.imports))
    if arguments.json:
        console.print_data(json.dumps({**_machine(), "diagnoses": to_builtins(found)}, indent=2, ensure_ascii=False))
    else:
        for line in _page(found):
            console.print_data(line)
    return console.SOME_FAILED if any(one.is_fault for one in found) else console.DONE


def _in_groups(found: Iterable[Diagnosis]) -> list[Diagnosis]:
    """Return diagnoses group by group: packages last, as they are the longest list."""
    groups: dict[str, list[Diagnosis]] = {}
    for one in found:
        groups.setdefault(one.group, []).append(one)
    return [one for group in sorted(groups, key=lambda group: group.endswith("packages")) for one in groups[group]]


def _machine() -> dict[str, Any]:
    """Return versions and the machine."""
    return {
        "tonearm": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cores": usable_cores(),
    }


def _page(found: Sequence[Diagnosis]) -> Iterator[str]:
    """Yield the lines for people: a table for each group, with a line below what can be mended."""
    width = styles.terminal_width(console.data())
    machine = _machine()
    yield f"tonearm {machine['tonearm']}, Python {machine['python']} ({one_line(machine['executable'])})"
    yield f"{machine['system']} on {machine['machine']}, {counted(machine['cores'], 'core')}"
    for group, members in itertools.groupby(found, lambda one: one.group):
        rows = list(members)
        yield ""
        yield one_line(group)
        cells = align_columns([(one.state, one_line(one.subject), one_line(one.found)) for one in rows], left=(0, 1, 2))
        longest = max(map(len, cells))
        for place, (row, cell) in enumerate(zip(rows, cells, strict=True), 1):
            text = one_line("; ".join(filter(None, (row.use, row.reason))), 500)
            yield from (f"  {line}" for line in wrap_cells([cell.ljust(longest)], [text], width and width - 2))
            if row.hint and [row.hint] != [one.hint for one in rows[place : place + 1]]:  # once for all that it mends
                yield from wrap(f"hint: {one_line(row.hint, 500)}", width, "    ", "      ")
    yield ""
    yield _summary(Counter(one.state for one in found))


def _summary(states: Counter[str]) -> str:
    """Return how much is at fault."""
    counts = [f"{states[state]} {state}" for state in ("broken", "missing", "slower", "absent") if states[state]]
    return f"{', '.join(counts)}, {states['ok']} ok" if counts else "all is well"
