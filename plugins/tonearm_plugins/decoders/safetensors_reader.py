"""``safetensors-reader``: tensors as Hugging Face's safetensors writes them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import Context, ItemError, KeyedArrayDecoder, KeyedArrayOptions, Requirement, Source
from tonearm_plugins.formats.file_types import HEAD, looks_like, shown
from tonearm_plugins.formats.lazy_arrays import LazyArrays
from tonearm_plugins.formats.reading import AGAIN, judged, path_of, size_of, stranger

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

# BF16 is read as its bits; NumPy has no such type.
_DTYPES = {
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "C64": "<c8",
    "BF16": "<u2",
    "BOOL": "?",
    **{f"{letter}{bits}": f"<{letter.lower()}{bits // 8}" for letter in "IU" for bits in (8, 16, 32, 64)},
}
_MAX_HEADER = 100_000_000  # bytes, the library's own bound


class SafetensorsReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read a .safetensors file: judged by the library, then mapped; BF16 too."""

    suffixes = (".safetensors",)
    requires = (Requirement(name="safetensors", hint="pip install 'tonearm[safetensors]'"),)

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the file."""
        with source.open() as file:
            start, entries = _entries(file, source.name)
            yield LazyArrays(entries, lambda key: _tensor(file, start, key, entries[key]))


def _entries(file: BinaryIO, name: str) -> tuple[int, dict[str, Any]]:
    """Return where values start, and what the header says of each tensor, after the library has judged it."""
    import json

    size = size_of(file)
    count = int.from_bytes(file.read(8), "little")
    if size < 10 or count > min(_MAX_HEADER, size - 8):
        file.seek(0)
        what, _ = looks_like(file.read(HEAD))
        if not size or (size > HEAD and "nothing that is known" not in what and "safetensors" not in what):
            raise stranger(file, name, "a safetensors file")
        raise ItemError(f"{shown(name)} is cut off, or no safetensors file", code="broken-file", hint=AGAIN)
    with judged(name, "a safetensors file"):
        header = json.loads(file.read(count))
        _judge(file)
        header.pop("__metadata__", None)
        return 8 + count, header


def _judge(file: BinaryIO) -> None:
    """Raise what the library raises on a broken file."""
    from safetensors import deserialize, safe_open

    path = path_of(file)
    if path is None:
        file.seek(0)
        deserialize(file.read())  # type: ignore[no-untyped-call]
        return
    with safe_open(path, framework="numpy") as opened:
        opened.keys()


def _tensor(file: BinaryIO, start: int, key: str, entry: Mapping[str, Any]) -> Array:
    """Return one tensor, mapped if the file can be; BF16 as float32."""
    import io
    import math

    import numpy as np

    dtype = _DTYPES.get(entry["dtype"])
    if dtype is None:
        raise ItemError(
            f"the tensor {shown(key)} holds {shown(str(entry['dtype']))} values",
            code="not-numbers",
            hint="save it as F32",
        )
    shape, offset = tuple(entry["shape"]), start + entry["data_offsets"][0]
    if not math.prod(shape):
        raise ItemError(f"the tensor {shown(key)} is empty: its shape is {shape}", code="empty", hint="leave it out")
    array: Array
    try:
        array = np.memmap(file, dtype, "r", offset, shape)
    except (io.UnsupportedOperation, AttributeError):
        file.seek(offset)
        array = np.frombuffer(file.read(math.prod(shape) * np.dtype(dtype).itemsize), dtype).reshape(shape)
    if entry["dtype"] != "BF16":
        return array
    # bfloat16 is the upper half of a float32.
    wide = array.astype(np.uint32)
    wide <<= 16
    return wide.view(np.float32)
