"""What a plugin needs that may not be there: packages and programs, looked for without importing anything."""

from __future__ import annotations

from msgspec import Struct


class Requirement(Struct, frozen=True, kw_only=True):
    """Something that must be installed.

    Parameters
    ----------
    name
        Of the module to import, or of the program on the PATH.
    hint
        What to do to get it, such as a pip line.
    program
        Whether it is a program.
    at_least
        The oldest version of a package that will do, as in ``2.10``; any if empty.
    package
        Its name at the package index, where that is not the module's.
    instead
        What does as well, if this one is not there.
    """

    name: str
    hint: str
    program: bool = False
    at_least: str = ""
    package: str = ""
    instead: Requirement | None = None

    @property
    def what(self) -> str:
        """In words: ``the package 'torch' 2.10 or newer``."""
        newer = f" {self.at_least} or newer" if self.at_least else ""
        return f"the {'program' if self.program else 'package'} {(self.package or self.name)!r}{newer}"

    def is_met(self) -> bool:
        """Say whether it or its substitute is there, importing nothing."""
        return self._is_here() or (self.instead is not None and self.instead.is_met())

    def _is_here(self) -> bool:
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
        return _numbers_of(found) >= _numbers_of(self.at_least)


def _numbers_of(version: str) -> list[int]:
    """Return the first numbers of a version: [2, 13, 0] of ``2.13.0+cpu``."""
    release = version.partition("+")[0].split(".")
    return [int(part) for part in release if part.isdecimal()]
