"""Mutated inputs without end: which of them raise what no caller expects, crash, print, hang, or take too much?

Run it by hand, for as long as there is time::

    pip install -e '.[dev]'
    python tests/fuzz/run.py --minutes 10 --jobs 2
    python tests/fuzz/run.py --target readers --inputs 1000000

Each target is a module in `targets/`: ``seeds()`` yields inputs that are right, ``mutate(data, rng)`` changes one, and
``execute(data)`` uses it, and raises when something is wrong. What `execute` returns is the outcome; an input with
an outcome that was not seen before is mutated further. Each find is kept as a file, which ``--replay`` tries again.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import importlib
import multiprocessing
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from ctypes import c_longlong
from pathlib import Path
from typing import Any, NamedTuple

TARGETS = Path(__file__).parent / "targets"
NAMES = sorted(path.stem for path in TARGETS.glob("*.py"))

CONTEXT = multiprocessing.get_context("spawn")

SLICE = 5.0
"""Seconds for which a job stays with one target."""

HANG = 30.0
"""Seconds after which an input counts as one that hangs."""

SLOW = 10.0
"""Seconds of CPU that an input may take."""

MEMORY = 1_000_000_000
"""Bytes of memory that the process may take for an input."""

MOST_SEEDS = 2000
"""Inputs with outcomes of their own that one job keeps."""


class Job(NamedTuple):
    """What one process does: targets in turn, until a time or a number of inputs is reached."""

    targets: Sequence[str]
    seed: str
    end: float
    inputs: int
    finds: Path
    current: Path


def main() -> int:
    """Run jobs until the time is over, and print how much was tried; the exit status is 1 if there are finds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, help="time in all (default: 1, or none with --inputs)")
    parser.add_argument("--inputs", type=int, help="inputs in all, for each target")
    parser.add_argument("--target", action="append", choices=NAMES, help="target; several may be given (default: all)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="seed of the mutations")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--finds", type=Path, help="folder of the finds (default: a new one)")
    parser.add_argument("--replay", type=Path, nargs="+", help="finds to try again, instead of anything else")
    given = parser.parse_args()
    if given.replay:
        return replay(given.replay)
    minutes = given.minutes or (1.0 if given.inputs is None else 1e6)
    finds = given.finds or Path(tempfile.mkdtemp(prefix="tonearm-fuzz-"))
    finds.mkdir(parents=True, exist_ok=True)
    targets = given.target or NAMES
    print(f"--seed {given.seed}, finds in {finds}", flush=True)
    counts = CONTEXT.Array(c_longlong, len(NAMES))
    with tempfile.TemporaryDirectory(prefix="tonearm-fuzz-") as folder:
        jobs = [
            Job(
                targets[number % len(targets) :] + targets[: number % len(targets)],
                f"{given.seed}-{number}",
                time.monotonic() + 60 * minutes,
                given.inputs or sys.maxsize,
                finds,
                Path(folder, str(number)),
            )
            for number in range(given.jobs)
        ]
        supervise(jobs, counts)
    for name in targets:
        print(f"{name}: {counts[NAMES.index(name)]:,} inputs")
    found = sorted(path.name for path in finds.glob("*.find"))
    print(f"{len(found)} finds", *found, sep="\n  ")
    return 1 if found else 0


def supervise(jobs: list[Job], counts: Any) -> None:
    """Run jobs in processes of their own. One that dies leaves the input that it died of, and is started again."""
    running: dict[int, Any] = {}
    deaths = [0] * len(jobs)
    ended: set[int] = set()
    while len(ended) < len(jobs):
        for number, job in enumerate(jobs):
            process = running.get(number)
            if number in ended or (process is not None and process.is_alive()):
                continue
            if process is not None:
                if process.exitcode == 0:
                    ended.add(number)
                    continue
                deaths[number] += 1
                report = job.current.with_suffix(".err").read_text(errors="replace")
                if not job.current.exists():
                    raise SystemExit(f"no input could be tried\n{report}")
                target, _, data = job.current.read_bytes().partition(b"\n")
                keep(job.finds, target.decode(), data, f"the process ended with {process.exitcode}\n{report}")
            again = job._replace(seed=f"{job.seed}-{deaths[number]}")
            running[number] = CONTEXT.Process(target=work, args=(again, counts))
            running[number].start()
        time.sleep(0.2)


def work(job: Job, counts: Any) -> None:
    """Try mutated inputs of the targets in turn."""
    error = os.open(job.current.with_suffix(".err"), os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    os.dup2(error, 2)
    rng = random.Random(job.seed)
    sys.path.insert(0, str(TARGETS))
    targets = {name: importlib.import_module(name) for name in job.targets}
    seeds = {name: list(target.seeds()) for name, target in targets.items()}
    outcomes: dict[str, set[Any]] = {name: set() for name in targets}
    left = list(job.targets)
    while left and time.monotonic() < job.end:
        for name in list(left):
            counter = NAMES.index(name)
            end = min(job.end, time.monotonic() + SLICE)
            while time.monotonic() < end:
                if counts[counter] >= job.inputs:
                    left.remove(name)
                    break
                data = targets[name].mutate(rng.choice(seeds[name]), rng)
                job.current.write_bytes(name.encode() + b"\n" + data)
                outcome, problem = tried(targets[name], data)
                if problem:
                    keep(job.finds, name, data, problem)
                with counts.get_lock():
                    counts[counter] += 1
                if outcome is not None and outcome not in outcomes[name] and len(seeds[name]) < MOST_SEEDS:
                    outcomes[name].add(outcome)
                    seeds[name].append(data)


def tried(target: Any, data: bytes) -> tuple[Any, str]:
    """Return the outcome of an input, and what is wrong with it, if anything is."""
    outcome, problem = None, ""
    printed = os.fstat(2).st_size
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    start = time.process_time()
    faulthandler.dump_traceback_later(HANG, exit=True)
    try:
        outcome = target.execute(data)
    except BaseException:
        problem = traceback.format_exc()
    faulthandler.cancel_dump_traceback_later()
    seconds, memory = time.process_time() - start, peak()
    if not problem and os.fstat(2).st_size > printed:
        problem = "prints " + repr(os.pread(2, 500, printed).decode(errors="replace"))
    if not problem and seconds > SLOW:
        problem = f"takes {seconds:.1f} s"
    if not problem and memory > MEMORY:
        problem = f"takes {memory:,} bytes"
    return outcome, problem


def peak() -> int:
    """Return the largest memory of this process in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


def keep(finds: Path, target: str, data: bytes, problem: str) -> None:
    """Write a find and what is wrong with it; others of the same place are left out."""
    lines = problem.strip().splitlines()
    places = [line for line in lines if line.lstrip().startswith("File ")][-1:]
    name = f"{target}-{hashlib.md5(repr(places or lines[:1]).encode()).hexdigest()[:8]}"
    path = finds / f"{name}.find"
    if not path.exists():
        path.write_bytes(target.encode() + b"\n" + data)
        path.with_suffix(".txt").write_text(problem)
        print(f"{path}: {lines[-1][:300]}", flush=True)


def replay(paths: list[Path]) -> int:
    """Try finds again in this process, and print what is wrong with each."""
    sys.path.insert(0, str(TARGETS))
    wrong = 0
    for path in paths:
        name, _, data = path.read_bytes().partition(b"\n")
        print(f"{path}:", flush=True)
        try:
            print(f"  fine: {importlib.import_module(name.decode()).execute(data)}", flush=True)
        except Exception:
            wrong += 1
            traceback.print_exc()
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
