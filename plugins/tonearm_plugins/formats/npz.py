"""NumPy's ``.npz`` archives, whose directory is checked before any member is opened; nothing is extracted to disk.

Their bounds, and what these still let through:

- 256 members and a directory of 1 MiB. More arrays than that are a data set, and belong in files of their own.
- Members that are stored or deflated, as NumPy writes them. `zipfile` inflates bzip2 and LZMA without a bound.
- 16 GiB for one deflated member, because it has to be held in memory. Stored members have no limit: they are mapped.
- 1100 times its deflated size for any member. Deflate cannot pass 1032, so a larger claim is false.
- 100 times the deflated size, where a member, or all of them together, inflates to more than 1 GiB. An array of nothing
  but zeros shrinks by 1030, and is still read up to 1 GiB: three hours at 24 kHz.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from tonearm.api import (
    MAP_FROM,
    WRITE_AGAIN,
    InflationBound,
    ItemError,
    file_types,
    listed,
    quoted,
    quoted_reason,
)
from tonearm_plugins.formats import npy, npy_header

if TYPE_CHECKING:
    import zipfile

    from tonearm_plugins.dsp.typing import Array

NPZ_BYTES = InflationBound(1 << 30, 100)
"""Bytes of a .npz archive. Float audio shrinks by 1.1 to 3, padded or integer arrays by 20."""

MAX_ARRAYS = 256
"""Number of arrays in one file."""

MAX_DIRECTORY = 1 << 20
"""Size of the directory in bytes."""

MAX_INFLATED = 16 << 30
"""Size of one deflated member in bytes."""

MAX_DEFLATE_RATIO = 1100
"""Inflated bytes for each deflated one, in any member."""

_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x01 | 0x40
_LOCAL_HEADER = 30  # bytes of a member's own header before its name
_CHECKSUM_BYTES = 1 << 20  # whose checksum is computed at a time
_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_SAVEZ = "save the arrays with np.savez, or each alone with np.save"


def array_names(file: BinaryIO, size: int, name: str) -> list[str]:
    """Return the names of the arrays in an archive.

    Parameters
    ----------
    file
        Open regular file, binary.
    size
        Size of the file in bytes.
    name
        Name of the file, for messages.

    Returns
    -------
    list of str
        Names of the ``.npy`` members without their suffix, in the order of the directory; at least one. A name can be
        anything: ask `is_safe_key` before you make a path of it.

    Raises
    ------
    ItemError
        ``not-npz``, ``npz-truncated``, ``npz-broken``, ``npz-too-many``, ``npz-duplicate``, ``npz-overlap``,
        ``npz-encrypted``, ``npz-compression``, ``npz-bomb``, ``npz-too-large`` or ``npz-no-arrays``.
    OSError
        The disk failed.
    """
    with _archive_errors(name):
        return [_array_name(info) for info in _open_archive(file, size, name).infolist() if _is_array(info)]


def load_array(file: BinaryIO, size: int, key: str, name: str, *, map_from: int = MAP_FROM) -> Array:
    """Read one array of an archive.

    Parameters
    ----------
    file
        Open regular file, binary. It may be closed afterwards.
    size
        Size of the file in bytes.
    key
        One of the names that `array_names` returns.
    name
        Name of the file, for messages.
    map_from
        Size in bytes from which on a stored member is returned as a read-only `numpy.memmap` of the file itself, after
        one pass over it for its checksum.

    Returns
    -------
    ndarray
        Array as `npy.load` returns it, or a single number as an array without dimensions.

    Raises
    ------
    ItemError
        As for `array_names` and `npy.load`; ``npz-no-member``; ``npz-broken`` also for a wrong checksum.
    OSError
        The disk failed.
    """
    with _archive_errors(name):
        archive = _open_archive(file, size, name)
        arrays = {_array_name(info): info for info in archive.infolist() if _is_array(info)}
        info = arrays.get(key)
        if info is None:
            raise ItemError(
                f"{quoted(name)} has no array {quoted(key)}", code="npz-no-member", hint=f"it has {listed(arrays)}"
            )
        start = _data_start(file, archive, info, name)
        label = f"{name}:{key}"
        if info.compress_type == _STORED and info.file_size >= map_from:
            _check_crc(file, start, info, name)
            return npy.load(file, info.file_size, name=label, map_from=0, start=start)
        with archive.open(info) as stream:
            return npy.load_stream(cast("BinaryIO", stream), name=label, limit=info.file_size, scalars=True)


def is_safe_key(name: str) -> bool:
    """Return whether an array's name can become part of a path without leaving its folder.

    Parameters
    ----------
    name
        Name as `array_names` returns it.

    Returns
    -------
    bool
        False for an empty or absolute name, for ``.``, ``..`` or nothing between slashes, and for names with
        backslashes, drive letters, or anything that is not printable.
    """
    parts = name.split("/")
    return name.isprintable() and not set(name) & set("\\:") and all(part not in ("", ".", "..") for part in parts)


class _BoundedFile:
    """File for `zipfile` that refuses to read more than ``limit`` bytes at once, as a directory may claim any size."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._file = file
        self.limit: int | None = MAX_DIRECTORY

    def read(self, count: int = -1) -> bytes:
        if self.limit is None:
            return self._file.read(count)
        data = self._file.read(min(count, self.limit + 1) if count >= 0 else self.limit + 1)
        if len(data) > self.limit:
            raise OverflowError
        return data


def _open_archive(file: BinaryIO, size: int, name: str) -> zipfile.ZipFile:
    """Open an archive and check all of its directory."""
    import zipfile

    file.seek(0)
    head = file.read(file_types.HEAD)
    if head[:4] not in _STARTS:
        raise _not_npz(head, size, name)
    bounded = _BoundedFile(file)
    try:
        archive = zipfile.ZipFile(cast("BinaryIO", bounded))
    except OverflowError:
        raise _too_many(name, f"its directory is larger than {MAX_DIRECTORY:,} bytes") from None
    bounded.limit = None
    infos = archive.infolist()
    if len(infos) > MAX_ARRAYS:
        raise _too_many(name, f"it has {len(infos):,} members")
    _check_extents(infos, archive.start_dir, name)
    for info in infos:
        _check_member(info, name)
    _check_inflation(infos, name)
    if not any(map(_is_array, infos)):
        raise _no_arrays(infos, file_types.identify(head), name)
    return archive


def _is_array(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith(".npy")


def _array_name(info: zipfile.ZipInfo) -> str:
    return info.filename.removesuffix(".npy")


def _check_extents(infos: list[zipfile.ZipInfo], end: int, name: str) -> None:
    """Refuse two members of one name, and members that share bytes: both make an archive ambiguous."""
    seen: set[str] = set()
    for info in infos:
        if info.filename in seen:
            what = f"two members called {quoted(info.filename)}"
            raise ItemError(f"{quoted(name)} has {what}", code="npz-duplicate", hint=f"one of them is lost; {_SAVEZ}")
        seen.add(info.filename)
    for info in sorted(infos, key=lambda info: info.header_offset, reverse=True):
        if info.header_offset < 0 or info.header_offset + _LOCAL_HEADER + info.compress_size > end:
            raise _overlap(name, info)
        end = info.header_offset


def _check_member(info: zipfile.ZipInfo, name: str) -> None:
    """Check the directory's entry of one member."""
    what = f"{quoted(name)}: member {quoted(info.filename)}"
    if info.flag_bits & _ENCRYPTED:
        raise ItemError(f"{what} is encrypted", code="npz-encrypted", hint=f"decrypt it first, or {_SAVEZ}")
    if info.compress_type not in (_STORED, _DEFLATED):
        method = f"a compression that NumPy never writes (method {info.compress_type})"
        raise ItemError(f"{what} has {method}", code="npz-compression", hint="save it with np.savez_compressed")
    if info.compress_type == _STORED and info.file_size != info.compress_size:
        sizes = f"two sizes, {info.file_size:,} and {info.compress_size:,} bytes"
        raise ItemError(f"{what} claims {sizes}", code="npz-broken", hint=WRITE_AGAIN)
    if info.compress_type == _DEFLATED and info.file_size > MAX_DEFLATE_RATIO * max(info.compress_size, 1):
        claim = f"claims to inflate from {info.compress_size:,} to {info.file_size:,} bytes, which deflate cannot"
        raise ItemError(f"{what} {claim}", code="npz-bomb", hint=WRITE_AGAIN)
    if info.compress_type == _DEFLATED and info.file_size > MAX_INFLATED:
        raise ItemError(
            f"{what} inflates to {info.file_size:,} bytes; at most {MAX_INFLATED:,} can be read",
            code="npz-too-large",
            hint="save it with np.savez, uncompressed: it is mapped then",
        )


def _check_inflation(infos: list[zipfile.ZipInfo], name: str) -> None:
    """Refuse an archive that inflates to more than data ever does, in one member or in all together."""
    sizes = [(info.file_size, info.compress_size) for info in infos if info.compress_type == _DEFLATED]
    for inflated, deflated in (*sizes, (sum(size[0] for size in sizes), sum(size[1] for size in sizes))):
        if inflated > NPZ_BYTES.limit(deflated):
            what = f"inflates from {deflated:,} to {inflated:,} bytes: a zip bomb, or nothing but zeros"
            raise ItemError(
                f"{quoted(name)} {what}", code="npz-bomb", hint="if this is intended, save it with np.savez"
            )


def _data_start(file: BinaryIO, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> int:
    """Return the position of a member's data, which only its local header gives, and check where they end."""
    file.seek(info.header_offset)
    local = file.read(_LOCAL_HEADER)
    if len(local) < _LOCAL_HEADER or local[:4] != _STARTS[0]:
        what = f"no member where its directory places {quoted(info.filename)}"
        raise ItemError(f"{quoted(name)} has {what}", code="npz-broken", hint=WRITE_AGAIN)
    skip = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    start = info.header_offset + _LOCAL_HEADER + skip
    later = [other.header_offset for other in archive.infolist() if other.header_offset > info.header_offset]
    if start + info.compress_size > min([archive.start_dir, *later]):
        raise _overlap(name, info)
    return start


def _check_crc(file: BinaryIO, start: int, info: zipfile.ZipInfo, name: str) -> None:
    """Check the checksum of a stored member that is about to be mapped."""
    import zlib

    file.seek(start)
    left, crc = info.file_size, 0
    while left and (data := file.read(min(left, _CHECKSUM_BYTES))):
        crc = zlib.crc32(data, crc)
        left -= len(data)
    if left or crc != info.CRC:
        what = f"member {quoted(info.filename)} is damaged: its checksum is wrong"
        raise ItemError(f"{quoted(name)}: {what}", code="npz-broken", hint=WRITE_AGAIN)


def _not_npz(head: bytes, size: int, name: str) -> ItemError:
    """Return the error for a file that does not begin as a zip archive."""
    if not head or (len(head) < 4 and _STARTS[0].startswith(head)):
        return ItemError(f"{quoted(name)} is cut off after {size} bytes", code="npz-truncated", hint=WRITE_AGAIN)
    found = file_types.identify(head)
    what, hint = ("a single array", "name it .npy") if head.startswith(npy_header.MAGIC) else (found.name, found.hint)
    return ItemError(f"{quoted(name)} is not a .npz file; it looks like {what}", code="not-npz", hint=hint)


def _no_arrays(infos: list[zipfile.ZipInfo], found: file_types.FileType, name: str) -> ItemError:
    """Return the error for an archive without arrays."""
    what, hint = "holds no .npy members" if infos else "is empty", _SAVEZ
    if infos and found is file_types.PYTORCH:
        what, hint = f"{what}; it looks like {found.name}", found.hint
    return ItemError(f"{quoted(name)} {what}", code="npz-no-arrays", hint=hint)


def _too_many(name: str, what: str) -> ItemError:
    """Return the error for an archive of too many members."""
    hint = f"at most {MAX_ARRAYS} arrays are read from one file; save each with np.save"
    return ItemError(f"{quoted(name)} holds too much: {what}", code="npz-too-many", hint=hint)


def _overlap(name: str, info: zipfile.ZipInfo) -> ItemError:
    """Return the error for a member that shares bytes with another."""
    what = f"member {quoted(info.filename)} overlaps what follows it"
    return ItemError(f"{quoted(name)}: {what}", code="npz-overlap", hint=WRITE_AGAIN)


@contextmanager
def _archive_errors(name: str) -> Iterator[None]:
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
        what = "is cut off: the directory at its end is missing" if missing else f"is damaged: {quoted_reason(error)}"
        code = "npz-truncated" if missing else "npz-broken"
        raise ItemError(f"{quoted(name)} {what}", code=code, hint=WRITE_AGAIN) from None
    except MemoryError:
        hint = "save it with np.savez, uncompressed: it is mapped then instead of read"
        raise ItemError(f"{quoted(name)} needs more memory than is available", code="npy-memory", hint=hint) from None
    except OSError as error:
        if error.errno != errno.EINVAL:  # EINVAL is a seek beyond any file; the others are the disk's
            raise
        raise ItemError(
            f"{quoted(name)} is damaged: {quoted_reason(error)}", code="npz-broken", hint=WRITE_AGAIN
        ) from None
