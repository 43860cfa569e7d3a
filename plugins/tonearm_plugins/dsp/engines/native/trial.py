"""The trial of compiled code: a child process runs kernels, so that where they crash or hang this process does not.

It takes about a second, once for each machine: the result is kept in the user's cache folder beside what it depends on.
Where that folder cannot be read or written, each process tries again.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tonearm_plugins.dsp.engines.native.compiler import Machine

PROGRAM = ("-P", "-m", "tonearm_plugins.dsp.engines.native.trial_run")
"""Arguments of the Python that tries it."""

PASSED = "the kernels run"
"""Text that a trial prints when all is well: whatever else prints is no trial."""

LIMIT_SECONDS = 60
"""Time until a trial counts as hanging."""

TRIED_AGAIN_AFTER = 24 * 3600
"""Seconds after which a trial that failed is repeated, because the machine may only have been busy."""

KEPT = 16
"""Results in the cache: a home folder may be shared among machines."""


def refusal_of_trial(machine: Machine) -> str:
    """Return why compiled code does not run on this machine, or an empty text if it does."""
    facts = _facts(machine)
    path = cache_file()
    known = _read(path)
    for result in known:
        if {name: result.get(name) for name in facts} == facts and _holds(result):
            return str(result["refusal"])
    refusal = attempt()
    others = [result for result in known if any(result.get(name) != value for name, value in facts.items())]
    _write(path, [*others[1 - KEPT :], {**facts, "refusal": refusal, "tried": int(time.time())}])
    return refusal


def attempt(arguments: Sequence[str] = PROGRAM, *, limit_seconds: float = LIMIT_SECONDS) -> str:
    """Run the trial now, in a child process, and return why it failed, or an empty text.

    Parameters
    ----------
    arguments
        Arguments of Python.
    limit_seconds
        Time until it counts as hanging.
    """
    if not sys.executable or getattr(sys, "frozen", False):
        return "compiled code is not known to run here, and there is no Python to try it with"
    path = os.pathsep.join(entry for entry in sys.path if entry)
    try:
        trial = subprocess.run(  # noqa: S603 - this Python
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_seconds,
            env={**os.environ, "PYTHONPATH": path},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"compiled code does not run here: a trial did not end within {limit_seconds:g} s"
    except (OSError, ValueError) as error:
        return f"compiled code is not known to run here, and no trial could be started ({type(error).__name__})"
    if trial.returncode == 0 and trial.stdout.strip() == PASSED:
        return ""
    return f"compiled code does not run here: a trial {_ending(trial.returncode, trial.stderr)}"


def cache_file() -> Path:
    """Return the file that keeps the results, in the user's cache folder."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expanduser(base), "tonearm", "compiled-code.json")  # noqa: PTH111 - it bears having no home


def _facts(machine: Machine) -> dict[str, Any]:
    """Return what a result depends on. Systems allow memory for code to one program, and deny it to another."""
    from llvmlite import binding

    return {
        "tonearm": _version("tonearm"),
        "llvmlite": _version("llvmlite"),
        "llvm": ".".join(map(str, binding.llvm_version_info)),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_version()} {sys.executable}",
        **asdict(machine),
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # of a checkout that is not installed
        return ""


def _holds(result: Mapping[str, Any]) -> bool:
    """Return whether a result is well-formed, and either good or fresh."""
    refusal, tried = result.get("refusal"), result.get("tried")
    if not isinstance(refusal, str) or not isinstance(tried, int):
        return False
    return not refusal or 0 <= time.time() - tried < TRIED_AGAIN_AFTER


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    return [result for result in found if isinstance(result, dict)] if isinstance(found, list) else []


def _write(path: Path, results: Sequence[Mapping[str, Any]]) -> None:
    """Replace the file in one step. Whoever else writes at the same time wins or loses, and both have tried it."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(results, indent=1), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        return


def _ending(status: int, errors: str) -> str:
    """Return how a trial ended, with the last line that it wrote."""
    last = errors.strip().rpartition("\n")[2][:160]
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        return f"was ended by {name}"
    return f"ended with status {status}" + (f" ({last})" if last else "")
