"""NumPy's ``.npz``, judged from its central directory before any member is opened, and never extracted to disk.

The limits, and what they still let through:

- 256 members and 1 MiB of directory. More arrays than that are a data set, and belong into files of their own.
- Stored or deflated members only, which is all that NumPy writes. `zipfile` inflates bzip2 and LZMA without a bound.
- 16 GiB for one deflated member, because it has to be held in memory. Stored members have no limit: they are mapped.
- 1100 times its deflated size, for any member. Deflate cannot pass 1032, so more is a lie.
- 100 times the deflated size where a member, or all of them together, inflates to more than 1 GiB. Float audio shrinks
  by 1.1 to 3, padded or integer arrays by 20; an array of nothing but zeros shrinks by 1030, and is still read up to
  1 GiB: three hours at 24 kHz.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from tonearm.api import ItemError
from tonearm_plugins.formats import npy, npy_header
from tonearm_plugins.formats.file_types import HEAD, looks_like, shown

if TYPE_CHECKING:
    import zipfile

MAX_MEMBERS = 256
MAX_DIRECTORY = 1 << 20  # bytes
MAX_INFLATED = 16 << 30  # bytes of one deflated member
MAX_RATIO = 1100
BOMB_RATIO = 100
BOMB_FROM = 1 << 30  # bytes; BOMB_RATIO counts from here on

_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x01 | 0x40
_LOCAL = 30  # bytes of a local header before the name
_CHUNK = 1 << 20

_AGAIN = "write the file again; if it was copied or downloaded, it did not arrive whole"
_SAVEZ = "save the arrays with np.savez, or each alone with np.save"


def members(file: BinaryIO, size: int, name: str) -> list[str]:
    """List the arrays of an archive.

    Parameters
    ----------
    file
        An open regular file, binary.
    size
        The file's size in bytes, as `os.fstat` tells it.
    name
        What to call it in messages.

    Returns
    -------
    list of str
        The arrays' names without ``.npy``, in the order of the directory, at least one. Members that are not ``.npy``
        are left out. A name can be anything: ask `is_safe_key` before making a path of it.

    Raises
    ------
    ItemError
        ``not-npz``, ``npz-truncated``, ``npz-broken``, ``npz-too-many``, ``npz-duplicate``, ``npz-overlap``,
        ``npz-encrypted``, ``npz-compression``, ``npz-bomb``, ``npz-too-large`` or ``npz-no-arrays``.
    OSError
        The disk failed.
    """
    with _judging(name):
        return [_key(info) for info in _open(file, size, name).infolist() if _is_array(info)]


def load_member(file: BinaryIO, size: int, member: str, name: str, *, map_from: int = npy.MAP_FROM) -> npy.Array:
    """Read one array of an archive.

    Parameters
    ----------
    file
        An open regular file, binary. It may be closed afterwards.
    size
        The file's size in bytes, as `os.fstat` tells it.
    member
        One of the names that `members` gives.
    name
        What to call the file in messages.
    map_from
        Stored members of at least so many bytes come as a read-only `numpy.memmap` of the file itself, after their
        checksum was computed in one pass over it.

    Returns
    -------
    ndarray
        As for `npy.load`; or of no dimension, a single number.

    Raises
    ------
    ItemError
        As for `members` and `npy.load`; ``npz-no-member``; ``npz-broken`` also for a wrong checksum.
    OSError
        The disk failed.
    """
    with _judging(name):
        archive = _open(file, size, name)
        arrays = {_key(info): info for info in archive.infolist() if _is_array(info)}
        info = arrays.get(member)
        if info is None:
            known = ", ".join(shown(key, 40) for key in list(arrays)[:8])
            more = f" and {len(arrays) - 8} more" if len(arrays) > 8 else ""
            raise ItemError(
                f"{shown(name)} has no array {shown(member)}", code="npz-no-member", hint=f"it has {known}{more}"
            )
        start = _data_start(file, archive, info, name)
        label = f"{name}:{member}"
        if info.compress_type == _STORED and info.file_size >= map_from:
            _check_sum(file, start, info, name)
            return npy.load(file, info.file_size, name=label, map_from=0, start=start)
        with archive.open(info) as stream:
            return npy.read_stream(cast("BinaryIO", stream), name=label, limit=info.file_size, scalars=True)


def is_safe_key(name: str) -> bool:
    """Tell whether a member's name can become part of a path without leaving its folder.

    Parameters
    ----------
    name
        As `members` gives it.

    Returns
    -------
    bool
        False for an empty or absolute name, ``.`` or ``..`` or nothing between slashes, backslashes, drive letters, and
        anything that is not printable.
    """
    parts = name.split("/")
    return name.isprintable() and not set(name) & set("\\:") and all(part not in ("", ".", "..") for part in parts)


class _Guard:
    """A file for `zipfile`, which reads as many bytes of directory as an archive claims to have."""

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


def _open(file: BinaryIO, size: int, name: str) -> zipfile.ZipFile:
    """Open an archive and judge all of its directory."""
    import zipfile

    file.seek(0)
    head = file.read(HEAD)
    if head[:4] not in (b"PK\x03\x04", b"PK\x05\x06"):
        if not head or (len(head) < 4 and b"PK\x03\x04".startswith(head)):
            raise ItemError(f"{shown(name)} is cut off after {size} bytes", code="npz-truncated", hint=_AGAIN)
        what, hint = ("a single array", "name it .npy") if head.startswith(npy_header.MAGIC) else looks_like(head)
        raise ItemError(f"{shown(name)} is not a .npz file; it looks like {what}", code="not-npz", hint=hint)
    guard = _Guard(file)
    try:
        archive = zipfile.ZipFile(cast("BinaryIO", guard))
    except OverflowError:
        raise _too_many(name, f"its directory is larger than {MAX_DIRECTORY:,} bytes") from None
    guard.limit = None
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise _too_many(name, f"it has {len(infos):,} members")
    _check_extents(infos, archive.start_dir, name)
    for info in infos:
        _check_member(info, name)
    _check_bomb(infos, name)
    if not any(map(_is_array, infos)):
        what, hint = looks_like(head)
        held = "is empty" if not infos else f"holds no .npy members; it looks like {what}"
        if "PyTorch" not in what:
            held, hint = "is empty" if not infos else "holds no .npy members", _SAVEZ
        raise ItemError(f"{shown(name)} {held}", code="npz-no-arrays", hint=hint)
    return archive


def _is_array(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith(".npy")


def _key(info: zipfile.ZipInfo) -> str:
    return info.filename.removesuffix(".npy")


def _check_extents(infos: list[zipfile.ZipInfo], end: int, name: str) -> None:
    """Refuse two members of one name, and members that share bytes: both are how archives lie."""
    seen: set[str] = set()
    for info in infos:
        if info.filename in seen:
            what = f"two members called {shown(info.filename)}"
            raise ItemError(f"{shown(name)} has {what}", code="npz-duplicate", hint=f"one of them is lost; {_SAVEZ}")
        seen.add(info.filename)
    for info in sorted(infos, key=lambda info: info.header_offset, reverse=True):
        if info.header_offset < 0 or info.header_offset + _LOCAL + info.compress_size > end:
            raise _overlap(name, info)
        end = info.header_offset


def _check_member(info: zipfile.ZipInfo, name: str) -> None:
    """Judge what the directory says of one member."""
    what = f"{shown(name)}: member {shown(info.filename)}"
    if info.flag_bits & _ENCRYPTED:
        raise ItemError(f"{what} is encrypted", code="npz-encrypted", hint=f"decrypt it first, or {_SAVEZ}")
    if info.compress_type not in (_STORED, _DEFLATED):
        method = f"a compression that NumPy never writes (method {info.compress_type})"
        raise ItemError(f"{what} has {method}", code="npz-compression", hint="save it with np.savez_compressed")
    if info.compress_type == _STORED and info.file_size != info.compress_size:
        sizes = f"says two sizes, {info.file_size:,} and {info.compress_size:,} bytes"
        raise ItemError(f"{what} {sizes}", code="npz-broken", hint=_AGAIN)
    if info.compress_type == _DEFLATED and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        claim = f"claims to inflate from {info.compress_size:,} to {info.file_size:,} bytes, which deflate cannot"
        raise ItemError(f"{what} {claim}", code="npz-bomb", hint=_AGAIN)
    if info.compress_type == _DEFLATED and info.file_size > MAX_INFLATED:
        claim = f"inflates to {info.file_size:,} bytes; at most {MAX_INFLATED:,} are"
        raise ItemError(
            f"{what} {claim}", code="npz-too-large", hint="save it with np.savez, uncompressed: that is mapped"
        )


def _check_bomb(infos: list[zipfile.ZipInfo], name: str) -> None:
    """Refuse what inflates to more than data ever does, in one member or in all together."""
    sizes = [(info.file_size, info.compress_size) for info in infos if info.compress_type == _DEFLATED]
    for inflated, deflated in (*sizes, (sum(size[0] for size in sizes), sum(size[1] for size in sizes))):
        if inflated > BOMB_FROM and inflated > BOMB_RATIO * deflated:
            what = f"inflates from {deflated:,} to {inflated:,} bytes: a zip bomb, or nothing but zeros"
            raise ItemError(f"{shown(name)} {what}", code="npz-bomb", hint="if it is meant, save it with np.savez")


def _data_start(file: BinaryIO, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> int:
    """Return where a member's bytes start, which only its local header tells, and check where they end."""
    file.seek(info.header_offset)
    local = file.read(_LOCAL)
    if len(local) < _LOCAL or local[:4] != b"PK\x03\x04":
        what = f"no member where its directory says {shown(info.filename)} is"
        raise ItemError(f"{shown(name)} has {what}", code="npz-broken", hint=_AGAIN)
    skip = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    start = info.header_offset + _LOCAL + skip
    later = [other.header_offset for other in archive.infolist() if other.header_offset > info.header_offset]
    if start + info.compress_size > min([archive.start_dir, *later]):
        raise _overlap(name, info)
    return start


def _check_sum(file: BinaryIO, start: int, info: zipfile.ZipInfo, name: str) -> None:
    """Compute the checksum of a stored member that is about to be mapped."""
    import zlib

    file.seek(start)
    left, crc = info.file_size, 0
    while left and (data := file.read(min(left, _CHUNK))):
        crc = zlib.crc32(data, crc)
        left -= len(data)
    if left or crc != info.CRC:
        what = f"member {shown(info.filename)} is damaged: its checksum is wrong"
        raise ItemError(f"{shown(name)}: {what}", code="npz-broken", hint=_AGAIN)


def _too_many(name: str, what: str) -> ItemError:
    hint = f"at most {MAX_MEMBERS} arrays are read from one file; save each with np.save"
    return ItemError(f"{shown(name)} has too much in it: {what}", code="npz-too-many", hint=hint)


def _overlap(name: str, info: zipfile.ZipInfo) -> ItemError:
    what = f"member {shown(info.filename)} reaches into what follows it"
    return ItemError(f"{shown(name)}: {what}", code="npz-overlap", hint=_AGAIN)


@contextmanager
def _judging(name: str) -> Iterator[None]:
    """Turn everything that `zipfile` lets out on a broken archive into an `ItemError`."""
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
        what = "is cut off: the directory at its end is not there" if missing else f"is damaged: {_reason(error)}"
        code = "npz-truncated" if missing else "npz-broken"
        raise ItemError(f"{shown(name)} {what}", code=code, hint=_AGAIN) from None
    except MemoryError:
        hint = "save it with np.savez, uncompressed: that is mapped instead of read"
        raise ItemError(f"{shown(name)} needs more memory than is there", code="npy-memory", hint=hint) from None
    except OSError as error:
        if error.errno != errno.EINVAL:  # EINVAL is a seek to where no file goes; the rest is the disk
            raise
        raise ItemError(f"{shown(name)} is damaged: {_reason(error)}", code="npz-broken", hint=_AGAIN) from None


def _reason(error: Any) -> str:
    return shown(str(error) or type(error).__name__)
