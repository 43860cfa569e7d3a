"""The health of a process that plugins work in: they may close its files, or lower its limits, and never say so.

If sources cannot be read then, or outputs cannot be written, neither they nor the disk are at fault. The work goes on
in another process, and the source that harms that one as well has failed.
"""

from __future__ import annotations

import errno
import math

from tonearm.errors import OutputError
from tonearm.errors.tracebacks import causes
from tonearm.system import HAS_POSIX

_OF_FILES = (errno.EBADF, errno.EMFILE)
"""Errors of a process that has no more files, or whose files somebody has closed."""

_LIMITS = ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC")


class UnfitError(OutputError):
    """A plugin has closed the files of this process, or lowered its limits. Another process has to go on."""


class Health:
    """The health of this process, which is good when the object is made."""

    def __init__(self) -> None:
        self._limits = _limits()

    def explains(self, error: BaseException) -> bool:
        """Return whether an error comes of this process, and would not happen in another one."""
        are_lower = any(now < before for now, before in zip(_limits(), self._limits, strict=True))
        return are_lower or any(one.errno in _OF_FILES for one in _system_errors(error))


def _limits() -> list[float]:
    """Return the limits of this process, soft ones and hard ones."""
    if not HAS_POSIX:  # Windows has none
        return []
    import resource

    pairs = [resource.getrlimit(getattr(resource, name)) for name in _LIMITS if hasattr(resource, name)]
    return [math.inf if limit == resource.RLIM_INFINITY else limit for pair in pairs for limit in pair]


def _system_errors(error: BaseException | None) -> list[OSError]:
    """Return the errors of the system that have led to an error."""
    return [one for one in causes(error) if isinstance(one, OSError)]
