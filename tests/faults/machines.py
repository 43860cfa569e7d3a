"""Machines of a cluster that share a folder: each has its own clock and, where the system allows it, its own processes.

A machine that fails takes all processes of a run along at once, as a power failure and the end of a container do. A run
that is killed on a machine that goes on leaves its workers behind.
"""

from __future__ import annotations

import functools
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# The first process that is started in such a container has the number 1 there; if it dies, the others do.
_CONTAINER = ["unshare", "--user", "--map-root-user", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]


@functools.cache
def has_containers() -> bool:
    """Whether this system lets processes be numbered anew."""
    if not shutil.which("unshare"):
        return False
    return subprocess.run([*_CONTAINER, "true"], capture_output=True, timeout=60).returncode == 0


@dataclass
class Machine:
    """A machine.

    Parameters
    ----------
    name
        Name of the machine, and of its folder for temporary files.
    clock
        Seconds by which its clock is ahead.
    """

    name: str
    clock: float

    def start(
        self, folder: Path, *arguments: object, env: dict[str, str], in_container: bool = False
    ) -> subprocess.Popen[str]:
        """Start a run in a folder that all machines share."""
        code = (
            f"import sys, time\nreal = time.time\ntime.time = lambda: real() + {self.clock}\n"
            "from tonearm.cli.main import program\nsys.exit(program())"
        )
        scratch = folder / self.name
        scratch.mkdir(exist_ok=True)
        command = _CONTAINER if in_container and has_containers() else []
        command = [*command, sys.executable, "-P", "-c", code, "run", "p.yaml", "--out", "out", *map(str, arguments)]
        more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=folder, env={**os.environ, **env, "TMPDIR": str(scratch)}, **more)


def cluster(count: int, chance: random.Random) -> list[Machine]:
    """Return machines whose clocks differ by up to a minute."""
    return [Machine(f"node{number}", round(chance.uniform(-30, 30), 3)) for number in range(1, count + 1)]
