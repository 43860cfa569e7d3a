"""What the processes of a Dask cluster have installed, compared with what a run needs before it sends any work.

A worker may have an older tonearm or none, so what is asked of it is text that Python alone can evaluate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tonearm.api import TonearmError

VERSIONS_HINT = "install the same versions there and here"

PYTHON = "'%d.%d' % __import__('sys').version_info[:2]"
"""Expression for the version of Python."""

_SOURCE = """
import sys
from importlib.metadata import distributions
found = {'Python': '%d.%d' % sys.version_info[:2]}
for name in names:
    found[name] = next((one.version for one in distributions(name=name)), '')
try:
    from tonearm.version import __version__
    found['tonearm'] = __version__
except ImportError:
    pass
"""


def expression(names: Iterable[str]) -> str:
    """Return an expression for the versions of Python and of packages, by name; empty for one that is not installed."""
    packages = [name for name in names if name != "Python"]
    return f"(lambda room: (exec({_SOURCE!r}, room), room['found'])[1])({{'names': {packages!r}}})"


def check_scheduler(wanted: Mapping[str, str], python: str, name: str) -> None:
    """Check that a scheduler has the Python of the run, because it gets a plugin in the form of code.

    Raises
    ------
    TonearmError
        If it has another one.
    """
    if python != wanted.get("Python", python):
        message = f"the scheduler {name} has Python {python}, and the run has {wanted['Python']}"
        raise TonearmError(message, code="other-versions", hint=VERSIONS_HINT)


def check_versions(wanted: Mapping[str, str], found: Mapping[str, Mapping[str, str]]) -> None:
    """Check that all workers have the versions of the run.

    Parameters
    ----------
    wanted
        Versions of Python and of packages that the run has, by name.
    found
        Versions that each worker has.

    Raises
    ------
    TonearmError
        If some differ; the message names each of them with what it has.
    """
    lines: dict[str, list[str]] = {}
    for worker, versions in found.items():
        has = "; ".join(
            f"{name} {versions[name]}, and the run has {version}"
            if versions.get(name)
            else f"no {name}, and the run has {version}"
            for name, version in wanted.items()
            if versions.get(name) != version
        )
        if has:
            lines.setdefault(has, []).append(worker)
    if not lines:
        return
    message = "; ".join(
        f"worker {names[0]} has {has}" if len(names) == 1 else f"workers {', '.join(names)} have {has}"
        for has, names in lines.items()
    )
    raise TonearmError(message, code="other-versions", hint=VERSIONS_HINT)
