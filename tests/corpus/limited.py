"""Commands of tonearm in processes of their own, within limits of time and memory that the system holds.

The program itself is loaded once, in a process from which all commands are forked.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import pkgutil
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any, NamedTuple

MEMORY = 1_000_000_000
"""Bytes of memory that a command may have."""

SECONDS = 20
"""Seconds of CPU that one source may take."""


LIBRARIES = (
    "h5py", "kaldiio", "mutagen.flac", "mutagen.id3", "mutagen.mp3", "PIL.Image", "pyarrow.parquet", "safetensors",
    "scipy.io", "scipy.signal", "soundfile", "torch", "yaml", "zarr",
)  # fmt: skip
"""Modules that readers import when they need them: here those that are installed are imported once for all commands."""


class Outcome(NamedTuple):
    """How a command ended: its status (negative for a signal), seconds of CPU, most memory in bytes, and its texts."""

    status: int
    seconds: float
    memory: int
    out: str
    err: str


def run_limited(commands: Sequence[Sequence[str]], *, seconds: int = SECONDS) -> list[Outcome]:
    """Run commands one after the other, and return how each ended."""
    child = subprocess.run(
        [sys.executable, __file__, str(seconds)],
        input=json.dumps(commands),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [Outcome(*line) for line in json.loads(child.stdout)]


def main() -> None:
    import tonearm
    import tonearm_plugins
    from tonearm.cli.main import main as program

    for package in (tonearm, tonearm_plugins):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    for name in LIBRARIES:
        if importlib.util.find_spec(name.partition(".")[0]) is not None:
            importlib.import_module(name)
    print(json.dumps([run_one(program, command, int(sys.argv[1])) for command in json.load(sys.stdin)]))


def run_one(tonearm: Any, command: Sequence[str], seconds: int) -> Outcome:
    """Run one command in a fork."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            # A command that waits for ever takes no CPU, so it is ended by an alarm.
            signal.alarm(10 * seconds)
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
            resource.setrlimit(resource.RLIMIT_DATA, (2 * MEMORY, 2 * MEMORY))
            status = 99
            try:
                status = tonearm(list(command))
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        _, status, usage = os.wait4(child, 0)
        out.seek(0)
        err.seek(0)
        texts = (file.read().decode(errors="replace") for file in (out, err))
        return Outcome(
            os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10, *texts
        )


if __name__ == "__main__":
    main()
