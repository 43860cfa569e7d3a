"""Temporaries: outputs are written beside their final names, then flushed, hashed and renamed, or removed."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import stat

from tonearm.content_hash import hash_descriptor
from tonearm.errors import ItemError, OutputError, TonearmError, one_line
from tonearm.pipeline import RESERVED_PREFIX
from tonearm.plugins.sink import Sink
from tonearm.run.prepared import PreparedFile
from tonearm.run.store.hashing_sink import HashingSink
from tonearm.run.store.owners import Owner, lock_file
from tonearm.run.store.tree import Tree, cannot_write, close_quietly
from tonearm.system import HAS_POSIX

PREFIX = f"{RESERVED_PREFIX}-"
SUFFIX = ".part"
TEMPORARY_NAME = re.compile(rf"{re.escape(PREFIX)}([0-9a-f]{{16}})(\..*)?{re.escape(SUFFIX)}")
"""Pattern of the names of temporaries. Eight of the 16 digits are the id of the owner, and eight a serial number."""

MAX_NAME_TRIES = 100
"""Largest number of names that are tried for a temporary."""

_serial = itertools.count(int.from_bytes(os.urandom(4), "big"))


_without_owner: set[Temporaries] = set()
"""Temporaries of this process that are not finished and have no owner."""


def discard_without_owner() -> None:
    """Remove the temporaries of this process that have no owner, because it ends at once."""
    for temporaries in list(_without_owner):
        temporaries.__exit__()


def _leave_to_parent() -> None:
    """Have no part in the temporaries that the process writes from which this one was forked.

    Otherwise this one would hold their locks, and what libraries have buffered would be written a second time when it
    ends.
    """
    left = list(_without_owner)
    _without_owner.clear()
    for temporaries in left:
        temporaries.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


class Temporaries:
    """The temporaries of one item. All of its files are written before the first is published.

    Use it as a context manager. If `finish` is not reached, it removes all files.

    Parameters
    ----------
    tree
        Folder below which the temporaries are written, each in the folder of its output.
    owner
        Owner; None if each file is locked itself, for as long as the context is open.
    fsync
        Whether to flush files to the disk.
    hashed
        Whether to hash the files.
    """

    def __init__(self, tree: Tree, owner: Owner | None, *, fsync: bool, hashed: bool = True) -> None:
        self._tree = tree
        self._owner = owner
        self._fsync = fsync
        self._hashed = hashed
        self._open: list[tuple[Sink, str, str, int, str]] = []
        self._made: list[str] = []
        """Paths of our files below the root, each noted before it is made, as Ctrl-C may come right afterwards."""
        self._others: list[int] = []
        """Files that encoders have put in the place of ours, and sidecars."""
        self._finished = False

    def __enter__(self) -> Temporaries:
        if self._owner is None:
            _without_owner.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        _without_owner.discard(self)
        self._close()
        if not self._finished:
            for path in self._made:
                self._tree.remove(path)
            for sink, _path, target, _descriptor, _encoder in self._open:
                for leftover in map(os.fspath, sink.sidecars.values()):
                    self._tree.remove(_join(target, os.path.basename(leftover)))

    def _close(self) -> None:
        """Close all files."""
        for descriptor in (*(descriptor for *_, descriptor, _ in self._open), *self._others):
            close_quietly(descriptor)
        self._open = [(sink, path, target, -1, encoder) for sink, path, target, _, encoder in self._open]
        self._others.clear()

    def take_back(self) -> None:
        """Own the files again after `finish`, so that those that were not published are removed at the end."""
        self._finished = False

    def leave_to_parent(self) -> None:
        """Let every descriptor of the files lead to nothing: ours, and those by which encoders write."""
        with contextlib.suppress(OSError):
            ours = {_identity(descriptor) for _, _, _, descriptor, _ in self._open}
            nothing = os.open(os.devnull, os.O_RDWR)
            for name in os.listdir("/dev/fd"):
                with contextlib.suppress(OSError):
                    if _identity(int(name)) in ours:
                        os.dup2(nothing, int(name), inheritable=False)
            os.close(nothing)

    def sink(self, target: str, encoder: str = "the encoder") -> Sink:
        """Return the sink for an output.

        Parameters
        ----------
        target
            Path of the output below the root.
        encoder
            Name of the encoder in messages.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        try:
            name, descriptor = self._make(target)
        except OSError as error:
            raise cannot_write(os.path.join(self._tree.name, target), error) from error
        path = os.path.join(self._tree.root, _join(target, name))
        sink = (HashingSink if self._hashed else Sink)(path, os.path.splitext(target)[1], descriptor)
        self._open.append((sink, path, target, descriptor, encoder))
        return sink

    def _make(self, target: str) -> tuple[str, int]:
        """Return the name of a new file in the folder of an output, and the file itself, open."""
        owner = self._owner.id if self._owner else os.urandom(4).hex()
        for _ in range(MAX_NAME_TRIES):
            name = f"{PREFIX}{owner}{next(_serial) & 0xFFFFFFFF:08x}{SUFFIX}"
            self._made.append(_join(target, name))
            try:
                flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
                descriptor = self._tree.open(self._made[-1], flags, create_folder=True)
            except FileExistsError:
                self._made.pop()
                continue
            if self._owner or lock_file(descriptor, shared=False):
                return name, descriptor
            close_quietly(descriptor)
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def finish(self) -> list[list[PreparedFile]]:
        """Flush and hash all files, and return those of each sink: its file, followed by the sidecars.

        From then on the caller owns them.

        Raises
        ------
        ItemError
            If an encoder wrote nothing, or something other than a file.
        OutputError
            If a file cannot be flushed.
        """
        found = []
        for sink, path, target, descriptor, encoder in self._open:
            files = [self._finish(path, target, encoder, (sink, descriptor))]
            for suffix, sidecar in sink.sidecars.items():
                files.append(self._finish(os.fspath(sidecar), os.path.splitext(target)[0] + suffix, encoder))
            found.append(files)
        self._finished = True
        if not HAS_POSIX:  # an open file cannot get another name; so no lock keeps a sweep off it from here on
            self._close()
        return found

    def _finish(self, path: str, target: str, encoder: str, ours: tuple[Sink, int] | None = None) -> PreparedFile:
        """Return a file that an encoder wrote. Except for sidecars, it has written to a sink, and to our open file."""
        name = os.path.basename(path)
        own: os.stat_result | None = None
        try:
            if ours:
                sink, descriptor = ours
                with contextlib.suppress(OSError):  # a plugin may have closed it
                    own = os.fstat(descriptor)
                known = sink.hash(own.st_size) if own and isinstance(sink, HashingSink) else ""
                if known and own and own.st_nlink and own.st_size:
                    # Nobody knows the path but this room.
                    return self._prepared_file(descriptor, name, target, own.st_size, known)
            status = self._tree.status(_join(target, name))
            if status is None:
                raise ItemError(f"{encoder} wrote no {one_line(target)}", code="nothing-written")
            if not stat.S_ISREG(status.st_mode) or not status.st_size:
                what = "an empty" if stat.S_ISREG(status.st_mode) else "no regular"
                raise ItemError(f"{encoder} wrote {what} file for {one_line(target)}", code="nothing-written")
            # An encoder may have replaced our file by another.
            if own and own.st_ino == status.st_ino:
                return self._prepared_file(descriptor, name, target, status.st_size)
            other = self._tree.open(_join(target, name), os.O_RDONLY)
            self._others.append(other)
            if self._owner is None and ours and not lock_file(other, shared=False):
                raise ItemError(f"{encoder} wrote no {one_line(target)}", code="nothing-written")
            return self._prepared_file(other, name, target, status.st_size)
        except OSError as error:
            raise cannot_write(os.path.join(self._tree.name, target), error) from error

    def _prepared_file(self, descriptor: int, name: str, target: str, size: int, known: str = "") -> PreparedFile:
        if self._fsync:
            os.fsync(descriptor)
        found = known or hash_descriptor(descriptor, size) if self._hashed else ""
        return PreparedFile(temporary=name, output=target, size=size, hash=found)


def _identity(descriptor: int) -> tuple[int, int]:
    """Return what distinguishes an open file from others."""
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _join(target: str, name: str) -> str:
    """Return the path of a name in the folder of an output."""
    folder, slash, _ = target.rpartition("/")
    return folder + slash + name


def temporary_path(file: PreparedFile) -> str:
    """Return the path of a file's temporary below the root."""
    return _join(file.output, file.temporary)


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
    if error.code != "plugin-failed" or not isinstance(sink, HashingSink):
        return
    try:
        sink.extend(bytes(1 << 16))
    except OSError as reason:
        raise cannot_write(target, reason) from error
