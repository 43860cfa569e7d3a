"""The files of a folder that decoders read, for inspection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from tonearm.errors import ItemError, RunCommand, one_line
from tonearm.errors.text import counted
from tonearm.plugins.registry import PluginError, Registry

MAX_FILES = 20
"""Largest number of files of a folder that are inspected."""

MAX_ENTRIES = 100_000
"""Largest number of files of a folder that are counted."""


class FolderFiles(Struct, frozen=True, kw_only=True):
    """The files of a folder.

    Parameters
    ----------
    files
        Names of the first files that decoders read, in order.
    counts
        Number of files that decoders read, by suffix.
    others
        Number of other files.
    unread
        Folders that cannot be read.
    is_complete
        Whether all files were counted.
    """

    files: list[str]
    counts: Counter[str]
    others: int
    unread: list[str]
    is_complete: bool

    def summary(self) -> str:
        """Return the number of files in words."""
        total = sum(self.counts.values())
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in self.counts.most_common())
        others = f"; {counted(self.others, 'file')} that no decoder reads" if self.others else ""
        unread = f"; {counted(len(self.unread), 'folder')} cannot be read" if self.unread else ""
        return f"{'' if self.is_complete else 'more than '}{counted(total, 'file')} ({kinds}){others}{unread}"


def is_folder(path: str, registry: Registry) -> bool:
    """Return whether a path is a folder of files, rather than one that a decoder reads as a whole."""
    return Path(path).is_dir() and not path.rstrip("/").lower().endswith(_suffixes(registry, folders=True))


def start_of(folder: str) -> str:
    """Return what stands before the name of a file in a folder; nothing for the current one."""
    return "" if folder in ("", ".", "./") else f"{folder.rstrip('/')}/"


def folder_files(folder: str, registry: Registry, decoder: str | None = None) -> FolderFiles:
    """Return the files below a folder that decoders read. Hidden ones are left out, and links to folders.

    Parameters
    ----------
    folder
        Path of the folder.
    registry
        Registry of plugins.
    decoder
        Name of the decoder that reads the files; any if None.

    Raises
    ------
    ItemError
        If the folder cannot be read, or has no file that a decoder reads.
    PluginError
        If there is no decoder of this name.
    """
    suffixes = sorted(_suffixes(registry, decoder), key=len, reverse=True)
    stores = _suffixes(registry, folders=True)
    files: list[str] = []
    counts: Counter[str] = Counter()
    others = seen = 0
    unread: list[str] = []
    for path in _walk(folder, stores, unread):
        seen += 1
        if seen > MAX_ENTRIES:
            break
        suffix = next((one for one in suffixes if path.lower().endswith(one)), "")
        if not suffix:
            others += 1
            continue
        counts[suffix] += 1
        if len(files) < MAX_FILES:
            files.append(path)
    if not files:
        raise ItemError(
            f"the folder {one_line(folder)} has no file that a decoder reads",
            code="nothing-to-inspect",
            remedies=(RunCommand(("tonearm", "plugins"), when="to list the decoders with their suffixes"),),
        )
    is_complete = seen <= MAX_ENTRIES
    return FolderFiles(files=files, counts=counts, others=others, unread=unread, is_complete=is_complete)


def _walk(folder: str, stores: tuple[str, ...], unread: list[str]) -> Iterator[str]:
    """Yield the files below a folder in the order of their names; a store, which is a folder, is one of them.

    Folders below it that cannot be read are added to ``unread``.
    """
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            found = sorted((path.name, path.is_dir() and not path.is_symlink()) for path in Path(current).iterdir())
        except OSError as error:
            if current != folder:
                unread.append(current)
                continue
            reason = (error.strerror or str(error)).lower()
            raise ItemError(f"cannot read the folder {one_line(folder)}: {reason}", code="unreadable") from error
        below = []
        for name, is_dir in found:
            if name.startswith("."):
                continue
            path = f"{start_of(current)}{name}"
            if is_dir and not name.lower().endswith(stores):
                below.append(path)
            else:
                yield path
        waiting += reversed(below)


def _suffixes(registry: Registry, name: str | None = None, *, folders: bool = False) -> tuple[str, ...]:
    """Return the suffixes of the files, or of the folders, that decoders read, or the decoder of a name alone."""
    found: set[str] = set()
    for entry in [registry.find("decoder", name)] if name else registry.entries("decoder"):
        try:
            decoder = entry.resolve()
        except PluginError:
            continue
        if not folders or getattr(decoder, "reads_folders", False):
            found.update(getattr(decoder, "suffixes", ()))
    return tuple(found)
