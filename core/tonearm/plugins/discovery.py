"""Which installed packages register the entry point group ``tonearm``.

`importlib.metadata` knows, but its import and its scan cost more than the whole of ``tonearm check``. So the metadata
folders on the path are looked through for the group's name, and only where something else than plain folders is on the
path (a zip file, an egg) is it asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from msgspec import Struct

GROUP = "tonearm"

_HEADING = f"[{GROUP}]"
_METADATA = (".dist-info", ".egg-info")


class EntryPoint(Struct, frozen=True):
    """One entry point of the group.

    Parameters
    ----------
    name
        As the package gives it.
    value
        The object that it names: ``module`` or ``module:attribute``.
    package
        Name of the distribution, as it is normalised in file names.
    version
        Of the distribution; empty if unknown.
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
    """Return the entry points of the group; of a package that is on the path twice, the one that Python imports."""
    return list(_scanned() if _only_folders() else _asked())


def _only_folders() -> bool:
    """Say whether packages can only come from plain folders."""
    return all(
        (os.path.isdir(entry or ".") and not entry.endswith(".egg")) or not os.path.exists(entry)  # noqa: PTH110, PTH112
        for entry in sys.path
    )


def _scanned() -> Iterator[EntryPoint]:
    """Yield what the metadata folders on the path say."""
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
    """Return the name and version that a metadata folder says: ``acme-1.2.dist-info``, ``acme-1.2-py3.egg-info``."""
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


def _asked() -> Iterator[EntryPoint]:
    """Yield what `importlib.metadata` says."""
    from importlib import metadata

    seen: set[str] = set()
    for distribution in metadata.distributions():
        try:
            name, version = distribution.name.replace("-", "_"), distribution.version
            points = [point for point in distribution.entry_points if point.group == GROUP]
        except Exception:  # noqa: S112 - damaged metadata: Python itself promises no particular error
            continue
        if name.lower() not in seen:
            seen.add(name.lower())
            yield from (EntryPoint(point.name, point.value, name, version) for point in points if point.name)
