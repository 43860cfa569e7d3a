"""Tickets: what a run sends to processes that are to work for it, and what these compare before they load anything.

A ticket consists of plain values only, so that a process with another version of tonearm can read it.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable
from typing import TypedDict

from tonearm.content_hash import file_state
from tonearm.errors import TonearmError, one_line
from tonearm.version import __version__

VERSIONS_HINT = "install the same versions there and here"


class Ticket(TypedDict):
    """What a process needs to work for a run.

    Parameters
    ----------
    mark
        Mark of the output folder, which also names the run.
    python
        Version of Python: ``3.12``.
    packages
        Versions of tonearm and of the packages of the plugins, by name.
    root
        Absolute path of the output folder.
    files
        Sizes of the files that the pipeline's options name, such as a model, by path.
    content
        Pickled pipeline, store and settings.
    """

    mark: str
    python: str
    packages: dict[str, str]
    root: str
    files: dict[str, int]
    content: bytes


def python_version() -> str:
    """Return the version of Python, without the part that changes nothing."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def package_versions(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of packages that are installed here, by name; an empty text for one that is not."""
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = __version__ if name == "tonearm" else version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def versions_for(labels: Iterable[str]) -> dict[str, str]:
    """Return the versions of tonearm and of the packages of plugins, of labels such as ``tonearm-acme 0.9``.

    Plugins that were registered by a call, of no package, have no version that could differ.
    """
    names = dict.fromkeys(["tonearm", *(label.partition(" ")[0] for label in labels)])
    return {name: found for name, found in package_versions(names).items() if found}


def difference(ticket: Ticket, worker: str) -> TonearmError | None:
    """Return the error of a process whose versions differ from those of the run; None if none does."""
    here = package_versions(ticket["packages"])
    pairs = [("Python", python_version(), ticket["python"])]
    pairs += [(name, here[name], wanted) for name, wanted in ticket["packages"].items()]
    differing = [
        f"{name} {found}, and the run has {wanted}" if found else f"no {name}, and the run has {wanted}"
        for name, found, wanted in pairs
        if found != wanted
    ]
    if not differing:
        return None
    message = f"worker {one_line(worker)} has {one_line('; '.join(differing))}"
    return TonearmError(message, code="other-versions", hint=VERSIONS_HINT)


def sizes_of(paths: Iterable[str]) -> dict[str, int]:
    """Return the sizes of files and folders by path, without those that do not exist."""
    states = {path: file_state(path) for path in paths}
    return {path: state[0] for path, state in states.items() if state is not None}


def unseen_file(ticket: Ticket) -> str:
    """Return the absolute path of a file that this process does not see as the run does; an empty text if it sees all.

    A path may be relative to the current folder, which may be another one here, with another file of that name.
    """
    here = sizes_of(ticket["files"])
    differing = (path for path, size in ticket["files"].items() if here.get(path) != size)
    return next(map(os.path.abspath, differing), "")


def this_process() -> str:
    """Return the name of this process in messages: its host and id."""
    return f"{socket.gethostname()}:{os.getpid()}"
