"""All files of the corpus, and what commands make of them."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import headers
import hostile_archives
import hostile_images
import hostile_sounds
import hostile_stores
import hostile_tables
import strangers
import yaml
from case import Case
from limited import MEMORY, Outcome

MODULES = (strangers, headers, hostile_archives, hostile_images, hostile_sounds, hostile_stores, hostile_tables)


SECRET_TEXT = "hunter2"
"""Text of the file ``secret.txt``, which no message may quote."""


def all_cases(folder: Path) -> Iterator[Case]:
    """Yield every file; some are made of others, which are written into a folder."""
    for module in MODULES:
        yield from module.cases()
    yield from strangers.foreign_cases(folder)
    yield from headers.damaged_cases(folder)
    if importlib.util.find_spec("torch") is not None:
        import hostile_tensors

        yield from hostile_tensors.cases()


def write(cases: Iterable[Case], folder: Path) -> dict[Case, Path]:
    """Make files in a folder, and those beside them that none of them may lead to."""
    folder.mkdir()
    (folder / hostile_stores.SECRET_FILE).write_bytes(hostile_stores.SECRET)
    (folder / "secret.txt").write_text(f"admin:x:0:0:{SECRET_TEXT}\n1.5 {SECRET_TEXT}\n")
    return {case: case.write(folder) for case in cases}


def by_options(cases: Iterable[Case]) -> list[list[Case]]:
    """Return cases that one pipeline can read, together."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(json.dumps([case.options, case.memory]), []).append(case)
    return list(groups.values())


def flags(case: Case) -> list[str]:
    """Return the options of `convert` for a file."""
    limit = ["--limit", f"memory={case.memory}"] if case.memory else []
    given = [f"--{name.replace('_', '-')}={_flag(value)}" for name, value in case.options.items()]
    return ["--decoder", case.reader, *given, *limit]


def _flag(value: Any) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)


def pipeline(case: Case) -> str:
    """Return a pipeline for a file, and for others with the same options."""
    document: dict[str, Any] = {
        "tonearm": 1,
        "input": {"use": case.reader, "with": dict(case.options)},
        "outputs": [{"use": "npy-writer", "file": "{name}-{index}.npy"}],
    }
    if case.memory:
        document["limits"] = {"memory": case.memory}
    return yaml.safe_dump(document)


def code_of(outcome: Outcome) -> str:
    """Return what a command that converts one file says of it: the code of its error, or ``fine``."""
    if outcome.status == 0:
        return "fine"
    found = re.search(r"^(?!warning)([a-z0-9]+(?:-[a-z0-9]+)*): ", outcome.err, re.MULTILINE)
    return found[1] if found else f"status {outcome.status}"


def broken_promises(outcome: Outcome, command: Iterable[str]) -> list[str]:
    """Return what a command may never do, and did."""
    found = []
    if outcome.status not in (0, 1, 2, 3):
        found.append(f"ends with {outcome.status}")
    if outcome.memory > MEMORY:
        found.append(f"takes {outcome.memory:,} bytes")
    if not (outcome.out + outcome.err).replace("\n", "").isprintable():
        found.append(f"prints {ascii(outcome.out + outcome.err)[:500]}")
    if SECRET_TEXT in outcome.out + outcome.err:
        found.append("quotes another file")
    if "Traceback" in outcome.err:
        found.append(outcome.err[-2000:])
    return [f"tonearm {shlex.join(command)}: {one}" for one in found]
