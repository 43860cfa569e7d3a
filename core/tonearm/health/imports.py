"""Trial imports in a process of their own: a package that is broken may crash, hang, or end its process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence

TIMEOUT = 120.0
"""Seconds that one process may take."""

_BEGUN, _FAILED = "begun", "failed"

_PROGRAM = """
import importlib, os, sys
out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
os.dup2(2, 1)
for name in sys.argv[1:]:
    print("begun", name, sep="\\t", file=out, flush=True)
    try:
        importlib.import_module(name)
    except BaseException as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        print("failed", text, sep="\\t", file=out, flush=True)
out.flush()
os._exit(0)
"""


def failing_imports(modules: Sequence[str], *, timeout: float = TIMEOUT) -> dict[str, str]:
    """Return the modules that cannot be imported, each with the reason. All others have been imported, together.

    Parameters
    ----------
    modules
        Names of modules.
    timeout
        Seconds that the imports may take.
    """
    found: dict[str, str] = {}
    left = list(modules)
    while left:
        reason, lines = _run(left, timeout)
        name = ""
        for kind, text in lines:
            if kind == _BEGUN:
                name = text
            else:
                found[name] = text
        if not reason:
            break
        if not name:  # the process has not even started
            return found | dict.fromkeys(left, reason)
        found.setdefault(name, reason)
        left = left[left.index(name) + 1 :]
    return found


def _run(modules: Sequence[str], timeout: float) -> tuple[str, list[tuple[str, str]]]:
    """Return why a process that imports modules has ended before its time, if it has, and what it has printed."""
    command = [sys.executable, "-P", "-W", "ignore", "-c", _PROGRAM, *modules]
    try:
        done = subprocess.run(  # noqa: S603
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        return f"its import takes more than {timeout:g} s", list(_parsed(error.stdout or b""))
    except OSError as error:
        return f"no process can be started: {error}", []
    return _ending(done.returncode), list(_parsed(done.stdout))


def _ending(status: int) -> str:
    """Return how a process has ended; an empty text for a good end."""
    if status < 0:
        import signal

        try:
            return f"its import crashes ({signal.Signals(-status).name})"
        except ValueError:
            return f"its import crashes (signal {-status})"
    return f"its import ends the process with status {status}" if status else ""


def _parsed(output: bytes) -> Iterator[tuple[str, str]]:
    for line in output.decode(errors="replace").splitlines():
        kind, _, text = line.partition("\t")
        if kind in (_BEGUN, _FAILED):
            yield kind, text
