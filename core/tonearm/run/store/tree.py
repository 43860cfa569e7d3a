"""Files below a folder, opened without following links.

A link below an output folder could lead a run to write anywhere, or to read another folder's journal. So each folder on
the way to a file is opened on its own, relative to the one above it, and a link is refused.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from tonearm.errors import OutputError, one_line
from tonearm.system import OPEN_FLAGS

Returned = TypeVar("Returned")

MAX_OPEN_FOLDERS = 64
"""Largest number of folders that a thread keeps open."""

MAX_FOLDER_TRIES = 10
"""Largest number of times that a folder is made, if somebody else keeps removing it."""

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0)


class LinkError(OSError):
    """A file or folder is a link."""

    def __init__(self, name: str) -> None:
        super().__init__(errno.ELOOP, f"{one_line(name)} is a link, and links below an output folder are not followed")


def close_quietly(descriptor: int) -> None:
    """Close a file. If that fails, there is nothing left to do: somebody else has closed it."""
    with contextlib.suppress(OSError):
        os.close(descriptor)


class _OpenFolders(dict[str, int]):
    """Descriptors of open folders by path. They are closed with the thread that opened them."""

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        for descriptor in self.values():
            with contextlib.suppress(OSError):
                close(descriptor)


class _OwnFolders(threading.local):
    """The open folders of each thread. One thread may close a folder that another is about to use."""

    def __init__(self) -> None:
        self.open = _OpenFolders()


class Tree:
    """The files below a folder. Paths are relative to it. Threads may share a tree.

    Parameters
    ----------
    name
        Path of the folder, which may be a link itself and need not exist.
    root
        Absolute path of the folder; empty if it follows from the name and the current folder.

    Attributes
    ----------
    name
        Path as it was given, for messages.
    root
        Absolute path.
    """

    def __init__(self, name: str, root: str = "") -> None:
        self.name = name
        try:
            self.root = root or os.path.abspath(name)
        except OSError as error:  # the current folder is gone
            raise cannot_write(name or ".", error) from error
        self._own = _OwnFolders()

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
        folders = self._own.open
        found = folders.get(path)
        if found is not None:
            return found
        above, _, name = path.rpartition("/")
        if not path:
            try:
                found = os.open(self.root, _FOLDER)
            except FileNotFoundError:
                if not create:
                    raise
                os.makedirs(self.root, exist_ok=True)
                found = os.open(self.root, _FOLDER)
        else:
            descriptor = self.folder(above, create=create)
            try:
                found = _open_folder(descriptor, name)
            except FileNotFoundError:
                if not create:
                    raise
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=descriptor)
                found = _open_folder(descriptor, name)
        if len(folders) >= MAX_OPEN_FOLDERS:
            self.close()
        folders[path] = found
        return found

    def require_folder(self, path: str = "", *, create: bool = False) -> None:
        """Check that a folder exists, or make it. The parameters and errors are those of `folder`."""
        self.folder(path, create=create)

    def close(self) -> None:
        """Close all folders that this thread has open."""
        folders = self._own.open
        for descriptor in folders.values():
            close_quietly(descriptor)
        folders.clear()

    def _in(self, path: str, call: Callable[[int], Returned], *, create: bool = False) -> Returned:
        """Call a function with the descriptor of a folder, and once more if a plugin has closed what is not its own."""
        try:
            return call(self.folder(path, create=create))
        except OSError as error:
            if not self._was_closed(path, error):
                raise
        return call(self.folder(path, create=create))

    def _was_closed(self, path: str, error: OSError) -> bool:
        """Return whether a plugin has closed an open folder. Then all are forgotten."""
        folders = self._own.open
        if error.errno != errno.EBADF and (error.errno != errno.ENOTDIR or path not in folders):
            return False
        folders.clear()  # their numbers may belong to others by now, so they are not closed
        return True

    def open(self, path: str, flags: int, *, create_folder: bool = False) -> int:
        """Open a file and return its descriptor. It never blocks.

        Raises
        ------
        OSError
            If that fails, or something on the way is a link.
        """
        folder, _, name = path.rpartition("/")
        flags |= _NO_LINK | OPEN_FLAGS

        def call(descriptor: int) -> int:
            return os.open(name, flags, 0o666, dir_fd=descriptor)

        try:
            return self._in(folder, call, create=create_folder)
        except FileNotFoundError:
            if not create_folder:
                raise
        except OSError as error:
            if error.errno == errno.ELOOP and not isinstance(error, LinkError):
                raise LinkError(name) from error
            raise
        for _ in range(MAX_FOLDER_TRIES):
            self.close()  # somebody has removed the folder while it was open here
            with contextlib.suppress(FileNotFoundError):
                return self._in(folder, call, create=True)
        self.close()
        return self._in(folder, call, create=True)

    def status(self, path: str) -> os.stat_result | None:
        """Return the status of a file, a link or a folder; None if it does not exist or cannot be read."""
        folder, _, name = path.rpartition("/")
        try:
            return os.stat(name, dir_fd=self.folder(folder), follow_symlinks=False)
        except ValueError:
            return None
        except OSError as error:
            if not self._was_closed(folder, error):
                return None
        return self.status(path)

    def leads_to_device(self, path: str) -> bool:
        """Return whether a name is a device or a named pipe, or a link that leads to one, as ``/dev/stdout`` does."""
        folder, _, name = path.rpartition("/")
        try:
            return is_device(name, self.folder(folder))
        except (OSError, ValueError):
            return False

    def may_write(self, path: str) -> bool:
        """Return whether the user may write a file."""
        folder, _, name = path.rpartition("/")
        return os.access(name, os.W_OK, dir_fd=self.folder(folder))

    def change_mode(self, path: str, mode: int) -> None:
        """Give a file that this process has made other permissions.

        Raises
        ------
        OSError
            If that fails.
        """
        status = self.status(path)
        if status is not None and stat.S_IMODE(status.st_mode) != mode:
            folder, _, name = path.rpartition("/")
            os.chmod(name, mode, dir_fd=self.folder(folder))

    def rename(self, old: str, new: str) -> None:
        """Rename a file within its folder, and replace another one.

        Raises
        ------
        OSError
            If that fails.
        """
        folder, _, name = new.rpartition("/")
        temporary = old.rpartition("/")[2]

        def call(descriptor: int) -> None:
            os.replace(temporary, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)

        try:
            self._in(folder, call)
        except FileNotFoundError:
            self.close()  # somebody may have made the folder anew since it was opened here
            self._in(folder, call)

    def remove(self, path: str) -> None:
        """Remove a file, if that is possible."""
        folder, _, name = path.rpartition("/")
        with contextlib.suppress(OSError):
            self._in(folder, lambda descriptor: os.unlink(name, dir_fd=descriptor))

    def remove_folder(self, path: str) -> None:
        """Remove a folder, if it is empty."""
        above, _, name = path.rpartition("/")
        with contextlib.suppress(OSError):
            self._in(above, lambda descriptor: os.rmdir(name, dir_fd=descriptor))

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
        descriptor = self._in(path, lambda folder: os.open(".", os.O_RDONLY, dir_fd=folder))
        try:
            yield descriptor
        finally:
            close_quietly(descriptor)


def is_device(name: str, folder: int | None = None) -> bool:
    """Return whether a name is a device, a named pipe or a socket, or a link that leads to one.

    Parameters
    ----------
    name
        Path.
    folder
        Descriptor of the folder that it starts from; None for the current one.
    """
    try:
        mode = os.stat(name, dir_fd=folder).st_mode
    except (OSError, ValueError):
        return False
    return any(is_kind(mode) for is_kind in (stat.S_ISCHR, stat.S_ISBLK, stat.S_ISFIFO, stat.S_ISSOCK))


def reason_of(error: OSError) -> str:
    """Return the reason of an error of the system, to be put behind a colon."""
    text = error.strerror or str(error)
    return text.lower() if error.errno and text == os.strerror(error.errno) else text


def cannot_write(path: str | os.PathLike[str], error: OSError) -> OutputError:
    """Return the error for a file that cannot be written."""
    hint = "choose another output folder" if isinstance(error, PermissionError) else ""
    return OutputError(f"cannot write {one_line(path)}: {reason_of(error)}", hint=hint)


def _open_folder(above: int, name: str) -> int:
    """Open a folder in another one."""
    try:
        return os.open(name, _FOLDER | _NO_LINK, dir_fd=above)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP) and _is_link(above, name):
            raise LinkError(name) from error
        raise


def _is_link(above: int, name: str) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode)
    except OSError:
        return False
