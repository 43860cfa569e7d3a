"""Tar archives whose members are listed and checked before any is opened; nothing is extracted to disk."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, cast

from tonearm.errors import ItemError
from tonearm.reading.bounded_file import size_of, wrong_format_error
from tonearm.reading.bounds import ARRAY_BYTES, InflationBound
from tonearm.reading.error_translation import reading_errors
from tonearm.reading.file_windows import FileWindow
from tonearm.reading.inflate import InflatedFile, compression_of
from tonearm.reading.memory import check_memory
from tonearm.reading.messages import quoted
from tonearm.reading.tar_headers import NoTarError, TarMember, read_members

_MEMBERS = InflationBound(50_000, 1)  # members of a compressed archive, by its size in units of 64 bytes
_BUFFER = 1 << 16  # bytes that are inflated at least, as headers are short
_PIECE = 1 << 20  # bytes that are copied at a time
_LZMA_ALONE = b"]\0\0"
_ENTRY_BYTES = 200  # memory of the entry of a member, and of each of its segments


class TarArchive:
    """Tar archive, plain or compressed, whose members have been listed and checked. Use it in a ``with`` block.

    Parameters
    ----------
    file
        Open file, binary and seekable, at any position. It must stay open.
    name
        Name of the file, for messages.
    wants
        Function that returns whether a member counts, by its name. Others are skipped.
    most
        Largest number of members that count.
    inflation
        Bound on the bytes of all members of a compressed archive, by the size of the file.
    compressed_member
        Largest size of one member of a compressed archive in bytes, because it has to be held in memory.

    Attributes
    ----------
    members
        Members that count, by name.

    Raises
    ------
    ItemError
        ``wrong-format``, ``empty``, ``broken-file``, ``too-large`` or ``duplicate``.
    OSError
        If the disk fails.

    Examples
    --------
    >>> import io, tarfile
    >>> file = io.BytesIO()
    >>> with tarfile.open(fileobj=file, mode="w") as written:
    ...     entry = tarfile.TarInfo("a.f32")
    ...     entry.size = 8
    ...     written.addfile(entry, io.BytesIO(bytes(8)))
    >>> with TarArchive(file, "shard.tar", lambda name: name.endswith(".f32")) as archive:
    ...     list(archive.members), archive.open("a.f32").read() == bytes(8), archive.start("a.f32")
    (['a.f32'], True, 512)
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        wants: Callable[[str], bool] = lambda _: True,
        *,
        most: int = 1_000_000,
        inflation: InflationBound = ARRAY_BYTES,
        compressed_member: int = 1 << 30,
    ) -> None:
        self.file, self.name = file, name
        self._wants, self._most, self._largest = wants, most, compressed_member
        self._size = size_of(file)
        head = file.read(6)
        compression = "lzma" if head.startswith(_LZMA_ALONE) else compression_of(head)
        self.is_plain = compression is None or compression == "zstd"
        file.seek(0)
        self._content = file
        if compression is not None and not self.is_plain:
            self._content = io.BufferedReader(InflatedFile(file, compression, name, bound=inflation), _BUFFER)
        with reading_errors(name, "a tar file"):
            try:
                self.members: Mapping[str, TarMember] = dict(self._listed())
            except NoTarError:
                raise wrong_format_error(file, name, "a tar file") from None

    def __enter__(self) -> TarArchive:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: the file is closed by those who opened it."""

    def start(self, member: str) -> int | None:
        """Return the position of a member's bytes in the archive; None if they are compressed or in several pieces.

        Raises
        ------
        KeyError
            If there is no such member.
        """
        found = self.members[member]
        return FileWindow(self.file, found.size, found.segments).start if self.is_plain else None

    def open(self, member: str, *, forwards: bool = False) -> BinaryIO:
        """Return a member as a file: a window on the archive, or in memory if the archive is compressed.

        Parameters
        ----------
        member
            Name of the member.
        forwards
            Whether the member is read from its start to its end only. Then it is a window in any case.

        Raises
        ------
        KeyError
            If there is no such member.
        ItemError
            ``broken-file`` or ``too-large``.
        """
        found = self.members[member]
        window = FileWindow(self._content, found.size, found.segments)
        if not self.is_plain and found.size > self._largest:
            raise self._error(f"has a compressed member of {found.size:,} bytes", "too-large")
        if self.is_plain or forwards:
            return cast("BinaryIO", window)
        check_memory(self.name, member, found.size)
        held = io.BytesIO()
        with reading_errors(self.name, "a tar file"):
            while piece := window.read(_PIECE):
                held.write(piece)
        held.seek(0)
        return held

    def _listed(self) -> Iterator[tuple[str, TarMember]]:
        """Yield the members that count by name."""
        held = count = 0
        seen: set[str] = set()
        most = self._most if self.is_plain else min(self._most, _MEMBERS.limit(self._size // 64))
        for member in read_members(self._content):
            count += 1
            if count > most:
                raise self._error(f"has more than {most:,} members", "too-large")
            if not member.regular or not self._wants(member.name):
                continue
            if member.name in seen:
                raise self._error(f"has two members {quoted(member.name)}", "duplicate")
            seen.add(member.name)
            if self.is_plain and any(start + length > self._size for _, length, start in member.segments):
                raise self._error(f"is cut off within its member {quoted(member.name)}", "broken-file")
            held += _ENTRY_BYTES * (1 + len(member.segments)) + len(member.name)
            check_memory(self.name, "", held)
            yield member.name, member

    def _error(self, what: str, code: str) -> ItemError:
        return ItemError(
            f"{quoted(self.name)} {what}", code=code, hint="write the archive again, uncompressed, or split it"
        )
