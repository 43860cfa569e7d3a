"""Files beside an ONNX model in which its weights lie, checked before onnxruntime opens whatever has their names."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from tonearm.api import MAX_NESTING, ItemError, quoted

# Numbers of the fields of the protocol buffers that lead from a model to its tensors.
_MODEL, _GRAPH, _NODE, _ATTRIBUTE, _TENSOR, _SPARSE, _ENTRY = range(7)
_FIELDS: Mapping[int, Mapping[int, int]] = {
    _MODEL: {7: _GRAPH},
    _GRAPH: {1: _NODE, 5: _TENSOR, 15: _SPARSE},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE},
    _SPARSE: {1: _TENSOR, 2: _TENSOR},
    _TENSOR: {13: _ENTRY},
}
_MAX_VARINT = 10  # bytes
_MAX_MODEL = (1 << 31) - 1  # bytes that protocol buffers hold: a larger file is no model
_FIXED = {1: 8, 5: 4}  # bytes of a field by its type
_VARINT, _BYTES = 0, 2


def check_external_data(path: Path) -> None:
    """Raise `ItemError` unless all files of a model's external data are regular, and in or below the model's folder.

    Parameters
    ----------
    path
        Path of the model.

    Raises
    ------
    ItemError
        ``bad-model``. A file that is no model passes: onnxruntime describes it better.
    """
    if not path.is_file() or path.stat().st_size > _MAX_MODEL:
        return
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            locations = sorted(set(_locations(data, 0, len(data), _MODEL, 0)))
    except (OSError, ValueError):
        return
    folders = (path.parent.resolve(), path.resolve().parent)  # caches link a model and its weights from another folder
    for location in locations:
        try:
            target = (path.parent / location).resolve()
            fits = target.is_file() and any(target.is_relative_to(folder) for folder in folders)
        except (OSError, ValueError, RuntimeError):
            fits = False
        if not fits:
            raise ItemError(
                f"{path} has its weights in {quoted(location)}, which is no regular file in the model's folder",
                code="bad-model",
                hint="put the file of the weights beside the model, or save the model as one file",
            )


def _locations(data: mmap.mmap, at: int, end: int, message: int, depth: int) -> Iterator[str]:
    """Yield the names of files in a message and in those within it."""
    if depth > 8 * MAX_NESTING:
        raise ValueError("messages within messages")
    while at < end:
        tag, at = _varint(data, at, end)
        field, kind = tag >> 3, tag & 7
        if not field:  # as in a file of zeros
            raise ValueError("a field without a number")
        if kind == _VARINT:
            _, at = _varint(data, at, end)
            continue
        size = _FIXED.get(kind, 0)
        if kind == _BYTES:
            size, at = _varint(data, at, end)
        elif not size:
            raise ValueError("a field of an unknown type")
        if size > end - at:
            raise ValueError("a field is cut off")
        inner = _FIELDS[message].get(field)
        if inner == _ENTRY:
            entry = bytes(data[at : at + size])
            if entry.startswith(b"\n\x08location\x12"):
                yield _text(entry[11:])
        elif inner is not None and kind == _BYTES:
            yield from _locations(data, at, at + size, inner, depth + 1)
        at += size


def _text(data: bytes) -> str:
    """Return a text that follows its length."""
    size, at = _varint(data, 0, len(data))
    return os.fsdecode(data[at : at + size])


def _varint(data: bytes | mmap.mmap, at: int, end: int) -> tuple[int, int]:
    """Return a number of varying length and the position behind it."""
    number = shift = 0
    for place in range(at, min(end, at + _MAX_VARINT)):
        byte = data[place]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place + 1
        shift += 7
    raise ValueError("a number is cut off")
