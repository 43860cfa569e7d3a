"""Usable cores, and the threads that a conversion may have."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Iterator


def default_threads() -> int:
    """Return the number of threads of a conversion on its own: one for each usable core.

    ``OMP_NUM_THREADS`` limits it, as it limits the libraries of the field.
    """
    cores, given = usable_cores(), os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(given)) if given.isdecimal() and int(given) else cores


def usable_cores(cgroup: str = "/sys/fs/cgroup") -> int:
    """Return the number of cores that this process may use, by its affinity and the quota of its control group."""
    # Linux alone knows the affinity.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(min(cores, _quota(cgroup)))


@functools.cache
def _quota(cgroup: str) -> float:
    """Return the whole cores that the smallest quota leaves; infinite if there is none."""
    return min((max(1, int(quota)) for quota in _quotas(cgroup)), default=math.inf)


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
    with open(path, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 - pathlib is slow to import
        return file.read()
