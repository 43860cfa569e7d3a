"""The header of a ``.npy`` file: a small grammar of our own, and nothing is allocated before it has been judged.

At most 64 KiB are read, all sizes are Python integers, and whatever is wrong is an `ItemError`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, BinaryIO

from tonearm.api import ItemError
from tonearm_plugins.formats.file_types import HEAD, looks_like, shown

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
_SIZES = {"f": (2, 4, 8), "c": (8, 16), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8)}

_SAVE_AS = "save it as numbers: np.save(path, array.astype('float32'))"
AGAIN = "write the file again; if it was copied or downloaded, it did not arrive whole"


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
    header = header_of(file, name)
    present = size - header.offset
    if header.nbytes > present:
        raise cut_off(name, header, max(present, 0))
    if header.nbytes < present:
        raise trailing(name, header, f"{present - header.nbytes:,} bytes")
    return header


def _take(stream: BinaryIO, count: int) -> bytes:
    """Return the next bytes of a stream, fewer only at its end; for headers, so never more than 64 KiB."""
    data = stream.read(count)
    while 0 < len(data) < count:
        more = stream.read(count - len(data))
        if not more:
            break
        data += more
    return data


def header_of(stream: BinaryIO, name: str, *, scalars: bool = False) -> NpyHeader:
    """Read a header and check all of it but the bytes that follow."""
    start = _take(stream, 10)
    if start[:6] != MAGIC[: len(start)]:
        what, hint = looks_like(start + _take(stream, HEAD - len(start)))
        raise ItemError(f"{shown(name)} is not a .npy file; it looks like {what}", code="not-npy", hint=hint)
    if len(start) < 10:
        what = "is cut off within its first 10 bytes" if start else "is empty: it has 0 bytes"
        raise ItemError(f"{shown(name)} {what}", code="npy-truncated", hint=AGAIN)
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
        raise ItemError(f"{shown(name)} is cut off within its header", code="npy-truncated", hint=AGAIN)
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


def cut_off(name: str, header: NpyHeader, present: int) -> ItemError:
    """Return the error for a file that has fewer bytes than its header promises."""
    promise = f"its header promises {header.nbytes:,} bytes of values (shape {header.shape}, {header.dtype_descr})"
    what = f"{shown(name)} is cut off: {promise}, {present:,} are there"
    return ItemError(what, code="npy-truncated", hint=AGAIN)


def trailing(name: str, header: NpyHeader, excess: str) -> ItemError:
    """Return the error for a file that goes on after its values."""
    return ItemError(
        f"{shown(name)} goes on after its array (shape {header.shape}, {header.dtype_descr}): {excess}",
        code="npy-trailing",
        hint="several np.save into one file? save each alone, or all with np.savez; else the header is broken",
    )
