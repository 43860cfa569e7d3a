"""Which installed packages register the entry point group ``tonearm``.

`importlib.metadata` knows, but its import and its scan cost more than the whole of ``tonearm check``. So the metadata
folders on the path are looked through for the group's name, and only where something else than folders is on the path
(a zip file, a finder of one's own) is it asked.
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

        module, _, attributes = self.value.partition(":")
        return functools.reduce(getattr, filter(None, attributes.split(".")), importlib.import_module(module.strip()))


def entry_points() -> list[EntryPoint]:
    """Return the entry points of the group; of a package that is on the path twice, the one that Python imports."""
    found: dict[tuple[str, str], EntryPoint] = {}
    for point in _scanned() if _only_folders() else _asked():
        found.setdefault((point.package, point.name), point)
    return list(found.values())


def _only_folders() -> bool:
    """Say whether packages can only come from folders."""
    return all(os.path.isdir(entry or ".") or not os.path.exists(entry) for entry in sys.path)  # noqa: PTH110, PTH112


def _scanned() -> Iterator[EntryPoint]:
    """Yield what the metadata folders on the path say."""
    for folder in dict.fromkeys(sys.path):
        try:
            names = sorted(name for name in os.listdir(folder or ".") if name.endswith(_METADATA))  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), encoding="utf-8") as file:  # noqa: PTH118, PTH123
                    text = file.read()
            except (OSError, UnicodeDecodeError):
                continue
            if _HEADING in text:
                package, _, version = name.rpartition(".")[0].partition("-")
                for key, value in _group(text):
                    yield EntryPoint(key, value, package, version.partition("-")[0])


def _group(text: str) -> Iterator[tuple[str, str]]:
    """Yield the entries of the group in an ``entry_points.txt``."""
    within = False
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            within = line == _HEADING
        elif within and "=" in line and line[0] not in "#;":
            name, _, value = line.partition("=")
            yield name.strip(), value.partition("[")[0].strip()


def _asked() -> Iterator[EntryPoint]:
    """Yield what `importlib.metadata` says."""
    from importlib import metadata

    for point in metadata.entry_points(group=GROUP):
        package, version = (point.dist.name, point.dist.version) if point.dist else (point.module, "")
        yield EntryPoint(point.name, point.value, package.replace("-", "_"), version)
