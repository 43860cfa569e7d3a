"""Faults of the operating system: at a chosen call the process dies, the call fails, or the power does."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from toy_run import OUT, path_in, path_of

CALLS = (
    "open", "write", "read", "preadv", "pread", "lseek", "close", "dup", "replace", "unlink", "mkdir", "fsync",
    "fdatasync", "stat", "lstat", "fstat", "scandir", "rmdir",
)  # fmt: skip
"""Functions of `os` by which a run calls the operating system."""

CHANGES = ("open", "write", "replace", "unlink", "mkdir", "rmdir", "fsync", "fdatasync")
"""Functions that may change the disk."""


@dataclass
class Fault:
    """A fault at one call of the operating system.

    Attributes
    ----------
    kind
        ``die``, ``tear`` (die when half is written), ``power`` or the name of an error. When the power fails, names
        that were not flushed are lost, whatever was written after them.
    when
        Number of the call, from 0; no call fails when it is negative.
    lasting
        Whether all later calls fail as well, as on a full disk.
    count
        Number of calls so far.
    changes
        Numbers of the calls that may have changed the disk.
    """

    kind: str
    when: int = -1
    lasting: bool = False
    count: int = 0
    changes: list[int] = field(default_factory=list)

    def install(self) -> None:
        """Replace the functions of `os` in this process."""
        if self.kind == "power":
            track_unflushed_names()
        for name in CALLS:
            setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, real: Callable) -> Callable:
        def call(*arguments, **more):
            number, self.count = self.count, self.count + 1
            if name in CHANGES and not (name == "open" and not arguments[1] & (os.O_CREAT | os.O_TRUNC)):
                self.changes.append(number)
            if number == self.when or (self.lasting and 0 <= self.when <= number and name in CHANGES):
                self._strike(name, real, arguments)
            return real(*arguments, **more)

        return call

    def _strike(self, name: str, real: Callable, arguments: tuple) -> None:
        if self.kind == "tear" and name == "write":
            real(arguments[0], arguments[1][: len(arguments[1]) // 2])
        if self.kind in ("die", "tear", "power"):
            os.kill(os.getpid(), 9)
        if name in ("unlink", "rmdir") and self.lasting:
            return  # a full disk still removes files
        number = getattr(errno, self.kind)
        raise OSError(number, os.strerror(number))


def track_unflushed_names() -> None:
    """Keep a list of the names that a loss of power would undo, in the file ``names``."""
    pending: set[str] = set()
    replace, fsync = os.replace, os.fsync

    def write() -> None:
        Path("names").write_text("".join(f"{name}\n" for name in sorted(pending)))

    def noting_replace(
        source: str, target: str, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
    ) -> None:
        replace(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        pending.add(os.path.relpath(path_in(target, dst_dir_fd), OUT))
        write()

    def noting_fsync(descriptor: int) -> None:
        fsync(descriptor)
        path = path_of(descriptor)
        pending.difference_update(
            [one for one in pending if os.path.abspath(f"{OUT}/{one}").rpartition("/")[0] == path]
        )
        write()

    write()
    os.replace, os.fsync = noting_replace, noting_fsync
