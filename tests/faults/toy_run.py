"""A run over toy sources that the fault tests disturb, in a process of its own.

The parent has one thread and imports nothing heavy, so that a child costs milliseconds.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

CORE = Path(__file__).parents[1] / "core"
sys.path[:0] = [str(CORE / "run"), str(CORE)]

import run_toys as toys  # noqa: E402

from tonearm.errors import OutputError, TonearmError  # noqa: E402
from tonearm.python import Pipeline  # noqa: E402
from tonearm.run.options import RunOptions  # noqa: E402
from tonearm.run.run import Run  # noqa: E402

OUT = "out"
FAILED, STOPPED, BUG, USAGE = 3, 4, 1, 2
OTHERWISE = 5
"""Exit status when other items failed than the one that has to."""


def write_sources(level: str) -> None:
    """Write three sources: one item, two items, one that fails beside one that does not."""
    toys.write(a=f"k 0.{level}", b=f"k 0.{level}\nl 0.{level}1", c=f"k no\nl 0.{level}2")


def pipeline() -> Pipeline:
    """Return a pipeline that writes two files for each item."""
    return toys.pipeline("x/{stem}-{index}.raw", encoder="two-files", registry=toys.toys())


def convert() -> int:
    """Run once; return the exit status that a command would have."""
    found = pipeline()
    run = Run(found, RunOptions(out=OUT, fsync=True))
    try:
        run.execute(run.plan(found.find_sources()), lambda _: None)
    except OutputError:
        return STOPPED
    except TonearmError:
        return USAGE
    return FAILED if run.report.codes == {"no-level": 1} else OTHERWISE


def in_child(work: Callable[[], int]) -> int:
    """Call a function in a child process; return the exit status, negative for a signal."""
    number = os.fork()
    if not number:
        status = BUG
        try:
            status = work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def result_of_child(work: Callable[[], object]) -> Any:
    """Call a function in a child process; return its result, which goes through JSON."""
    reading, writing = os.pipe()

    def write() -> int:
        os.write(writing, json.dumps(work()).encode())
        return 0

    in_child(write)
    os.close(writing)
    with os.fdopen(reading) as file:
        return json.load(file)


def path_of(descriptor: int) -> str:
    """Return the path of an open file."""
    return os.readlink(f"/proc/self/fd/{descriptor}")


def path_in(name: str, folder: int | None) -> str:
    """Return the absolute path of a name in a folder, which is given by its descriptor; None is the current one."""
    return os.path.join(os.getcwd() if folder is None else path_of(folder), name)
