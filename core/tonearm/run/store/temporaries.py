"""Temporaries: outputs are written beside their final names, then flushed, hashed and renamed, or removed."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import stat
from collections.abc import Iterable

from tonearm.content_hash import hash_descriptor
from tonearm.errors import ItemError, OutputError, TonearmError, one_line
from tonearm.pipeline import RESERVED_PREFIX
from tonearm.plugins.sink import Sink
from tonearm.run.prepared import PreparedFile
from tonearm.run.store.hashing_sink import HashingSink

PREFIX = f"{RESERVED_PREFIX}-"
SUFFIX = ".part"
TEMPORARY_NAME = re.compile(rf"{re.escape(PREFIX)}([0-9a-f]{{16}})(\..*)?{re.escape(SUFFIX)}")
"""Pattern of the names of temporaries. Eight of the 16 digits are the id of the owner, and eight a serial number."""

ANY_OWNER = ""
"""Start of every owner id."""

MAX_NAME_TRIES = 100
"""Largest number of names that are tried for a temporary."""

_serial = itertools.count(int.from_bytes(os.urandom(4), "big"))


class Temporaries:
    """The temporaries of one item. All of its files are written before the first is published.

    Use it as a context manager. If `finish` is not reached, it removes all files.

    Parameters
    ----------
    root
        Output folder.
    owner_id
        Id of the owner: eight hex digits.
    fsync
        Whether to flush files to the disk.
    """

    def __init__(self, root: str, *, owner_id: str, fsync: bool) -> None:
        self._root = root
        self._owner_id = owner_id
        self._fsync = fsync
        self._open: list[tuple[HashingSink, str, str, int]] = []
        self._finished = False

    def __enter__(self) -> Temporaries:
        return self

    def __exit__(self, *_: object) -> None:
        for sink, path, _target, descriptor in self._open:
            with contextlib.suppress(OSError):
                os.close(descriptor)
            if not self._finished:
                for leftover in (path, *map(os.fspath, sink.sidecars.values())):
                    with contextlib.suppress(OSError):
                        os.unlink(leftover)

    def sink(self, target: str) -> Sink:
        """Return the sink for an output.

        Parameters
        ----------
        target
            Path of the output below the root.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        folder = os.path.join(self._root, os.path.dirname(target))
        try:
            path, descriptor = _make(folder, self._owner_id)
        except OSError as error:
            raise cannot_write(os.path.join(self._root, target), error) from error
        sink = HashingSink(path, os.path.splitext(target)[1], descriptor)
        self._open.append((sink, path, target, descriptor))
        return sink

    def finish(self) -> list[PreparedFile]:
        """Flush and hash all files, and return them. From then on the caller owns them.

        Raises
        ------
        ItemError
            If an encoder wrote nothing, or something other than a file.
        OutputError
            If a file cannot be flushed.
        """
        files = []
        for sink, path, target, descriptor in self._open:
            files.append(self._finish(path, target, sink, descriptor))
            for suffix, sidecar in sink.sidecars.items():
                files.append(self._finish(os.fspath(sidecar), os.path.splitext(target)[0] + suffix))
        self._finished = True
        return files

    def _finish(self, path: str, target: str, sink: HashingSink | None = None, descriptor: int = -1) -> PreparedFile:
        try:
            status = os.lstat(path)
            if not stat.S_ISREG(status.st_mode) or not status.st_size:
                what = "an empty" if stat.S_ISREG(status.st_mode) else "no regular"
                raise ItemError(f"the encoder wrote {what} file for {one_line(target)}", code="nothing-written")
            # An encoder may have replaced our file by another.
            if sink is not None and os.fstat(descriptor).st_ino == status.st_ino:
                return self._prepared_file(descriptor, path, target, status.st_size, sink.hash(status.st_size))
            own = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                return self._prepared_file(own, path, target, status.st_size)
            finally:
                os.close(own)
        except FileNotFoundError as error:
            raise ItemError(f"the encoder wrote no {one_line(target)}", code="nothing-written") from error
        except OSError as error:
            raise cannot_write(os.path.join(self._root, target), error) from error

    def _prepared_file(self, descriptor: int, path: str, target: str, size: int, known: str = "") -> PreparedFile:
        if self._fsync:
            os.fsync(descriptor)
        name = path.rpartition("/")[2]
        return PreparedFile(temporary=name, output=target, size=size, hash=known or hash_descriptor(descriptor, size))


def _make(folder: str, owner_id: str) -> tuple[str, int]:
    """Return the path of a new file in a folder, which is made if need be, and the file itself, open."""
    for _ in range(MAX_NAME_TRIES):
        path = os.path.join(folder, f"{PREFIX}{owner_id}{next(_serial) & 0xFFFFFFFF:08x}{SUFFIX}")
        try:
            return path, os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
        except FileExistsError:
            continue
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def rename_temporary(root: str, file: PreparedFile) -> None:
    """Rename a temporary to its final name.

    Raises
    ------
    OutputError
        If that fails.
    """
    target = os.path.join(root, file.output)
    try:
        os.replace(temporary_path(root, file), target)
    except OSError as error:
        raise cannot_write(target, error) from error


def discard(root: str, files: Iterable[PreparedFile]) -> None:
    """Remove temporaries that will not be published."""
    for file in files:
        with contextlib.suppress(OSError):
            os.unlink(temporary_path(root, file))


def temporary_path(root: str, file: PreparedFile) -> str:
    """Return the path of a file's temporary."""
    return os.path.join(root, os.path.dirname(file.output), file.temporary)


def flush_folder(folder: str) -> None:
    """Flush the names in a folder to the disk, if its file system supports that and the folder may be read.

    Raises
    ------
    OutputError
        If that fails.
    """
    try:
        descriptor = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOENT):
            raise cannot_write(folder, error) from error


def sweep(folder: str, owner_id: str = ANY_OWNER, *, deep: bool = False) -> None:
    """Remove temporaries that were left behind. The caller holds the lock.

    Parameters
    ----------
    folder
        Folder to look into.
    owner_id
        Id of the owner, or the start of several ids.
    deep
        Whether to look into all folders below, too.
    """
    folders = [folder]
    while folders:
        here = folders.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    found = TEMPORARY_NAME.fullmatch(entry.name) if entry.name.startswith(PREFIX) else None
                    if found and found[1].startswith(owner_id):
                        with contextlib.suppress(OSError):
                            os.unlink(entry.path)
                    elif deep and entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError:
            continue


def cannot_write(path: str | os.PathLike[str], error: OSError) -> OutputError:
    """Return the error for a file that cannot be written."""
    hint = "choose another output folder" if isinstance(error, PermissionError) else ""
    return OutputError(f"cannot write {one_line(path)}: {(error.strerror or str(error)).lower()}", hint=hint)


def raise_if_unwritable(error: TonearmError, sink: Sink, target: str) -> None:
    """Raise `OutputError` if an encoder failed because its file cannot be written. Not every library says so.

    Parameters
    ----------
    error
        Error of the encoder.
    sink
        Sink that the encoder wrote to.
    target
        Path of the output, for the message.
    """
    if isinstance(error, OutputError) and isinstance(error.__cause__, OSError):
        raise cannot_write(target, error.__cause__) from error
    if error.code != "plugin-failed":
        return
    try:
        descriptor = os.open(sink.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            os.write(descriptor, bytes(1 << 16))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as reason:
        raise cannot_write(target, reason) from error
