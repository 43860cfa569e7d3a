"""Discovery of installed packages that register the entry point group ``tonearm``.

`importlib.metadata` could find them, but importing and calling it costs more than all of ``tonearm check``. So this
module searches the metadata folders on the path for the name of the group. It falls back to `importlib.metadata` only
if the path has entries that are not plain folders, such as zip files and eggs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

from msgspec import Struct

from tonearm.names import BUILTIN

T = TypeVar("T")

PROJECT = "tonearm"
"""Name of the distribution, of the entry point group, and of the pluggy project."""
_HEADING = f"[{PROJECT}]"
_METADATA = (".dist-info", ".egg-info")


class Package(Struct, frozen=True):
    """An installed package that registers plugins.

    Parameters
    ----------
    origin
        Name of its entry point, as in ``origin/plugin``.
    load
        Function that imports the package and returns the object with the hook implementations.
    label
        Name and version for messages: ``tonearm_acme 1.2``.
    """

    origin: str
    load: Callable[[], object]
    label: str


class EntryPoint(Struct, frozen=True):
    """One entry point of the group.

    Parameters
    ----------
    name
        Name of the entry point, chosen by the package.
    value
        Reference to an object: ``module`` or ``module:attribute``.
    package
        Name of the distribution, normalised as in file names.
    version
        Version of the distribution; empty if unknown.
    """

    name: str
    value: str
    package: str
    version: str

    def load(self) -> object:
        """Import the object."""
        import functools
        import importlib

        module, _, attributes = (part.strip() for part in self.value.partition(":"))
        return functools.reduce(getattr, filter(None, attributes.split(".")), importlib.import_module(module))


def entry_points() -> list[EntryPoint]:
    """Return the entry points of the group.

    If a package is on the path twice, only the copy that Python imports counts.
    """
    return list(_scan_folders() if _only_folders() else _ask_importlib())


def _only_folders() -> bool:
    """Return whether all entries of the path are plain folders."""
    return all(
        (os.path.isdir(entry or ".") and not entry.endswith(".egg")) or not os.path.exists(entry)  # noqa: PTH110, PTH112
        for entry in sys.path
    )


def _scan_folders() -> Iterator[EntryPoint]:
    """Yield the entry points found in metadata folders on the path."""
    seen: set[str] = set()
    for folder in dict.fromkeys(sys.path):
        try:
            names = sorted(name for name in os.listdir(folder or ".") if name.endswith(_METADATA))  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            package, version = _package(name)
            if package.lower() in seen:
                continue
            seen.add(package.lower())
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), encoding="utf-8") as file:  # noqa: PTH118, PTH123
                    text = file.read()
            except (OSError, UnicodeDecodeError):
                continue
            if _HEADING in text:
                for key, value in _group(text):
                    yield EntryPoint(key, value, package, version)


def _package(folder: str) -> tuple[str, str]:
    """Return name and version from a metadata folder's name: ``acme-1.2.dist-info``, ``acme-1.2-py3.egg-info``."""
    base, _, kind = folder.rpartition(".")
    name, _, rest = base.rpartition("-") if kind == "dist-info" else base.partition("-")
    return (name or rest).replace("-", "_").replace(".", "_"), rest.partition("-")[0] if name else ""


def _group(text: str) -> Iterator[tuple[str, str]]:
    """Yield the entries of the group in an ``entry_points.txt``."""
    within = False
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            within = line == _HEADING
        elif within and "=" in line and line[0] not in "#;":
            name, _, value = line.partition("=")
            if name.strip():
                yield name.strip(), value.partition("[")[0].strip()


def _ask_importlib() -> Iterator[EntryPoint]:
    """Yield the entry points found by `importlib.metadata`."""
    from importlib import metadata

    seen: set[str] = set()
    for distribution in metadata.distributions():
        try:
            name, version = distribution.name.replace("-", "_"), distribution.version
            points = [point for point in distribution.entry_points if point.group == PROJECT]
        except Exception:  # noqa: S112 - damaged metadata: Python itself promises no particular error
            continue
        if name.lower() not in seen:
            seen.add(name.lower())
            yield from (EntryPoint(point.name, point.value, name, version) for point in points if point.name)


def installed_packages() -> Iterator[Package]:
    """Yield every installed package that registers the entry point group, the built-in one first."""
    points = sorted(entry_points(), key=lambda point: (not _is_builtin(point), point.name, point.package))
    taken: set[str] = set()
    for point in points:
        # Two packages may choose the same name, or ours; the second is then known by its distribution's name.
        names = (point.name, point.package, f"{point.package}.{point.name}")
        free = (name for name in names if name not in taken and (name != BUILTIN or _is_builtin(point)))
        origin = next(free, "")
        taken.add(origin)
        yield Package(origin=origin, load=point.load, label=f"{point.package} {point.version}".rstrip())


def _is_builtin(point: EntryPoint) -> bool:
    return point.name == BUILTIN and point.package == PROJECT
