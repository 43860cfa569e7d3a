"""Measures contenders side by side: interleaved, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Work = Callable[[], object]


@dataclass
class Measured:
    """What one contender took: seconds of each round, and the peak of its memory beyond what was there, in bytes."""

    seconds: list[float] = field(default_factory=list)
    peak: int | None = None
    result: object = None

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def compare(
    contenders: Mapping[str, Work],
    *,
    rounds: int = 7,
    memory: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Measured]:
    """Run each contender once to warm up, then all of them in turn, ``rounds`` times, by a clock in seconds."""
    measured = {name: Measured() for name in contenders}
    for name, work in contenders.items():
        measured[name].result = work()
    for _ in range(rounds):
        for name, work in contenders.items():
            begin = clock()
            work()
            measured[name].seconds.append(clock() - begin)
    if memory:
        for name, work in contenders.items():
            measured[name].peak = peak_memory(work)
    return measured


def with_bytecode(folder: str) -> dict[str, str]:
    """Environment of processes that find all bytecode compiled, as pip leaves it, from their second run on."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**environ, "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}


def cpu_of_children() -> float:
    """CPU seconds of all processes that this one waited for."""
    return _cpu(resource.RUSAGE_CHILDREN)


def cpu() -> float:
    """CPU seconds of this process and of all those that it waited for."""
    return _cpu(resource.RUSAGE_SELF) + cpu_of_children()


def _cpu(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment within the block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextlib.contextmanager
def timed(seconds: list[float]) -> Iterator[None]:
    """Add to a list how long the block took."""
    begin = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - begin)


def times_faster(one: Measured, other: Measured) -> float:
    """Return how many times as fast ``one`` is as ``other``: the median of the ratios within each round."""
    return statistics.median(b / a for a, b in zip(one.seconds, other.seconds, strict=True))


def peak_memory(work: Work) -> int | None:
    """Return the peak of resident memory while ``work`` runs, less what was there; None where Linux is not."""
    if not Path("/proc/self/clear_refs").exists():
        return None
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work()  # the pages of libraries, which a fork leaves behind, are there again before we count
            ctypes.CDLL(None).malloc_trim(0)  # what was freed but kept would hide what the work takes
            Path("/proc/self/clear_refs").write_text("5")
            before = _status("VmRSS")
            kept = work()
            os.write(writer, str(_status("VmHWM") - before).encode())
            del kept
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return int(text) if text else None


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


@dataclass(frozen=True)
class Table:
    """A Markdown table with what it is about."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def markdown(self) -> str:
        lines = [" | ".join(row) for row in (self.columns, ("---",) * len(self.columns), *self.rows)]
        return "\n\n".join(
            part for part in (f"### {self.title}", "\n".join(f"| {x} |" for x in lines), self.note) if part
        )


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g}" if seconds < 1 else f"{seconds * 1e3:.0f}"
