"""Packages and programs that a plugin requires, looked for without importing anything."""

from __future__ import annotations

from msgspec import Struct


class Requirement(Struct, frozen=True, kw_only=True):
    """A package or program that must be installed.

    Parameters
    ----------
    name
        Name of the module to import, or of the program on the PATH.
    hint
        Installation advice, such as a pip command.
    program
        Whether the requirement is a program.
    at_least
        Oldest version of the package that is sufficient, such as ``2.10``; empty for any version.
    package
        Name on the package index, if it differs from that of the module.
    instead
        Alternative requirement that is also sufficient.
    """

    name: str
    hint: str
    program: bool = False
    at_least: str = ""
    package: str = ""
    instead: Requirement | None = None

    @property
    def what(self) -> str:
        """Description for messages: ``the package 'torch' 2.10 or newer``."""
        newer = f" {self.at_least} or newer" if self.at_least else ""
        return f"the {'program' if self.program else 'package'} {(self.package or self.name)!r}{newer}"

    def is_met(self) -> bool:
        """Return whether the requirement or its alternative is installed, without importing anything."""
        return self._is_installed() or (self.instead is not None and self.instead.is_met())

    def _is_installed(self) -> bool:
        if self.program:
            import shutil

            return shutil.which(self.name) is not None
        from importlib.util import find_spec

        if find_spec(self.name.partition(".")[0]) is None:
            return False
        return not self.at_least or self._is_new_enough()

    def _is_new_enough(self) -> bool:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version(self.package or self.name)
        except PackageNotFoundError:
            return False
        return release_numbers(found) >= release_numbers(self.at_least)


def release_numbers(version: str) -> list[int]:
    """Return the release numbers of a version: [2, 13, 0] for ``2.13.0+cpu``."""
    release = version.partition("+")[0].split(".")
    return [int(part) for part in release if part.isdecimal()]
