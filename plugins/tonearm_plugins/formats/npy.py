"""NumPy's ``.npy``, judged from its header before anything is allocated, and never unpickled.

`numpy.load` trusts the header: it allocates what the header claims, unpickles what it is allowed to, and lets
IndexError, OverflowError, TypeError, TokenError, EOFError, SyntaxError and MemoryError out on files that are merely
broken. Here a small grammar of our own reads at most 64 KiB of header, all sizes are Python integers, the claim has to
be exactly the bytes that are there, and whatever is wrong is an `ItemError`. Only an `OSError` of the disk passes.
"""

from __future__ import annotations

import errno
import io
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import ItemError
from tonearm_plugins.formats.sniff import HEAD, looks_like, shown

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

MAGIC = b"\x93NUMPY"
MAX_HEADER = 64 << 10  # bytes; NumPy's own are about 118, and it refuses beyond 10,000
MAX_DIMENSIONS = 32
MAX_BYTES = (1 << 63) - 1
MAP_FROM = 16 << 20  # bytes
_CHUNK = 8 << 20

_BLANK = " \t\r\n"
_KEY = re.compile(rf"""[{_BLANK}]*(['"])(descr|fortran_order|shape)\1[{_BLANK}]*:[{_BLANK}]*""")
_VALUES = {
    "descr": re.compile(rf"""(['"])([^'"\\\n]{{0,64}})\1[{_BLANK}]*"""),
    "fortran_order": re.compile(rf"()(True|False)[{_BLANK}]*"),
    "shape": re.compile(rf"()\(([^()]*)\)[{_BLANK}]*"),
}
_WHOLE = re.compile(rf"[{_BLANK}]*([+-]?)(0+|[1-9][0-9]*)L?[{_BLANK}]*")  # Python 2 wrote (3L,)
_NUMBER = re.compile(r"([<>|=]?)([fciu])([0-9]{1,2})")
_SIZES = {"f": (2, 4, 8), "c": (8, 16), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8)}

_SAVE_AS = "save it as numbers: np.save(path, array.astype('float32'))"
_AGAIN = "write the file again; if it was copied or downloaded, it did not arrive whole"


@dataclass(frozen=True)
class NpyHeader:
    """What the header of one array says; checked, so that every field can be relied on.

    Parameters
    ----------
    dtype_descr
        NumPy's own code, with byte order: ``<f4``. Always a plain number type of 1 to 16 bytes.
    shape
        Dimensions, none of them 0; at least one, except where single numbers are asked for.
    fortran_order
        Whether the first dimension runs fastest.
    offset
        Where the values start, in bytes from the start of the array's file or member.
    itemsize
        Bytes of one value.
    version
        The format's, (1, 0) to (3, 0).
    """

    dtype_descr: str
    shape: tuple[int, ...]
    fortran_order: bool
    offset: int
    itemsize: int
    version: tuple[int, int]

    @property
    def nbytes(self) -> int:
        """The size of the values in bytes, without the header."""
        return math.prod(self.shape) * self.itemsize


def read_header(file: BinaryIO, size: int, *, name: str = "the file") -> NpyHeader:
    """Read and judge the header of an array whose extent is known.

    Parameters
    ----------
    file
        A binary file at the start of the array. Not more than 64 KiB are read; it is left where the values start.
    size
        Bytes from here to the end of the array's file or member.
    name
        What to call it in messages.

    Returns
    -------
    NpyHeader
        Its ``offset + nbytes`` is exactly ``size``.

    Raises
    ------
    ItemError
        ``not-npy``, ``npy-version``, ``npy-header``, ``npy-pickle``, ``npy-dtype``, ``npy-shape``, ``npy-scalar``,
        ``npy-empty``, ``npy-truncated`` or ``npy-trailing``.
    """
    header = _header(file, name)
    present = size - header.offset
    if header.nbytes > present:
        raise _cut(name, header, max(present, 0))
    if header.nbytes < present:
        raise _trailing(name, header, f"{present - header.nbytes:,} bytes")
    return header


def load(file: BinaryIO, size: int, *, name: str, map_from: int = MAP_FROM, start: int = 0) -> Array:
    """Read one array from a regular file, or map it if it is large.

    Parameters
    ----------
    file
        An open regular file, binary. It may be closed afterwards, also under a mapped array.
    size
        Bytes of the array with its header: the file's size, as `os.fstat` tells it.
    name
        What to call it in messages.
    map_from
        Arrays of at least so many bytes come as a read-only `numpy.memmap`, made through this same open file, so that a
        file put under the same name meanwhile does not matter. Where the file cannot be mapped they are read.
    start
        Where the array starts in the file, in bytes.

    Returns
    -------
    ndarray
        As it was saved: its shape, its dtype (float16/32/64, complex64/128, or any integer of 8 to 64 bits; also
        big-endian) and its order (C or Fortran) are kept.

    Raises
    ------
    ItemError
        As for `read_header`, and ``npy-memory``.
    OSError
        The disk failed.
    """
    file.seek(start)
    header = read_header(file, size, name=name)
    if header.nbytes >= map_from:
        mapped = _mapped(file, header, name, start)
        if mapped is not None:
            return mapped
        file.seek(start + header.offset)
    return _values(file, header, name)


def from_memory(content: bytes, *, name: str) -> Array:
    """Return the array of a file that is in memory as a whole: a view of that, unless its values are not aligned.

    Parameters
    ----------
    content
        The file.
    name
        What to call it in messages.

    Raises
    ------
    ItemError
        As for `read_header`.
    """
    import numpy as np

    size = len(content)
    header = _known(content[:_USUAL], size)
    if header is None:
        header = read_header(io.BytesIO(content), size, name=name)
        _remember(content[:_USUAL], header)
    count = header.nbytes // header.itemsize
    flat = np.frombuffer(content, header.dtype_descr, count, header.offset)
    array = flat.reshape(header.shape, order="F" if header.fortran_order else "C")
    return array if array.flags.aligned else array.copy()


_USUAL = 128  # bytes of NumPy's own headers, for arrays of few dimensions
_headers: dict[bytes, NpyHeader] = {}
"""Headers of that length that were found good: arrays of one shape have the same."""


def _known(start: bytes, size: int) -> NpyHeader | None:
    """Return what is known of a header, if the file is as long as it says."""
    header = _headers.get(start)
    return header if header is not None and header.offset + header.nbytes == size else None


def _remember(start: bytes, header: NpyHeader) -> None:
    if header.offset == _USUAL:
        if len(_headers) >= 64:
            _headers.clear()
        _headers[start] = header


def read_stream(stream: BinaryIO, *, name: str, limit: int, scalars: bool = False) -> Array:
    """Read one array from a stream that cannot seek or whose extent is not known, such as a compressed member.

    Parameters
    ----------
    stream
        A binary stream at the start of the array; it has to end where the array does.
    name
        What to call it in messages.
    limit
        The most bytes, header and values together, that may be read; a header that claims more is refused.
    scalars
        Whether it may be a single number, as archives keep beside their arrays.

    Returns
    -------
    ndarray
        As for `load`, in memory.

    Raises
    ------
    ItemError
        As for `load`, and ``npy-too-large``. Whatever the stream itself raises passes.
    """
    header = _header(stream, name, scalars=scalars)
    if header.offset + header.nbytes > limit:
        raise ItemError(
            f"{shown(name)} claims {header.nbytes:,} bytes of values (shape {header.shape}, {header.dtype_descr}), "
            f"more than the {max(limit - header.offset, 0):,} that can be there",
            code="npy-too-large",
            hint=_AGAIN,
        )
    array = _values(stream, header, name)
    if stream.read(1):
        raise _trailing(name, header, "more bytes")
    return array


def _values(stream: BinaryIO, header: NpyHeader, name: str) -> Array:
    """Read exactly the values of a checked header."""
    import numpy as np

    try:
        raw = np.empty(header.nbytes, np.uint8)
    except MemoryError:
        raise ItemError(
            f"{shown(name)} needs {header.nbytes:,} bytes of memory, which are not there",
            code="npy-memory",
            hint="save it uncompressed as .npy, which is mapped instead of read, or split it",
        ) from None
    got = _fill(stream, raw.data)
    if got < header.nbytes:
        raise _cut(name, header, got)
    return raw.view(header.dtype_descr).reshape(header.shape, order="F" if header.fortran_order else "C")


def _mapped(file: BinaryIO, header: NpyHeader, name: str, start: int) -> Array | None:
    """Map the values of a checked header; None if this file cannot be mapped."""
    import numpy as np

    order = "F" if header.fortran_order else "C"
    try:
        return np.memmap(file, header.dtype_descr, "r", start + header.offset, header.shape, order)  # type: ignore[call-overload,no-any-return]
    except io.UnsupportedOperation:  # no file descriptor: it is in memory
        return None
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        return None  # a file system without mmap
    except ValueError:
        raise ItemError(
            f"{shown(name)} became shorter while it was read",
            code="npy-truncated",
            hint="wait until whatever writes it has finished",
        ) from None


def _fill(stream: BinaryIO, view: memoryview) -> int:
    """Fill a buffer from a stream; return how many bytes came before its end."""
    readinto = getattr(stream, "readinto", None)
    done = 0
    while done < len(view):
        part = view[done : done + _CHUNK]
        if readinto is not None:
            count = readinto(part) or 0
        else:
            data = stream.read(len(part))
            count = len(data)
            part[:count] = data
        if not count:
            break
        done += count
    return done


def _take(stream: BinaryIO, count: int) -> bytes:
    """Return the next bytes of a stream, fewer only at its end; for headers, so never more than 64 KiB."""
    data = stream.read(count)
    while 0 < len(data) < count:
        more = stream.read(count - len(data))
        if not more:
            break
        data += more
    return data


def _header(stream: BinaryIO, name: str, *, scalars: bool = False) -> NpyHeader:
    """Read a header and check all of it but the bytes that follow."""
    start = _take(stream, 10)
    if start[:6] != MAGIC[: len(start)]:
        what, hint = looks_like(start + _take(stream, HEAD - len(start)))
        raise ItemError(f"{shown(name)} is not a .npy file; it looks like {what}", code="not-npy", hint=hint)
    if len(start) < 10:
        what = "is cut off within its first 10 bytes" if start else "is empty: it has 0 bytes"
        raise ItemError(f"{shown(name)} {what}", code="npy-truncated", hint=_AGAIN)
    version = (start[6], start[7])
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ItemError(
            f"{shown(name)} is of .npy version {version[0]}.{version[1]}; known are 1.0, 2.0 and 3.0",
            code="npy-version",
            hint="save it again with np.save; if NumPy did not write this file, it is broken",
        )
    length = start[8:] if version[0] == 1 else start[8:] + _take(stream, 2)
    offset = 10 if version[0] == 1 else 12
    count = int.from_bytes(length, "little")
    if count > MAX_HEADER:
        raise _bad(name, f"claims {count:,} bytes, real ones have about 118")
    header = _take(stream, count)
    if len(length) < offset - 8 or len(header) < count:
        raise ItemError(f"{shown(name)} is cut off within its header", code="npy-truncated", hint=_AGAIN)
    descr, fortran_order, shape = _parse(header.decode("latin-1"), name)
    itemsize = _itemsize(descr, name)
    if shape or not scalars:
        _check_shape(shape, itemsize, name)
    return NpyHeader(descr, shape, fortran_order, offset + count, itemsize, version)


def _parse(text: str, name: str) -> tuple[str, bool, tuple[int, ...]]:
    """Read ``{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }``, the keys in any order, and nothing else."""
    fields: dict[str, Any] = {}
    text = text.strip(_BLANK)
    if not (text.startswith("{") and text.endswith("}")):
        raise _bad(name, "is not a {…} of descr, fortran_order and shape")
    at, end = 1, len(text) - 1
    while text[at:end].strip(_BLANK):
        key = _KEY.match(text, at, end)
        if not key or key[2] in fields:
            raise _bad(name, f"cannot be read at {shown(text[at : at + 24])}")
        at = key.end()
        if key[2] == "descr" and text[at] in "[(":
            raise ItemError(
                f"{shown(name)} is a structured array (it has named fields)",
                code="npy-dtype",
                hint="save the one field that is meant: np.save(path, array['name'])",
            )
        value = _VALUES[key[2]].match(text, at, end)
        if not value:
            raise _bad(name, f"has a {key[2]} that cannot be read: {shown(text[at : at + 24])}")
        fields[key[2]] = value[2]
        at = value.end()
        if at < end:
            if text[at] != ",":
                raise _bad(name, f"cannot be read at {shown(text[at : at + 24])}")
            at += 1
    missing = [key for key in ("descr", "fortran_order", "shape") if key not in fields]
    if missing:
        raise _bad(name, f"does not say {' and '.join(missing)}")
    return fields["descr"], fields["fortran_order"] == "True", _dimensions(fields["shape"], name)


def _dimensions(inner: str, name: str) -> tuple[int, ...]:
    """Read what stands between the parentheses of a shape: nothing, ``3,`` or ``3, 4``."""
    parts = inner.split(",")
    if not parts[-1].strip(_BLANK):
        parts.pop()
    elif len(parts) == 1:
        raise _bad(name, f"has a shape that is no tuple: {shown(f'({inner})')}")
    if len(parts) > MAX_DIMENSIONS:
        raise _shape(name, f"a shape of {len(parts):,} dimensions; at most {MAX_DIMENSIONS} are read")
    shape = []
    for part in parts:
        whole = _WHOLE.fullmatch(part)
        if not whole:
            raise _bad(name, f"has a shape that cannot be read: {shown(f'({inner})', 60)}")
        digits = whole[2].lstrip("0") or "0"
        if len(digits) > 19 or (whole[1] == "-" and digits != "0"):
            raise _shape(name, f"an impossible length in its shape: {shown(whole[1] + digits, 40)}")
        shape.append(int(digits))
    return tuple(shape)


def _itemsize(descr: str, name: str) -> int:
    """Return the bytes of one value, or say why values of this type are no audio."""
    match = _NUMBER.fullmatch(descr)
    if match and int(match[3]) in _SIZES[match[2]]:
        return int(match[3])
    kind, code = descr.lstrip("<>|=")[:1], "npy-dtype"
    what, hint = f"values of a type that is not known: {shown(descr, 24)}", _SAVE_AS
    if kind == "O":
        code, what = "npy-pickle", "Python objects (a pickle), which are never opened: a pickle can run any code"
        hint = "arrays of unequal lengths become objects; save each array alone, or all with np.savez"
    elif descr in ("|V2", "V2", "<V2", ">V2"):
        what, hint = (
            "2-byte values without a type (V2); it looks like bfloat16",
            "save it as float32: x.float().numpy()",
        )
    elif kind == "V":
        what = f"bytes without a type ({shown(descr, 24)}), as float8 and other types that NumPy does not know"
    elif descr.lstrip("<>|=") in ("f16", "f12", "c32", "c24"):
        what = f"extended precision ({shown(descr, 24)}), whose meaning depends on the machine"
        hint = "save it as float64 (or complex128): np.save(path, array.astype('float64'))"
    elif kind in "USabmM?" and kind:
        names = {"m": "time spans", "M": "dates", "b": "truth values (bool)", "?": "truth values (bool)"}
        what = f"{names.get(kind, 'text')} ({shown(descr, 24)}), not numbers"
    raise ItemError(f"{shown(name)} holds {what}", code=code, hint=hint)


def _check_shape(shape: tuple[int, ...], itemsize: int, name: str) -> None:
    """Refuse shapes that no audio has, or no machine."""
    if not shape:
        what, hint = "a single number (0 dimensions), not an array", "check what was saved"
        raise ItemError(f"{shown(name)} holds {what}", code="npy-scalar", hint=hint)
    if 0 in shape:
        what, hint = f"no values: its shape is {shape}", "whatever wrote it had nothing to say; leave the file out"
        raise ItemError(f"{shown(name)} holds {what}", code="npy-empty", hint=hint)
    if math.prod(shape) * itemsize > MAX_BYTES:
        raise _shape(name, f"a shape that no machine can hold: {shown(str(shape), 60)}")


def _shape(name: str, what: str) -> ItemError:
    return ItemError(f"{shown(name)} has {what}", code="npy-shape", hint="the header is broken; write the file again")


def _bad(name: str, what: str) -> ItemError:
    hint = "save it again with np.save; if NumPy did not write this file, its header is not NumPy's"
    return ItemError(f"{shown(name)} has a broken header: it {what}", code="npy-header", hint=hint)


def _cut(name: str, header: NpyHeader, present: int) -> ItemError:
    promise = f"its header promises {header.nbytes:,} bytes of values (shape {header.shape}, {header.dtype_descr})"
    what = f"{shown(name)} is cut off: {promise}, {present:,} are there"
    return ItemError(what, code="npy-truncated", hint=_AGAIN)


def _trailing(name: str, header: NpyHeader, excess: str) -> ItemError:
    return ItemError(
        f"{shown(name)} goes on after its array (shape {header.shape}, {header.dtype_descr}): {excess}",
        code="npy-trailing",
        hint="several np.save into one file? save each alone, or all with np.savez; else the header is broken",
    )
