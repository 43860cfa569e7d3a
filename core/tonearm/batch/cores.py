"""How many cores there are to use, and threads kept within them."""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path

POOLS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""Environment variables that libraries read when they are imported."""


def usable_cores(cgroup: str = "/sys/fs/cgroup") -> int:
    """Return the cores that this process may really use: its affinity, and the quota of its control group."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        cores = os.cpu_count() or 1
    for quota in _quotas(Path(cgroup)):
        cores = min(cores, max(1, int(quota)))
    return cores


def _quotas(root: Path) -> Iterator[float]:
    """Yield what control groups allow, in cores."""
    try:
        own = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in own:
        _, controllers, path = line.split(":", 2)
        below = path.lstrip("/")
        if not controllers:  # version 2: any group above may have a limit of its own
            folder = root / below
            while folder != root.parent:
                yield from _ratio(folder / "cpu.max", None)
                folder = folder.parent
        elif "cpu" in controllers.split(","):
            for folder in (root / "cpu" / below, root / "cpu"):
                yield from _ratio(folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")


def _ratio(first: Path, second: Path | None) -> Iterator[float]:
    try:
        words = first.read_text().split() + (second.read_text().split() if second else [])
        quota, period = float(words[0]), float(words[1])
    except (OSError, ValueError, IndexError):  # no such group, or "max"
        return
    if quota > 0 and period > 0:
        yield quota / period


def pin_threads(environ: MutableMapping[str, str], threads: int) -> None:
    """Let no library of those that will be imported use more threads than this; fewer stay fewer."""
    for name in POOLS:
        given = environ.get(name, "")
        environ[name] = str(min(int(given), threads) if given.isdigit() and int(given) else threads)
