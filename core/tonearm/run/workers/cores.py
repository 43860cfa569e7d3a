"""Usable cores, and the limits of threads that follow from them."""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping

from tonearm.startup import let_blas_threads_sleep

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""Environment variables from which libraries take their number of threads when they are imported."""


def usable_cores(cgroup: str = "/sys/fs/cgroup") -> int:
    """Return the number of cores that this process may use, by its affinity and the quota of its control group."""
    # Linux alone knows the affinity.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for quota in _quotas(cgroup):
        cores = min(cores, max(1, int(quota)))
    return cores


def _quotas(root: str) -> Iterator[float]:
    """Yield the quotas of control groups in cores."""
    try:
        own = _read("/proc/self/cgroup").splitlines()
    except OSError:
        return
    for line in own:
        _, controllers, path = line.split(":", 2)
        below = path.strip("/")
        if not controllers:  # version 2: each group above may have its own limit
            while below:
                yield from _ratio(f"{root}/{below}/cpu.max", None)
                below = below.rpartition("/")[0]
            yield from _ratio(f"{root}/cpu.max", None)
        elif "cpu" in controllers.split(","):
            for folder in (f"{root}/cpu/{below}", f"{root}/cpu"):
                yield from _ratio(f"{folder}/cpu.cfs_quota_us", f"{folder}/cpu.cfs_period_us")


def _ratio(first: str, second: str | None) -> Iterator[float]:
    try:
        words = _read(first).split() + (_read(second).split() if second else [])
        quota, period = float(words[0]), float(words[1])
    except (OSError, ValueError, IndexError):  # no such group, or "max"
        return
    if quota > 0 and period > 0:
        yield quota / period


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def pin_threads(environ: MutableMapping[str, str], threads: int) -> None:
    """Limit the threads of libraries that are imported from now on. A lower limit that is set already stays."""
    let_blas_threads_sleep(environ)
    for name in THREAD_VARIABLES:
        given = environ.get(name, "")
        environ[name] = str(min(int(given), threads) if given.isdigit() and int(given) else threads)
