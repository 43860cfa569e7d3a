"""The header of a network in an ONNX file, by a walk over its protocol buffers that touches no weights.

The package ``onnx`` imports NumPy and ``onnxruntime`` loads the whole model; `check` needs neither.
"""

from __future__ import annotations

import functools
import mmap
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tonearm.api import MAX_NESTING, ItemError
from tonearm_plugins.networks.plan import NetworkHeader, TensorInfo
from tonearm_plugins.networks.protobuf import BYTES, VARINT, Messages, WireError, signed

MAX_MODEL = (1 << 31) - 1
"""Bytes that a protocol buffer can have: a larger model keeps its weights in files beside it."""

_DTYPES = (
    "float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64 complex64 complex128"
    " bfloat16 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz uint4 int4 float4e2m1"
)
DTYPES: Mapping[int, str] = dict(enumerate(_DTYPES.split(), start=1))
"""Types of values by the number that a header gives them, in NumPy's words where NumPy has them."""

_OTHER_TYPES = {4: "sequence", 5: "map", 7: "opaque", 8: "sparse_tensor", 9: "optional"}

DECIDING: Mapping[str, str] = {
    "LSTM": "direction",
    "GRU": "direction",
    "RNN": "direction",
    "Resize": "coordinate_transformation_mode",
    "BatchNormalization": "training_mode",
}
"""Attribute of an operator that decides whether chunks are exact, by the operator."""

_LFS = b"version https://git-lfs"


def read_header(path: str | os.PathLike[str]) -> NetworkHeader:
    """Return the header of a network in an ONNX file. A header is read once as long as the file does not change.

    Parameters
    ----------
    path
        Path of the file.

    Raises
    ------
    ItemError
        ``bad-model``: if the file is no ONNX model or is cut off; the message says what is wrong.
    """
    file = os.fspath(path)
    try:
        known = Path(file).stat()
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from error
    return _read(file, known.st_size, known.st_mtime_ns, known.st_ino)


@functools.lru_cache(maxsize=32)
def _read(path: str, size: int, *_: int) -> NetworkHeader:
    if not Path(path).is_file():
        raise _broken(path, "it is no regular file", "name a .onnx file")
    if size > MAX_MODEL:
        raise _broken(
            path, f"it has {size} bytes, more than a protocol buffer can", "save its weights beside the model"
        )
    if not size:
        raise _broken(path, "it is empty")
    try:
        with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[: len(_LFS)] == _LFS:
                raise _broken(path, "it is a pointer of Git LFS in place of the model", "fetch it by git lfs pull")
            return _Walk(Messages(data)).header()
    except WireError as error:
        raise _broken(path, str(error)) from error
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _broken(path: str, reason: str, hint: str = "export or download the model again") -> ItemError:
    return ItemError(f"{path} is no ONNX model: {reason}", code="bad-model", hint=hint)


def _unreadable(path: str, error: Exception) -> ItemError:
    reason = (isinstance(error, OSError) and error.strerror) or error
    return ItemError(f"{path} cannot be read: {reason}", code="bad-model")


class _Walk:
    """The walk over one model.

    Parameters
    ----------
    messages
        Content of the file.
    """

    def __init__(self, messages: Messages) -> None:
        self.messages = messages
        self.operators: Counter[str] = Counter()
        self.external: set[str] = set()
        self.settings: set[str] = set()
        self.inputs: list[TensorInfo] = []
        self.outputs: list[TensorInfo] = []
        self.weights: set[str] = set()

    def header(self) -> NetworkHeader:
        """Return the header."""
        versions: dict[str, int] = {}
        metadata: dict[str, str] = {}
        functions: list[str] = []
        ir_version, has_graph = 0, False
        for number, kind, begin, end in self.messages.fields(0, len(self.messages.data)):
            if number == 1 and kind == VARINT:
                ir_version = begin
            elif kind != BYTES:
                continue
            elif number == 7:
                has_graph = True
                self._graph(begin, end, 0, is_main=True)
            elif number == 8:
                one = self._scalars(begin, end)
                versions[_domain(str(one.get(1, "")))] = int(one.get(2, 0))
            elif number == 14:
                one = self._scalars(begin, end)
                metadata[str(one.get(1, ""))] = str(one.get(2, ""))
            elif number == 25:
                functions.append(self._function(begin, end))
        if not has_graph:
            raise WireError("it has no graph")
        return NetworkHeader(
            inputs=tuple(one for one in self.inputs if one.name not in self.weights),
            outputs=tuple(self.outputs),
            operators=dict(self.operators),
            opsets=versions,
            ir_version=ir_version,
            functions=tuple(functions),
            settings=tuple(sorted(self.settings)),
            external=tuple(sorted(self.external)),
            metadata=metadata,
        )

    def _scalars(self, begin: int, end: int) -> dict[int, str | int]:
        """Return the numbers and texts of a message by the numbers of their fields; of several, the last."""
        text = self.messages.text
        return {
            number: text(first, last) if kind == BYTES else signed(first)
            for number, kind, first, last in self.messages.fields(begin, end)
        }

    def _graph(self, begin: int, end: int, depth: int, *, is_main: bool = False) -> None:
        """Walk over a graph: its nodes, its weights, and what it takes and gives if it is that of the model."""
        for number, kind, first, last in self.messages.fields(begin, end):
            if kind != BYTES:
                continue
            if number == 1:
                self._node(first, last, depth)
            elif number == 5:
                self._tensor(first, last, is_weight=is_main)
            elif number == 15:
                self._sparse(first, last, is_weight=is_main)
            elif is_main and number == 11:
                self.inputs.append(self._value(first, last))
            elif is_main and number == 12:
                self.outputs.append(self._value(first, last))

    def _function(self, begin: int, end: int) -> str:
        """Walk over the nodes of a function that the model defines; return the name by which nodes call it."""
        name = domain = ""
        for number, kind, first, last in self.messages.fields(begin, end):
            if kind != BYTES:
                continue
            if number == 1:
                name = self.messages.text(first, last)
            elif number == 10:
                domain = self.messages.text(first, last)
            elif number == 7:
                self._node(first, last, 0)
            elif number == 11:
                self._attribute(first, last, 0, "")
        return _operator(domain, name)

    def _node(self, begin: int, end: int, depth: int) -> None:
        """Count a node, and walk over the graphs and tensors in its attributes."""
        if depth > MAX_NESTING:
            raise WireError(f"it has graphs within graphs, more than {MAX_NESTING}")
        name = domain = ""
        attributes = []
        for number, kind, first, last in self.messages.fields(begin, end):
            if kind != BYTES:
                continue
            if number == 5:
                attributes.append((first, last))
            elif number == 4:
                name = self.messages.text(first, last)
            elif number == 7:
                domain = self.messages.text(first, last)
        operator = _operator(domain, name)
        self.operators[operator] += 1
        for first, last in attributes:
            self._attribute(first, last, depth, operator)

    def _attribute(self, begin: int, end: int, depth: int, operator: str) -> None:
        """Walk over the graphs and tensors of an attribute, and note it if it decides whether chunks are exact."""
        name, value = "", ""
        for number, kind, first, last in self.messages.fields(begin, end):
            if kind == VARINT:
                value = str(signed(first)) if number == 3 else value
            elif kind != BYTES:
                continue
            elif number in (5, 10):
                self._tensor(first, last, is_weight=False)
            elif number in (6, 11):
                self._graph(first, last, depth + 1)
            elif number in (22, 23):
                self._sparse(first, last, is_weight=False)
            elif number == 1:
                name = self.messages.text(first, last)
            elif number == 4 and operator in DECIDING:
                value = self.messages.text(first, last)
        if DECIDING.get(operator) == name:
            self.settings.add(f"{operator}.{name}={value}")

    def _tensor(self, begin: int, end: int, *, is_weight: bool) -> None:
        """Note the name of a tensor and the files of its values, which are not touched."""
        for number, kind, first, last in self.messages.fields(begin, end):
            if kind != BYTES:
                continue
            if number == 13:
                entry = self._scalars(first, last)
                if entry.get(1) == "location":
                    self.external.add(str(entry.get(2, "")))
            elif number == 8 and is_weight:
                self.weights.add(self.messages.text(first, last))

    def _sparse(self, begin: int, end: int, *, is_weight: bool) -> None:
        """Note the same of a sparse tensor, which has two tensors for its values and their positions."""
        for number, kind, first, last in self.messages.fields(begin, end):
            if kind == BYTES and number in (1, 2):
                self._tensor(first, last, is_weight=is_weight and number == 1)

    def _value(self, begin: int, end: int) -> TensorInfo:
        """Return an input or output."""
        name = ""
        dtype, shape = "unknown", None
        for number, kind, first, last in self.messages.fields(begin, end):
            if kind != BYTES:
                continue
            if number == 1:
                name = self.messages.text(first, last)
            elif number == 2:
                dtype, shape = self._type(first, last)
        return TensorInfo(name, dtype, shape)

    def _type(self, begin: int, end: int) -> tuple[str, tuple[int | str | None, ...] | None]:
        """Return the type of an input or output, and its shape if it is a tensor."""
        dtype, shape = "unknown", None
        for number, kind, first, last in self.messages.fields(begin, end):
            if kind != BYTES:
                continue
            if number != 1:
                dtype = _OTHER_TYPES.get(number, dtype)
                continue
            for inner, inner_kind, low, high in self.messages.fields(first, last):
                if inner == 1 and inner_kind == VARINT:
                    dtype = DTYPES.get(low, f"type {low}")
                elif inner == 2 and inner_kind == BYTES:
                    shape = (*(shape or ()), *self._shape(low, high))
        return dtype, shape

    def _shape(self, begin: int, end: int) -> tuple[int | str | None, ...]:
        """Return the sizes of axes: numbers, names, or None."""
        found: list[int | str | None] = []
        for number, kind, first, last in self.messages.fields(begin, end):
            if number != 1 or kind != BYTES:
                continue
            size: Any = None
            for inner, inner_kind, low, high in self.messages.fields(first, last):
                if inner == 1 and inner_kind == VARINT:
                    size = signed(low)
                elif inner == 2 and inner_kind == BYTES:
                    size = self.messages.text(low, high) or None
            found.append(None if isinstance(size, int) and size < 0 else size)
        return tuple(found)


def _domain(name: str) -> str:
    """Return the name of a domain, which is empty for the standard one."""
    return "" if name == "ai.onnx" else name


def _operator(domain: str, name: str) -> str:
    """Return the name of an operator with its domain."""
    return f"{domain}/{name}" if _domain(domain) else name
