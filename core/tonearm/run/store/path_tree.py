"""Files below a folder on systems that have no descriptors of folders, as Windows: by their paths.

Links are refused here too, but between the look and the call somebody could make one. An open file can be neither
renamed nor removed there, and a virus scanner or an indexer may have one open for a moment.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Iterator

from tonearm.run.store.tree import LinkError, Tree, is_device
from tonearm.system import HAS_POSIX, OPEN_FLAGS

MAX_TRIES = 8
"""Largest number of times that a file is renamed or removed, if somebody has it open."""

FIRST_WAIT = 0.005
"""Seconds before the second try; each other wait is twice as long."""

_JUNCTION = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT


def open_tree(name: str, root: str = "") -> Tree:
    """Return the tree of a folder, as the system can reach it. The parameters are those of `Tree`."""
    return Tree(name, root) if HAS_POSIX else PathTree(name, root)


class PathTree(Tree):
    """The files below a folder, each reached by its path. The parameters are those of `Tree`."""

    def require_folder(self, path: str = "", *, create: bool = False) -> None:
        """Check that a folder exists, or make it, and that nothing on the way to it is a link."""
        above, _, name = path.rpartition("/")
        if path:
            self.require_folder(above, create=create)
        here = self._path(path)
        try:
            status = os.lstat(here) if path else os.stat(here)
        except FileNotFoundError:
            if not create:
                raise
            if path:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(here)
            else:
                os.makedirs(here, exist_ok=True)
            return
        if path and _is_link(status):
            raise LinkError(name)
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), here)

    def close(self) -> None:
        """Do nothing: no folder is open."""

    def open(self, path: str, flags: int, *, create_folder: bool = False) -> int:
        """Open a file and return its descriptor."""
        folder, _, name = path.rpartition("/")
        self.require_folder(folder, create=create_folder)
        here = self._path(path)
        with contextlib.suppress(FileNotFoundError):
            if _is_link(os.lstat(here)):
                raise LinkError(name)
        return os.open(here, flags | OPEN_FLAGS, 0o666)

    def status(self, path: str) -> os.stat_result | None:
        """Return the status of a file, a link or a folder; None if it does not exist or cannot be read."""
        try:
            self.require_folder(path.rpartition("/")[0])
            return os.lstat(self._path(path))
        except (OSError, ValueError):
            return None

    def leads_to_device(self, path: str) -> bool:
        """Return whether a name is a device or a named pipe, or a link that leads to one."""
        return is_device(self._path(path))

    def may_write(self, path: str) -> bool:
        """Return whether the user may write a file."""
        return os.access(self._path(path), os.W_OK)

    def change_mode(self, path: str, mode: int) -> None:
        """Give a file that this process has made other permissions."""
        os.chmod(self._path(path), mode)

    def rename(self, old: str, new: str) -> None:
        """Rename a file within its folder, and replace another one."""
        self.require_folder(new.rpartition("/")[0])
        _try_again(lambda: os.replace(self._path(old), self._path(new)))

    def remove(self, path: str) -> None:
        """Remove a file, if that is possible."""
        with contextlib.suppress(OSError):
            self.require_folder(path.rpartition("/")[0])
            _try_again(lambda: os.unlink(self._path(path)))

    def remove_folder(self, path: str) -> None:
        """Remove a folder, if it is empty."""
        with contextlib.suppress(OSError):
            self.require_folder(path)
            os.rmdir(self._path(path))

    def entries(self, path: str = "") -> Iterator[tuple[str, bool]]:
        """Yield the names in a folder, and whether each is a folder."""
        self.require_folder(path)
        with os.scandir(self._path(path)) as entries:
            for entry in entries:
                yield entry.name, entry.is_dir(follow_symlinks=False)

    def flush(self, path: str = "") -> None:
        """Do nothing but look for the folder: no call flushes the names in it to the disk."""
        self.require_folder(path)

    def _path(self, path: str) -> str:
        return os.path.join(self.root, path) if path else self.root


def _is_link(status: os.stat_result) -> bool:
    """Return whether a file is a link, or a junction, by which Windows leads from one folder to another."""
    return stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == _JUNCTION


def _try_again(call: Callable[[], None]) -> None:
    """Call a function again if it fails because somebody has a file open, until it has failed too often."""
    wait = FIRST_WAIT
    for _ in range(MAX_TRIES - 1):
        try:
            call()
        except PermissionError:
            time.sleep(wait)
            wait *= 2
        else:
            return
    call()
