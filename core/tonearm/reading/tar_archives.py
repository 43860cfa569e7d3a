"""Tar archives whose members are listed and checked before any is opened; nothing is extracted to disk."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO, cast

from tonearm.errors import ItemError
from tonearm.reading.bounded_file import size_of, wrong_format_error
from tonearm.reading.bounds import ARRAY_BYTES, InflationBound
from tonearm.reading.error_translation import reading_errors
from tonearm.reading.messages import quoted

if TYPE_CHECKING:
    import tarfile


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
        import tarfile

        self.file, self.name = file, name
        self._wants, self._most, self._inflation, self._largest = wants, most, inflation, compressed_member
        self._size = size_of(file)
        try:
            with reading_errors(name, "a tar file"):
                self._tar = tarfile.open(fileobj=file, mode="r:*")  # noqa: SIM115
        except ItemError as error:
            if isinstance(error.__cause__, tarfile.ReadError):
                raise wrong_format_error(file, name, "a tar file") from error
            raise
        self.is_plain = self._tar.fileobj is file
        self.members: Mapping[str, tarfile.TarInfo] = {}
        try:
            with reading_errors(name, "a tar file"):
                self.members = dict(self._listed())
        except BaseException:
            self._tar.close()
            raise

    def __enter__(self) -> TarArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def start(self, member: str) -> int | None:
        """Return the position of a member's bytes in the archive, for `map_array`; None if they cannot be mapped.

        Raises
        ------
        KeyError
            If there is no such member.
        """
        found = self.members[member]
        return found.offset_data if self.is_plain and not found.issparse() else None

    def open(self, member: str) -> BinaryIO:
        """Return a member as a file: a window on the archive, or in memory if the archive is compressed.

        Raises
        ------
        KeyError
            If there is no such member.
        ItemError
            ``broken-file`` or ``too-large``.
        """
        found = self.members[member]
        with reading_errors(self.name, "a tar file"):
            stream = self._tar.extractfile(found)
            if stream is None:
                raise self._error(f"has no file {quoted(member)}", "broken-file")
            if self.is_plain:
                return cast("BinaryIO", stream)
            if found.size > self._largest:
                raise self._error(f"has a compressed member of {found.size:,} bytes", "too-large")
            return io.BytesIO(stream.read())

    def _listed(self) -> Iterator[tuple[str, tarfile.TarInfo]]:
        """Yield the members that count by name."""
        total = 0
        seen: set[str] = set()
        for member in self._tar:
            total += member.size
            if not self.is_plain and total > self._inflation.limit(self._size):
                raise self._error(f"inflates from {self._size:,} to {total:,} bytes and more", "too-large")
            if not member.isreg() or not self._wants(member.name):
                continue
            if member.name in seen:
                raise self._error(f"has two members {quoted(member.name)}", "duplicate")
            seen.add(member.name)
            if len(seen) > self._most:
                raise self._error(f"has more than {self._most:,} members", "too-large")
            yield member.name, member

    def _error(self, what: str, code: str) -> ItemError:
        return ItemError(
            f"{quoted(self.name)} {what}", code=code, hint="write the archive again, uncompressed, or split it"
        )
