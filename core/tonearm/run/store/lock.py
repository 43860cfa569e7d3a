"""The lock of an output folder."""

from __future__ import annotations

import contextlib
import fcntl
import os

from tonearm.errors import OutputError, TonearmError, one_line
from tonearm.run.part import Part
from tonearm.run.store.run_folder import folder_path, lock_path


class LockedError(TonearmError):
    """Another run holds the output folder (exit status 11)."""

    default_code = "locked"


class Lock:
    """The lock of an output folder. One whole run can hold it, or one run for each part.

    The kernel releases the lock when its holder dies, however that happens. A whole run holds ``lock`` exclusively.
    Runs of parts share it, and each holds another lock of its own.

    Parameters
    ----------
    root
        Output folder.
    part
        Part of the sources that the run converts; None for all.

    Attributes
    ----------
    warning
        Warning for a file system without locks; else empty.
    """

    def __init__(self, root: str, part: Part | None = None) -> None:
        self.root = root
        self.part = part
        self.warning = ""
        self._held: list[int] = []

    @property
    def descriptors(self) -> list[int]:
        """Descriptors of the open lock files. A worker must close its copies, or it would keep holding the lock."""
        return list(self._held)

    @property
    def is_held(self) -> bool:
        """Whether this process holds the lock."""
        return bool(self._held)

    def acquire(self, *, create: bool) -> None:
        """Acquire the lock.

        Parameters
        ----------
        create
            Whether to create the folder and the lock files. Otherwise nothing is held where they do not exist.

        Raises
        ------
        LockedError
            If another run holds the lock.
        OutputError
            If the folder cannot be written.
        """
        wanted = [(lock_path(self.root), fcntl.LOCK_SH if self.part else fcntl.LOCK_EX)]
        if self.part:
            wanted.append((lock_path(self.root, self.part), fcntl.LOCK_EX))
        for path, operation in wanted[len(self._held) :]:
            try:
                if create:
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o666)
            except OSError as error:
                if not create:
                    return
                reason = (error.strerror or str(error)).lower()
                raise OutputError(
                    f"cannot write to {one_line(self.root)}: {reason}", hint="choose another output folder"
                ) from error
            self._held.append(descriptor)
            try:
                fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self.release()
                raise LockedError(
                    f"another run holds {one_line(self.root)}",
                    hint="wait until it has ended, or choose another output folder",
                ) from error
            except OSError as error:
                self.warning = (
                    f"the file system of {one_line(self.root)} has no locks ({error.strerror}): "
                    "make sure that no other run writes there"
                )

    def release(self) -> None:
        """Release the lock."""
        for descriptor in self._held:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._held = []


def lock_holders(root: str) -> list[int]:
    """Return the ids of the processes that hold locks of an output folder, without taking a lock.

    Works on Linux only; elsewhere the list is empty.
    """
    try:
        with os.scandir(folder_path(root)) as entries:
            locks = [entry.stat() for entry in entries if entry.name.startswith("lock")]
        with open("/proc/locks", encoding="ascii") as file:
            lines = [line.split() for line in file if " FLOCK " in line and "->" not in line]
    except OSError:
        return []
    wanted = {f"{os.major(lock.st_dev):02x}:{os.minor(lock.st_dev):02x}:{lock.st_ino}" for lock in locks}
    return sorted({int(words[4]) for words in lines if words[5] in wanted})
