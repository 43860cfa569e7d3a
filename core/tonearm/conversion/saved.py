"""What `tonearm.save` returns: the files, what was measured of them, and the warnings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class Saved(Struct, frozen=True):
    """The files that a call wrote.

    Parameters
    ----------
    paths
        Paths of the files; none if an open file was given.
    measurements
        What was measured of each item, by name.
    warnings
        Warnings, which were also given as `TonearmWarning`.
    """

    paths: tuple[Path, ...]
    measurements: tuple[Mapping[str, float | int | str], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Path of the only file."""
        (path,) = self.paths
        return path

    @property
    def measured(self) -> Mapping[str, float | int | str]:
        """Measurements of the only item."""
        (measured,) = self.measurements
        return measured

    def __fspath__(self) -> str:
        return str(self.path)
