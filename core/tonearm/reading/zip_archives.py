"""Zip archives whose directories are checked before any member is opened; nothing is extracted to disk."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, TypeAlias, cast

from tonearm.errors import ItemError
from tonearm.reading.bounded_file import wrong_format_error
from tonearm.reading.bounds import ARRAY_BYTES, InflationBound
from tonearm.reading.error_translation import quoted_reason
from tonearm.reading.memory import check_memory
from tonearm.reading.messages import SAVE_UNCOMPRESSED, WRITE_AGAIN, quoted

if TYPE_CHECKING:
    import zipfile

ZipFault: TypeAlias = Literal[
    "truncated", "broken", "overlap", "encrypted", "compression", "duplicate", "bomb", "too-large", "too-many", "memory"
]
"""Fault of a zip archive: ``overlap`` if members share bytes, ``bomb`` if one claims more than its bytes can hold."""

MAX_DEFLATE_RATIO = 1100
"""Inflated bytes for each deflated one, in any member. Deflate cannot pass 1032, so a larger claim is false."""

_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x01 | 0x40
_LOCAL_HEADER = 30  # bytes of a member's own header before its name
_MEMBER_START = b"PK\x03\x04"
_STARTS = (_MEMBER_START, b"PK\x05\x06")
_ENTRY_RATIO = 7  # half of the memory that each byte of the directory takes as entries
_CHECKSUM_BYTES = 1 << 20  # whose checksum is computed at a time


class ZipBounds(NamedTuple):
    """Bounds of a zip archive.

    Parameters
    ----------
    members
        Largest number of members.
    directory
        Largest size of the directory in bytes.
    inflated
        Largest size of one deflated member in bytes, because it has to be held in memory. Stored members have no
        limit: they can be mapped.
    inflation
        Bound on the inflated bytes of each member, and of all members together, by their deflated bytes.

    Examples
    --------
    >>> ZipBounds(members=256).members
    256
    """

    members: int = 1_000_000
    directory: int = 256 << 20
    inflated: int = 16 << 30
    inflation: InflationBound = ARRAY_BYTES


def zip_error(fault: ZipFault, message: str) -> ItemError:
    """Return the error for a faulty zip archive: ``too-large``, ``no-memory`` or ``broken-file``.

    Parameters
    ----------
    fault
        Fault of the archive.
    message
        Text that names the archive and describes the fault.

    Returns
    -------
    ItemError
        Error with a hint.

    Examples
    --------
    >>> zip_error("bomb", "'a.zip' inflates to 1,000,000,000 bytes").code
    'too-large'
    """
    if fault in ("bomb", "too-large", "too-many"):
        return ItemError(message, code="too-large", hint=SAVE_UNCOMPRESSED)
    if fault == "memory":
        return ItemError(message, code="no-memory", hint="split it into smaller files")
    return ItemError(message, code="broken-file", hint=WRITE_AGAIN)


class ZipArchive:
    """Zip archive whose directory has been checked.

    It has no member twice, none that is encrypted, none that overlaps another, and none that claims to inflate to more
    than its bytes can hold. Members are stored or deflated: `zipfile` inflates bzip2 and LZMA without a bound.

    Parameters
    ----------
    file
        Open file, binary and seekable, at any position. It must stay open.
    name
        Name of the file, for messages.
    bounds
        Bounds of the archive.
    error
        Function that returns the error for a fault and its message.

    Attributes
    ----------
    members
        Entries of the directory by name, in its order, without folders.

    Raises
    ------
    ItemError
        ``wrong-format``, ``empty``, ``broken-file`` or ``too-large``.
    OSError
        If the disk fails.

    Examples
    --------
    >>> import io, zipfile
    >>> file = io.BytesIO()
    >>> with zipfile.ZipFile(file, "w") as written:
    ...     written.writestr("a.f32", bytes(8))
    >>> archive = ZipArchive(file, "song.zip")
    >>> list(archive.members), archive.read("a.f32") == bytes(8)
    (['a.f32'], True)
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        *,
        bounds: ZipBounds = ZipBounds(),  # noqa: B008 - immutable
        error: Callable[[ZipFault, str], ItemError] = zip_error,
    ) -> None:
        self.file, self.name, self.bounds, self._error = file, name, bounds, error
        file.seek(0)
        if file.read(4) not in _STARTS:
            raise wrong_format_error(file, name, "a zip archive")
        with self._errors():
            self._zip = self._opened()
            infos = self._zip.infolist()
            if len(infos) > bounds.members:
                raise self._too_many(f"it has {len(infos):,} members")
            self._check_extents(infos)
            for info in infos:
                self._check_member(info)
            self._check_inflation(infos)
        # ZipInfo.is_dir fails on an empty name.
        self.members: Mapping[str, zipfile.ZipInfo] = {
            info.filename: info for info in infos if not info.filename.endswith("/")
        }

    def start(self, member: str) -> int | None:
        """Return the position of a member's bytes in the archive, for `map_array`; None if the member is deflated.

        The checksum of the bytes is checked, in one pass over them.

        Raises
        ------
        KeyError
            If there is no such member.
        ItemError
            ``broken-file`` if the member is damaged.
        """
        info = self.members[member]
        if info.compress_type != _STORED:
            return None
        with self._errors():
            start = self._data_start(info)
            self._check_crc(start, info)
            return start

    @contextmanager
    def open(self, member: str) -> Iterator[BinaryIO]:
        """Open a member as a file of at most the size that the directory gives, whose checksum is checked at its end.

        Errors of `zipfile` within the block become `ItemError`.

        Raises
        ------
        KeyError
            If there is no such member.
        ItemError
            ``broken-file`` or ``no-memory``.
        """
        info = self.members[member]
        with self._errors():
            self._data_start(info)
            with self._zip.open(info) as stream:
                yield cast("BinaryIO", stream)

    def read(self, member: str) -> bytes:
        """Return all bytes of a member; errors are those of `open` and `check_memory`."""
        check_memory(self.name, member, self.members[member].file_size)
        with self.open(member) as stream:
            return stream.read()

    def _opened(self) -> zipfile.ZipFile:
        """Open the archive, without reading more of its directory than the bounds allow."""
        import zipfile

        bounded = _BoundedDirectory(self.file, self.name, self.bounds.directory)
        try:
            opened = zipfile.ZipFile(cast("BinaryIO", bounded))
        except OverflowError:
            raise self._too_many(f"its directory is larger than {self.bounds.directory:,} bytes") from None
        bounded.limit = None
        return opened

    def _check_extents(self, infos: list[zipfile.ZipInfo]) -> None:
        """Refuse two members of one name, and members that share bytes: both make an archive ambiguous."""
        seen: set[str] = set()
        for info in infos:
            if info.filename in seen:
                raise self._error("duplicate", f"{quoted(self.name)} has two members called {quoted(info.filename)}")
            seen.add(info.filename)
        self._ends: dict[int, int] = {}  # where each member must have ended, by the position of its header
        end = self._zip.start_dir
        for info in sorted(infos, key=lambda info: info.header_offset, reverse=True):
            if info.header_offset < 0 or info.header_offset + _LOCAL_HEADER + info.compress_size > end:
                raise self._overlap(info)
            self._ends[info.header_offset] = end
            end = info.header_offset

    def _check_member(self, info: zipfile.ZipInfo) -> None:
        """Check the directory's entry of one member."""
        what = f"{quoted(self.name)}: member {quoted(info.filename)}"
        stored, inflated = info.compress_size, info.file_size
        if info.flag_bits & _ENCRYPTED:
            raise self._error("encrypted", f"{what} is encrypted")
        if info.compress_type not in (_STORED, _DEFLATED):
            raise self._error("compression", f"{what} is neither stored nor deflated (method {info.compress_type})")
        if info.compress_type == _STORED and inflated != stored:
            raise self._error("broken", f"{what} claims two sizes, {inflated:,} and {stored:,} bytes")
        if info.compress_type == _DEFLATED and inflated > MAX_DEFLATE_RATIO * max(stored, 1):
            claim = f"claims to inflate from {stored:,} to {inflated:,} bytes, which deflate cannot"
            raise self._error("bomb", f"{what} {claim}")
        if info.compress_type == _DEFLATED and inflated > self.bounds.inflated:
            claim = f"inflates to {inflated:,} bytes; at most {self.bounds.inflated:,} can be read"
            raise self._error("too-large", f"{what} {claim}")

    def _check_inflation(self, infos: list[zipfile.ZipInfo]) -> None:
        """Refuse an archive that inflates to more than data ever does, in one member or in all together."""
        sizes = [(info.file_size, info.compress_size) for info in infos if info.compress_type == _DEFLATED]
        for inflated, deflated in (*sizes, (sum(size[0] for size in sizes), sum(size[1] for size in sizes))):
            if inflated > self.bounds.inflation.limit(deflated):
                what = f"inflates from {deflated:,} to {inflated:,} bytes: a zip bomb, or nothing but zeros"
                raise self._error("bomb", f"{quoted(self.name)} {what}")

    def _data_start(self, info: zipfile.ZipInfo) -> int:
        """Return the position of a member's data, which only its local header gives, and check where they end."""
        self.file.seek(info.header_offset)
        local = self.file.read(_LOCAL_HEADER)
        if len(local) < _LOCAL_HEADER or local[:4] != _MEMBER_START:
            what = f"has no member where its directory places {quoted(info.filename)}"
            raise self._error("broken", f"{quoted(self.name)} {what}")
        skip = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
        start = info.header_offset + _LOCAL_HEADER + skip
        if start + info.compress_size > self._ends[info.header_offset]:
            raise self._overlap(info)
        return start

    def _check_crc(self, start: int, info: zipfile.ZipInfo) -> None:
        """Check the checksum of a stored member."""
        import zlib

        self.file.seek(start)
        left, crc = info.file_size, 0
        while left and (data := self.file.read(min(left, _CHECKSUM_BYTES))):
            crc = zlib.crc32(data, crc)
            left -= len(data)
        if left or crc != info.CRC:
            what = f"member {quoted(info.filename)} is damaged: its checksum is wrong"
            raise self._error("broken", f"{quoted(self.name)}: {what}")

    def _too_many(self, what: str) -> ItemError:
        return self._error("too-many", f"{quoted(self.name)} holds too much: {what}")

    def _overlap(self, info: zipfile.ZipInfo) -> ItemError:
        what = f"member {quoted(info.filename)} overlaps what follows it"
        return self._error("overlap", f"{quoted(self.name)}: {what}")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn every error that `zipfile` raises on a broken archive into an `ItemError`."""
        import struct
        import zipfile
        import zlib

        broken: tuple[type[Exception], ...] = (
            *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError),
            *(ValueError, OverflowError, LookupError),
        )
        try:
            yield
        except broken as error:
            missing = "not a zip file" in str(error)
            what = (
                "is cut off: the directory at its end is missing" if missing else f"is damaged: {quoted_reason(error)}"
            )
            raise self._error("truncated" if missing else "broken", f"{quoted(self.name)} {what}") from None
        except MemoryError:
            message = f"{quoted(self.name)} needs more memory than is available"
            raise self._error("memory", message) from None
        except OSError as error:
            if error.errno != errno.EINVAL:  # a false position, not the disk
                raise
            what = f"is damaged: {quoted_reason(error)}"
            raise self._error("broken", f"{quoted(self.name)} {what}") from None


class _BoundedDirectory:
    """File for `zipfile` that refuses to read more than ``limit`` bytes at once, as a directory may claim any size."""

    def __init__(self, file: BinaryIO, name: str, limit: int | None) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._file, self._name, self.limit = file, name, limit

    def read(self, count: int = -1) -> bytes:
        if self.limit is None:
            return self._file.read(count)
        data = self._file.read(min(count, self.limit + 1) if count >= 0 else self.limit + 1)
        if len(data) > self.limit:
            raise OverflowError
        check_memory(self._name, "", _ENTRY_RATIO * len(data))
        return data
