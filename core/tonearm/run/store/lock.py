"""The lock of an output folder."""

from __future__ import annotations

import errno
import os
import stat

from tonearm.errors import OutputError, TonearmError, one_line
from tonearm.run.part import Part
from tonearm.run.store.file_locks import lock
from tonearm.run.store.run_folder import lock_path
from tonearm.run.store.tree import Tree, close_quietly, reason_of
from tonearm.system import HAS_POSIX


class LockedError(TonearmError):
    """Another run holds the output folder (exit status 11)."""

    default_code = "locked"


class Lock:
    """The lock of an output folder. One whole run can hold it, or one run for each part.

    The kernel releases the lock when its holder dies, however that happens. A whole run holds ``lock`` exclusively.
    Runs of parts share it, and each holds another lock of its own.

    Parameters
    ----------
    tree
        Output folder.
    name
        Name of the output folder in messages.

    Attributes
    ----------
    warning
        Warning for a file system without locks; else empty.
    """

    def __init__(self, tree: Tree, name: str) -> None:
        self.warning = ""
        self._tree = tree
        self._name = one_line(name)
        self._held: list[int] = []

    @property
    def descriptors(self) -> list[int]:
        """Descriptors of the open lock files. A forked child must close its own, or it would keep holding the lock."""
        return list(self._held)

    def acquire(self, part: Part | None, *, create: bool) -> None:
        """Acquire the lock.

        Parameters
        ----------
        part
            Part of the sources that the run converts; None for all.
        create
            Whether to create the folder and the lock files. Otherwise nothing is held where they do not exist.

        Raises
        ------
        LockedError
            If another run holds the lock.
        OutputError
            If the folder cannot be written.
        """
        wanted = [(lock_path(), part is not None)]
        if part:
            wanted.append((lock_path(part), False))
        flags = os.O_RDWR | os.O_CREAT if create else os.O_RDWR
        for path, shared in wanted[len(self._held) :]:
            try:
                descriptor = self._tree.open(path, flags, create_folder=create)
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    close_quietly(descriptor)
                    raise OSError(errno.EINVAL, f"{path} is no regular file")
            except OSError as error:
                if isinstance(error, FileNotFoundError) and not create:
                    return
                self.release()
                message = f"cannot write to {self._name}: {reason_of(error)}"
                raise OutputError(message, hint="choose another output folder") from error
            self._held.append(descriptor)
            try:
                lock(descriptor, shared=shared)
            except BlockingIOError as error:
                self.release()
                raise LockedError(
                    f"another run holds {self._name}",
                    hint="wait until it has ended, or choose another output folder",
                ) from error
            except OSError as error:
                self.warning = (
                    f"the file system of {self._name} has no locks ({error.strerror}): "
                    "make sure that no other run writes there"
                )

    def release(self) -> None:
        """Release the lock."""
        for descriptor in self._held:
            close_quietly(descriptor)
        self.forget()

    def forget(self) -> None:
        """Forget the lock, whose files somebody has closed."""
        self._held = []


def lock_holders(tree: Tree, part: Part | None = None) -> list[int]:
    """Return the ids of the processes that run all sources, or a part of them, without taking a lock.

    Works on Linux only; elsewhere the list is empty.
    """
    status = tree.status(lock_path(part))
    if status is None or not HAS_POSIX:
        return []
    try:
        with open("/proc/locks", encoding="ascii") as file:
            lines = [line.split() for line in file if " FLOCK " in line and "->" not in line]
    except OSError:
        return []
    wanted = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    # Runs of parts share the lock of a whole run, for reading.
    return sorted({int(words[4]) for words in lines if words[5] == wanted and words[3] == "WRITE"})
