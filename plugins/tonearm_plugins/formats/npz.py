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

from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO

from tonearm.api import (
    MAP_FROM,
    WRITE_AGAIN,
    InflationBound,
    ItemError,
    ZipArchive,
    ZipBounds,
    ZipFault,
    file_types,
    listed,
    quoted,
)
from tonearm_plugins.formats import npy, npy_header

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

MAX_ARRAYS = 256
"""Number of arrays in one file."""

BOUNDS = ZipBounds(members=MAX_ARRAYS, directory=1 << 20, inflated=16 << 30, inflation=InflationBound(1 << 30, 100))
"""Bounds of an archive. Float audio shrinks by 1.1 to 3, padded or integer arrays by 20."""

_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_SAVEZ = "save the arrays with np.savez, or each alone with np.save"
_HINTS: Mapping[ZipFault, str] = {
    "duplicate": f"one of them is lost; {_SAVEZ}",
    "encrypted": f"decrypt it first, or {_SAVEZ}",
    "compression": "save it with np.savez_compressed",
    "bomb": "if this is intended, save it with np.savez",
    "too-large": "save it with np.savez, uncompressed: it is mapped then",
    "too-many": f"at most {MAX_ARRAYS} arrays are read from one file; save each with np.save",
    "memory": "save it with np.savez, uncompressed: it is mapped then instead of read",
}


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
    return list(_open_archive(file, size, name)[1])


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
    archive, arrays = _open_archive(file, size, name)
    member = arrays.get(key)
    if member is None:
        raise ItemError(
            f"{quoted(name)} has no array {quoted(key)}", code="npz-no-member", hint=f"it has {listed(arrays)}"
        )
    label, length = f"{name}:{key}", archive.members[member].file_size
    start = archive.start(member) if length >= map_from else None
    if start is not None:
        return npy.load(file, length, name=label, map_from=0, start=start)
    with archive.open(member) as stream:
        return npy.load_stream(stream, name=label, limit=length, scalars=True)


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


def _open_archive(file: BinaryIO, size: int, name: str) -> tuple[ZipArchive, dict[str, str]]:
    """Open an archive, and return it with the members that hold arrays by the names of these."""
    file.seek(0)
    head = file.read(file_types.HEAD)
    if head[:4] not in _STARTS:
        raise _not_npz(head, size, name)
    archive = ZipArchive(file, name, bounds=BOUNDS, error=_npz_error)
    arrays = {key.removesuffix(".npy"): key for key in archive.members if key.endswith(".npy")}
    if not arrays:
        raise _no_arrays(archive, file_types.identify(head), name)
    return archive, arrays


def _npz_error(fault: ZipFault, message: str) -> ItemError:
    """Return the error for a fault of the archive."""
    code = "npy-memory" if fault == "memory" else f"npz-{fault}"
    return ItemError(message, code=code, hint=_HINTS.get(fault, WRITE_AGAIN))


def _not_npz(head: bytes, size: int, name: str) -> ItemError:
    """Return the error for a file that does not begin as a zip archive."""
    if _STARTS[0].startswith(head):
        return ItemError(f"{quoted(name)} is cut off after {size} bytes", code="npz-truncated", hint=WRITE_AGAIN)
    found = file_types.identify(head)
    what, hint = ("a single array", "name it .npy") if head.startswith(npy_header.MAGIC) else (found.name, found.hint)
    return ItemError(f"{quoted(name)} is not a .npz file; it looks like {what}", code="not-npz", hint=hint)


def _no_arrays(archive: ZipArchive, found: file_types.FileType, name: str) -> ItemError:
    """Return the error for an archive without arrays."""
    what, hint = "holds no .npy members" if archive.members else "is empty", _SAVEZ
    if archive.members and found is file_types.PYTORCH:
        what, hint = f"{what}; it looks like {found.name}", found.hint
    elif archive.members:
        what = f"{what}; it holds {listed(archive.members, 3)}"
        hint = file_types.ZIP_OF_FILES.hint if found is file_types.ZIP_OF_FILES else hint
    return ItemError(f"{quoted(name)} {what}", code="npz-no-arrays", hint=hint)
