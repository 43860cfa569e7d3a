"""Header of a ``.npy`` file, parsed by a small grammar of our own and checked before anything is allocated.

At most 64 KiB are read, all sizes are Python integers, and every fault is an `ItemError`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, BinaryIO

from tonearm.api import WRITE_AGAIN, ItemError, file_types, quoted

MAGIC = b"\x93NUMPY"
MAX_HEADER = 64 << 10  # bytes; NumPy's own are about 118, and it refuses beyond 10,000
MAX_DIMENSIONS = 32
MAX_BYTES = (1 << 63) - 1

_BLANK = " \t\r\n"
_KEY = re.compile(rf"""[{_BLANK}]*(['"])(descr|fortran_order|shape)\1[{_BLANK}]*:[{_BLANK}]*""")
_VALUES = {
    "descr": re.compile(rf"""(['"])([^'"\\\n]{{0,64}})\1[{_BLANK}]*"""),
    "fortran_order": re.compile(rf"()(True|False)[{_BLANK}]*"),
    "shape": re.compile(rf"()\(([^()]*)\)[{_BLANK}]*"),
}
_WHOLE = re.compile(rf"[{_BLANK}]*([+-]?)(0+|[1-9][0-9]*)L?[{_BLANK}]*")  # Python 2 wrote (3L,)
_NUMBER = re.compile(r"([<>|=]?)([fciu])([0-9]{1,2})")
_FIGURE = re.compile(rb"[\s#\[(]*[-+.]?[0-9]")
_SIZES = {"f": (2, 4, 8), "c": (8, 16), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8)}

_LONGEST_NUMBER = 40  # letters
_SAVE_BYTES = "if it is a file, save it as one: Path(path).write_bytes(array.tobytes())"
_DECODE = "if it is base64, decode it: Path(path).write_bytes(base64.b64decode(array.item()))"
_SAVE_AS = "save it as numbers: np.save(path, array.astype('float32'))"


@dataclass(frozen=True)
class NpyHeader:
    """Checked header of one array.

    Parameters
    ----------
    dtype_descr
        NumPy's code of the type, with byte order: ``<f4``. Always a plain number type of 1 to 16 bytes.
    shape
        Dimensions, none of them 0. There is at least one, unless single numbers are allowed.
    fortran_order
        Whether the first dimension runs fastest.
    offset
        Position of the values, in bytes from the start of the array's file or member.
    itemsize
        Size of one value in bytes.
    version
        Version of the format, (1, 0) to (3, 0).
    """

    dtype_descr: str
    shape: tuple[int, ...]
    fortran_order: bool
    offset: int
    itemsize: int
    version: tuple[int, int]

    @property
    def nbytes(self) -> int:
        """Size of the values in bytes, without the header."""
        return math.prod(self.shape) * self.itemsize


def read_header(file: BinaryIO, size: int, *, name: str = "the file") -> NpyHeader:
    """Read and check the header of an array of known size.

    Parameters
    ----------
    file
        Binary file at the start of the array. At most 64 KiB are read, and the file is left at the first value.
    size
        Number of bytes from here to the end of the array's file or member.
    name
        Name of the file, for messages.

    Returns
    -------
    NpyHeader
        Header whose ``offset + nbytes`` is exactly ``size``.

    Raises
    ------
    ItemError
        ``not-npy``, ``npy-version``, ``npy-header``, ``npy-pickle``, ``npy-dtype``, ``npy-shape``, ``npy-scalar``,
        ``npy-empty``, ``npy-truncated`` or ``npy-trailing``.
    """
    header = parse_header(file, name)
    present = size - header.offset
    if header.nbytes > present:
        raise truncated_error(name, header, max(present, 0))
    if header.nbytes < present:
        raise trailing_error(name, header, f"{present - header.nbytes:,} bytes")
    return header


def _take(stream: BinaryIO, count: int) -> bytes:
    """Return the next bytes of a stream, and fewer only at its end."""
    data = b""
    while more := stream.read(count - len(data)):
        data += more
    return data


def parse_header(stream: BinaryIO, name: str, *, scalars: bool = False) -> NpyHeader:
    """Read a header and check everything in it, without knowing how many bytes follow."""
    start = _take(stream, 10)
    if start[:6] != MAGIC[: len(start)]:
        head = start + _take(stream, file_types.HEAD - len(start))
        found = file_types.identify(head)
        what, hint = found.name, found.hint
        if found is file_types.UNKNOWN:
            what = f"no known format: its first bytes are {head[:8].hex(' ')}"
        elif found.name == "text" and not _FIGURE.match(head):
            what = f"text that begins with {quoted(head[:8].decode('latin-1'))}, which is no number"
            hint = "save the array with np.save"
        raise ItemError(f"{quoted(name)} is not a .npy file; it looks like {what}", code="not-npy", hint=hint)
    if len(start) < 10:
        what = "is cut off within its first 10 bytes" if start else "is empty: it has 0 bytes"
        raise ItemError(f"{quoted(name)} {what}", code="npy-truncated", hint=WRITE_AGAIN)
    version = (start[6], start[7])
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ItemError(
            f"{quoted(name)} has .npy version {version[0]}.{version[1]}; only 1.0, 2.0 and 3.0 can be read",
            code="npy-version",
            hint="save it again with np.save; if NumPy did not write this file, it is broken",
        )
    length = start[8:] if version[0] == 1 else start[8:] + _take(stream, 2)
    offset = 10 if version[0] == 1 else 12
    count = int.from_bytes(length, "little")
    if count > MAX_HEADER:
        raise _header_error(name, f"claims {count:,} bytes, but real ones have about 118")
    header = _take(stream, count)
    if len(length) < offset - 8 or len(header) < count:
        raise ItemError(f"{quoted(name)} is cut off within its header", code="npy-truncated", hint=WRITE_AGAIN)
    descr, fortran_order, shape = _parse(header.decode("latin-1"), name)
    itemsize = _itemsize(descr, name, is_single=not shape)
    if shape or not scalars:
        _check_shape(shape, itemsize, name)
    return NpyHeader(descr, shape, fortran_order, offset + count, itemsize, version)


def _parse(text: str, name: str) -> tuple[str, bool, tuple[int, ...]]:
    """Parse ``{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }``, with the keys in any order."""
    fields: dict[str, Any] = {}
    text = text.strip(_BLANK)
    if not (text.startswith("{") and text.endswith("}")):
        raise _header_error(name, "is not a dict of descr, fortran_order and shape")
    at, end = 1, len(text) - 1
    while text[at:end].strip(_BLANK):
        key = _KEY.match(text, at, end)
        if not key or key[2] in fields:
            raise _header_error(name, f"cannot be read at {quoted(text[at : at + 24])}")
        at = key.end()
        if key[2] == "descr" and text[at] in "[(":
            raise ItemError(
                f"{quoted(name)} is a structured array (it has named fields)",
                code="npy-dtype",
                hint="save the field that you need: np.save(path, array['name'])",
            )
        value = _VALUES[key[2]].match(text, at, end)
        if not value:
            raise _header_error(name, f"has a {key[2]} that cannot be read: {quoted(text[at : at + 24])}")
        fields[key[2]] = value[2]
        at = value.end()
        if text[at:end][:1] not in ("", ","):
            raise _header_error(name, f"cannot be read at {quoted(text[at : at + 24])}")
        at += 1
    missing = [key for key in ("descr", "fortran_order", "shape") if key not in fields]
    if missing:
        raise _header_error(name, f"has no {' and no '.join(missing)}")
    return fields["descr"], fields["fortran_order"] == "True", _dimensions(fields["shape"], name)


def _dimensions(inner: str, name: str) -> tuple[int, ...]:
    """Parse the inside of a shape's parentheses: nothing, ``3,`` or ``3, 4``."""
    parts = inner.split(",")
    if not parts[-1].strip(_BLANK):
        parts.pop()
    elif len(parts) == 1:
        raise _header_error(name, f"has a shape that is not a tuple: {quoted(f'({inner})')}")
    if len(parts) > MAX_DIMENSIONS:
        raise _shape_error(name, f"a shape of {len(parts):,} dimensions; at most {MAX_DIMENSIONS} can be read")
    shape = []
    for part in parts:
        whole = _WHOLE.fullmatch(part)
        if not whole:
            raise _header_error(name, f"has a shape that cannot be read: {quoted(f'({inner})', 60)}")
        digits = whole[2].lstrip("0") or "0"
        if len(digits) > 19 or (whole[1] == "-" and digits != "0"):
            raise _shape_error(name, f"an impossible length in its shape: {quoted(whole[1] + digits, 40)}")
        shape.append(int(digits))
    return tuple(shape)


def _itemsize(descr: str, name: str, *, is_single: bool = False) -> int:
    """Return the size of one value in bytes, or raise `ItemError` for a type that cannot be audio."""
    match = _NUMBER.fullmatch(descr)
    if match and int(match[3]) in _SIZES[match[2]]:
        return int(match[3])
    kind, code = descr.lstrip("<>|=")[:1], "npy-dtype"
    what, hint = f"values of an unknown type: {quoted(descr, 24)}", _SAVE_AS
    if kind == "O":
        code, what = "npy-pickle", "Python objects (a pickle); pickles are refused, as they can run any code"
        hint = "arrays of different lengths become objects; save each array alone, or all with np.savez"
        if is_single:
            what, hint = f"a Python object{what[14:]}", "save each of its values by itself, with np.savez"
    elif descr in ("|V2", "V2", "<V2", ">V2"):
        what, hint = (
            "2-byte values without a type (V2); it looks like bfloat16",
            "save it as float32: x.float().numpy()",
        )
    elif kind in "VS" and _is_long(descr):
        what, hint = f"values of many bytes ({quoted(descr, 24)}), not numbers", _SAVE_BYTES
    elif kind == "V":
        what = f"bytes without a type ({quoted(descr, 24)}), like float8 and other types that NumPy does not know"
    elif descr.lstrip("<>|=") in ("f16", "f12", "c32", "c24"):
        what = f"extended precision ({quoted(descr, 24)}), whose meaning depends on the machine"
        hint = "save it as float64 (or complex128): np.save(path, array.astype('float64'))"
    elif kind in "USabmM?" and kind:
        names = {"m": "time spans", "M": "dates", "b": "truth values (bool)", "?": "truth values (bool)"}
        what = f"{names.get(kind, 'text')} ({quoted(descr, 24)}), not numbers"
        hint = _DECODE if kind == "U" and _is_long(descr) else hint
    raise ItemError(f"{quoted(name)} holds {what}", code=code, hint=hint)


def _is_long(descr: str) -> bool:
    """Return whether a type has more bytes or letters than a number takes, as one that holds a whole file has."""
    digits = descr.lstrip("<>|=")[1:]
    return digits.isdecimal() and len(digits) < 10 and int(digits) > _LONGEST_NUMBER


def _check_shape(shape: tuple[int, ...], itemsize: int, name: str) -> None:
    """Raise `ItemError` for a shape that no audio has or no machine can hold."""
    if not shape:
        what, hint = "a single number (0 dimensions), not an array", "check what was saved"
        raise ItemError(f"{quoted(name)} holds {what}", code="npy-scalar", hint=hint)
    if 0 in shape:
        what, hint = f"no values: its shape is {shape}", "the program that wrote it had no output; leave the file out"
        raise ItemError(f"{quoted(name)} holds {what}", code="npy-empty", hint=hint)
    if math.prod(shape) * itemsize > MAX_BYTES:
        raise _shape_error(name, f"a shape that no machine can hold: {quoted(str(shape), 60)}")


def _shape_error(name: str, what: str) -> ItemError:
    return ItemError(f"{quoted(name)} has {what}", code="npy-shape", hint="the header is broken; write the file again")


def _header_error(name: str, what: str) -> ItemError:
    hint = "save it again with np.save; if NumPy did not write this file, its header is not NumPy's"
    return ItemError(f"{quoted(name)} has a broken header: it {what}", code="npy-header", hint=hint)


def truncated_error(name: str, header: NpyHeader, present: int) -> ItemError:
    """Return the error for a file with fewer bytes than its header promises."""
    promise = f"its header promises {header.nbytes:,} bytes of values (shape {header.shape}, {header.dtype_descr})"
    what = f"{quoted(name)} is cut off: {promise}, but {present:,} follow it"
    return ItemError(what, code="npy-truncated", hint=WRITE_AGAIN)


def trailing_error(name: str, header: NpyHeader, excess: str) -> ItemError:
    """Return the error for a file that continues after its values."""
    return ItemError(
        f"{quoted(name)} continues after its array (shape {header.shape}, {header.dtype_descr}): {excess}",
        code="npy-trailing",
        hint="if it is several arrays, save each alone, or all with np.savez; else the header is broken",
    )
