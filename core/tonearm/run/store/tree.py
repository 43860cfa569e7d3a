"""Files below a folder, opened without following links.

A link below an output folder could lead a run to write anywhere, or to read another folder's journal. So each folder on
the way to a file is opened on its own, relative to the one above it, and a link is refused.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

MAX_OPEN_FOLDERS = 64
"""Largest number of folders that are kept open."""

_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Tree:
    """The files below a folder. Paths are relative to it.

    Parameters
    ----------
    root
        Path of the folder, which may be a link itself and need not exist.

    Attributes
    ----------
    name
        Path as it was given, for messages.
    root
        Absolute path.
    """

    def __init__(self, root: str) -> None:
        self.name = root
        self.root = os.path.abspath(root)
        self._folders: dict[str, int] = {}

    def folder(self, path: str = "", *, create: bool = False) -> int:
        """Return the descriptor of a folder. It is for the ``dir_fd`` of other calls, and stays open.

        Parameters
        ----------
        path
            Path of the folder; empty for the root.
        create
            Whether to make the folder, and those above it, if need be.

        Raises
        ------
        OSError
            If the folder does not exist, or something on the way is a link or no folder.
        """
        found = self._folders.get(path)
        if found is not None:
            return found
        if not path:
            if create:
                os.makedirs(self.root, exist_ok=True)
            found = os.open(self.root, _FOLDER & ~os.O_NOFOLLOW)
        else:
            above, _, name = path.rpartition("/")
            descriptor = self.folder(above, create=create)
            try:
                found = _open_folder(descriptor, name, create=False)
            except FileNotFoundError:
                if not create:
                    raise
                found = _open_folder(descriptor, name, create=True)
        if len(self._folders) >= MAX_OPEN_FOLDERS:
            self.close(keep=above if path else "")
        self._folders[path] = found
        return found

    def close(self, *, keep: str | None = None) -> None:
        """Close all folders but one."""
        folders, self._folders = self._folders, {}
        for path, descriptor in folders.items():
            if path == keep:
                self._folders[path] = descriptor
                continue
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def open(self, path: str, flags: int, *, create_folder: bool = False) -> int:
        """Open a file and return its descriptor. It never blocks."""
        folder, _, name = path.rpartition("/")
        flags |= os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            return os.open(name, flags, 0o666, dir_fd=self.folder(folder))
        except OSError as error:
            if error.errno == errno.EBADF:  # a plugin has closed files that are not its own
                self._folders = {}
            elif isinstance(error, FileNotFoundError) and create_folder:
                self.close()  # somebody may have removed the folder while it was open here
            else:
                raise
        return os.open(name, flags, 0o666, dir_fd=self.folder(folder, create=create_folder))

    def status(self, path: str) -> os.stat_result | None:
        """Return the status of a file, a link or a folder; None if it does not exist or cannot be read."""
        folder, _, name = path.rpartition("/")
        try:
            return os.stat(name, dir_fd=self.folder(folder), follow_symlinks=False)
        except (OSError, ValueError):
            return None

    def rename(self, old: str, new: str) -> None:
        """Rename a file within its folder, and replace another one."""
        folder, _, name = new.rpartition("/")
        descriptor = self.folder(folder)
        os.replace(old.rpartition("/")[2], name, src_dir_fd=descriptor, dst_dir_fd=descriptor)

    def remove(self, path: str) -> None:
        """Remove a file, if that is possible."""
        folder, _, name = path.rpartition("/")
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=self.folder(folder))

    def remove_folder(self, path: str) -> None:
        """Remove a folder, if it is empty."""
        above, _, name = path.rpartition("/")
        with contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=self.folder(above))

    def entries(self, path: str = "") -> Iterator[tuple[str, bool]]:
        """Yield the names in a folder, and whether each is a folder.

        Raises
        ------
        OSError
            If the folder cannot be read.
        """
        with self._readable(path) as descriptor, os.scandir(descriptor) as entries:
            for entry in entries:
                yield entry.name, entry.is_dir(follow_symlinks=False)

    def flush(self, path: str = "") -> None:
        """Flush the names in a folder to the disk.

        Raises
        ------
        OSError
            If that fails.
        """
        with self._readable(path) as descriptor:
            os.fsync(descriptor)

    @contextlib.contextmanager
    def _readable(self, path: str) -> Iterator[int]:
        descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.folder(path))
        try:
            yield descriptor
        finally:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _open_folder(above: int, name: str, *, create: bool) -> int:
    """Open a folder in another one, which is made if need be."""
    if create:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=above)
    try:
        return os.open(name, _FOLDER, dir_fd=above)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP) and _is_link(above, name):
            raise OSError(
                errno.ELOOP, f"{name} is a link, and links below an output folder are not followed"
            ) from error
        raise


def _is_link(above: int, name: str) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode)
    except OSError:
        return False
