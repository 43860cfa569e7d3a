"""Random mutants of the code, each tried by the tests of its module's name: which faults would the tests not see?

Run it by hand, as it takes half an hour or more::

    pip install -e '.[dev]' cosmic-ray
    python tests/mutation/run.py --mutants 600 --jobs 2

The places to change are drawn at random with a printed seed, and one of Cosmic Ray's operators that fit is applied to
each. Annotations, ``if TYPE_CHECKING`` and ``__all__`` are left alone, because no test can see a change there. Each
mutant lives in a copy of the project, so the checkout is not touched.
"""

from __future__ import annotations

import argparse
import ast
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
ROOMS = (
    "core/tonearm/errors",
    "core/tonearm/pipeline",
    "core/tonearm/run/store",
    "plugins/tonearm_plugins/formats",
)
COPIED = ("core", "plugins", "tests", "configs", "docs", "pyproject.toml", "README.md", "CHANGELOG.md")
TIMEOUT = 180
"""Seconds after which the tests of a mutant count as failed: it loops for ever."""


class Mutant(NamedTuple):
    """One change of one module: an operator of Cosmic Ray, and which of its occurrences in the module it changes."""

    module: str
    line: int
    operator: str
    occurrence: int


def main() -> int:
    """Draw mutants, run the tests of each, and print those that survive."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=600, help="number of mutants")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="seed of the draw")
    parser.add_argument("--jobs", type=int, default=1, help="mutants that are tried at the same time")
    parser.add_argument("--room", action="append", help="folder or module; several may be given")
    arguments = parser.parse_args()
    print(f"--seed {arguments.seed}", flush=True)
    mutants = drawn(arguments.room or ROOMS, arguments.mutants, random.Random(arguments.seed))
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for mutant in mutants:
        waiting.put(mutant)
    counts: Counter[str] = Counter()
    with ThreadPoolExecutor(arguments.jobs) as pool:
        jobs = [pool.submit(try_all, waiting, counts) for _ in range(arguments.jobs)]
    for job in jobs:
        job.result()  # raises what ended the job, and with it the count of mutants
    killed, tried = counts["killed"] + counts["timeout"], sum(counts.values()) - counts["left out"]
    print(f"{killed} of {tried} mutants killed ({killed / max(tried, 1):.1%}), {counts['timeout']} of them by time")
    return 0


def drawn(rooms: tuple[str, ...] | list[str], count: int, rng: random.Random) -> list[Mutant]:
    """Return random mutants: places are drawn first, so that one with many operators counts no more than another."""
    places: dict[tuple[str, tuple[int, int]], list[Mutant]] = {}
    for room in rooms:
        found = [ROOT / room] if room.endswith(".py") else sorted((ROOT / room).rglob("*.py"))
        for path in found:
            module = path.relative_to(ROOT).as_posix()
            if tests_of(module):
                for place, mutant in mutations(module, path.read_text(encoding="utf-8")):
                    places.setdefault((module, place), []).append(mutant)
    chosen = rng.sample(sorted(places), min(count, len(places)))
    print(f"{len(chosen)} of {len(places)} places in {len({module for module, _ in places})} modules", flush=True)
    return [rng.choice(places[place]) for place in chosen]


def tests_of(module: str) -> list[str]:
    """Return the file of tests of a module's name, in a list that is empty if there is none."""
    path = Path(module)
    area = "tests/core" if path.parts[0] == "core" else "tests/plugins"
    folder = Path(area, *path.parts[2:-1])
    if path.stem == "__init__":
        return []
    return [found.relative_to(ROOT).as_posix() for found in sorted((ROOT / folder).glob(f"test_{path.stem}.py"))]


def mutations(module: str, source: str) -> Iterator[tuple[tuple[int, int], Mutant]]:
    """Yield the mutants of a module, each with the place where it changes it."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    unseen = unseen_lines(ast.parse(source))
    nodes = list(ast_nodes(get_ast(source)))
    for name in operator_names():
        cls = get_operator(name)
        if cls.arguments():
            continue
        operator = cls()
        occurrence = -1
        for node in nodes:
            for start, _ in operator.mutation_positions(node):
                occurrence += 1
                if not any(first <= start < last for first, last in unseen):
                    yield start, Mutant(module, start[0], name, occurrence)


def unseen_lines(tree: ast.Module) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where no test can see a change: annotations, type aliases, ``if TYPE_CHECKING`` and ``__all__``."""
    found: list[ast.AST | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(node.returns)
        elif isinstance(node, ast.arg):
            found.append(node.annotation)
        elif isinstance(node, ast.AnnAssign):
            found.append(node.annotation)
            if ast.unparse(node.annotation) == "TypeAlias":
                found.append(node)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            found.append(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "cast":
            found.append(node.args[0])
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            found.append(node)
    return [
        ((node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or 0))  # type: ignore[attr-defined]
        for node in found
        if node is not None
    ]


def try_all(waiting: queue.SimpleQueue[Mutant], counts: Counter[str]) -> None:
    """Try mutants until none is left, in a copy of the project."""
    with tempfile.TemporaryDirectory(prefix="tonearm-mutants-") as name:
        copy = Path(name)
        sound: set[str] = set()
        for part in COPIED:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / part)
        while True:
            try:
                mutant = waiting.get_nowait()
            except queue.Empty:
                return
            if mutant.module not in sound:
                if not passes(mutant.module, copy):
                    raise SystemExit(f"{mutant.module}: its tests fail without any change, so they cannot judge")
                sound.add(mutant.module)
            outcome, diff = outcome_of(mutant, copy)
            counts[outcome] += 1
            tried = sum(counts.values())
            if outcome == "survived":
                print(f"\n{mutant.module}:{mutant.line} survives ({tried} tried)\n{diff}", flush=True)


def outcome_of(mutant: Mutant, copy: Path) -> tuple[str, str]:
    """Return what became of a mutant, and its difference from the code."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    path = copy / mutant.module
    code = path.read_text(encoding="utf-8")
    try:
        mutated = mutate_code(code, get_operator(mutant.operator)(), mutant.occurrence)
    except AttributeError:  # Cosmic Ray cannot replace a dotted exception (`except zlib.error`)
        return "left out", ""
    diff = "\n".join([*unified_diff(code.splitlines(), mutated.splitlines(), lineterm="", n=0)][2:])
    path.write_text(mutated, encoding="utf-8")
    try:
        return ("survived" if passes(mutant.module, copy) else "killed"), diff
    except subprocess.TimeoutExpired:
        return "timeout", diff
    finally:
        path.write_text(code, encoding="utf-8")


def passes(module: str, copy: Path) -> bool:
    """Return whether the tests of a module pass in a copy of the project."""
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (copy / "core", copy / "plugins"))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TONEARM_MUTANT": module,
    }
    options = ("-x", "-q", "-p", "no:cacheprovider", "--no-header")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests_of(module)],
        cwd=copy,
        env=environ,
        timeout=TIMEOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return result.returncode == 0


if __name__ == "__main__":
    raise SystemExit(main())
