"""What `tonearm.save` returns: the files, what was measured of them, and the warnings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class Saved(Struct, frozen=True, kw_only=True):
    """The files that a call wrote.

    Parameters
    ----------
    paths
        Paths of the files; none if an open file was given.
    measured
        What was measured of the sound, by name.
    warnings
        Warnings, which were also given as `TonearmWarning`.
    """

    paths: tuple[Path, ...]
    measured: Mapping[str, float | int | str] = {}
    warnings: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Path of the only file."""
        (path,) = self.paths
        return path

    def __fspath__(self) -> str:
        return str(self.path)
