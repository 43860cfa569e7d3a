"""``safetensors-reader``: tensors in files of Hugging Face's safetensors."""

from __future__ import annotations

import contextlib
from collections import ChainMap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import (
    LEAVE_OUT,
    SAVE_AS_FLOAT32,
    WRITE_AGAIN,
    Context,
    ItemError,
    KeyedArrayDecoder,
    KeyedArrayOptions,
    LazyArrays,
    Requirement,
    Source,
    check_memory,
    file_types,
    path_of,
    quoted,
    read_values,
    reading_errors,
    size_of,
    with_configs,
    wrong_format_error,
)
from tonearm_plugins.decoders.contained import with_sounds
from tonearm_plugins.formats.json_text import parse_json

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

# BF16 is read as its bits: NumPy has no type for it.
_DTYPES = {
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "C64": "<c8",
    "BF16": "<u2",
    "BOOL": "?",
    **{f"{letter}{bits}": f"<{letter.lower()}{bits // 8}" for letter in "IU" for bits in (8, 16, 32, 64)},
}
SHORT_FILE = 64
"""Size in bytes up to which a file is taken for one that is cut off, whatever it begins as."""

MAX_HEADER = 100_000_000
"""Size of a header in bytes, the library's own bound."""


class SafetensorsReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read the tensors of a .safetensors file, BF16 too; the library checks it, and then it is mapped."""

    suffixes = (".safetensors",)
    reads = "content"
    requires = (Requirement(name="safetensors", hint="pip install 'tonearm[safetensors]'"),)

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the file as a mapping from names to arrays."""
        with source.open() as file:
            start, entries, metadata = _entries(file, source.name)
            found = LazyArrays(
                entries, lambda key: _tensor(file, source.name, start, key, entries[key]), lambda _: metadata
            )
            yield with_sounds(found, source.name, self.options, context)


def _entries(file: BinaryIO, name: str) -> tuple[int, dict[str, Any], Mapping[str, Any]]:
    """Return the position of the values, the entry of each tensor, and the metadata, after the library's checks."""
    size = size_of(file)
    count = int.from_bytes(file.read(8), "little")
    if size < 10 or count > min(MAX_HEADER, size - 8):
        file.seek(0)
        known = file_types.identify(file.read(file_types.HEAD)) not in (file_types.UNKNOWN, file_types.SAFETENSORS)
        if not size or (size > SHORT_FILE and known):
            raise wrong_format_error(file, name, "a safetensors file")
        raise ItemError(f"{quoted(name)} is cut off, or not a safetensors file", code="broken-file", hint=WRITE_AGAIN)
    with reading_errors(name, "a safetensors file"):
        header = parse_json(file.read(count), name)
        _check(file)
        metadata = header.pop("__metadata__", None)
        return 8 + count, header, ChainMap(*with_configs(_parsed(metadata, name))) if isinstance(metadata, dict) else {}


def _parsed(metadata: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return metadata, which are texts, with those that are JSON parsed."""
    found = dict(metadata)
    for key, text in metadata.items():
        if isinstance(text, str) and text[:1] == "{":
            with contextlib.suppress(ValueError, RecursionError):
                found[key] = parse_json(text.encode(), name)
    return found


def _check(file: BinaryIO) -> None:
    """Let the library check a file, and raise its errors."""
    from safetensors import deserialize, safe_open

    path = path_of(file)
    if path is None:
        file.seek(0)
        deserialize(file.read())  # type: ignore[no-untyped-call]
        return
    with safe_open(path, framework="numpy") as opened:
        opened.keys()


def _tensor(file: BinaryIO, name: str, start: int, key: str, entry: Mapping[str, Any]) -> Array:
    """Return one tensor, mapped if the file can be mapped; BF16 as float32."""
    import math

    import numpy as np

    dtype = _DTYPES.get(entry["dtype"])
    if dtype is None:
        raise ItemError(
            f"the tensor {quoted(key)} holds {quoted(str(entry['dtype']))} values",
            code="not-numbers",
            hint=SAVE_AS_FLOAT32,
        )
    shape, offset = tuple(entry["shape"]), start + entry["data_offsets"][0]
    if not math.prod(shape):
        raise ItemError(f"the tensor {quoted(key)} is empty: its shape is {shape}", code="empty", hint=LEAVE_OUT)
    array = read_values(file, name, dtype, shape, offset, map_from=0)
    if entry["dtype"] != "BF16":
        return array
    # bfloat16 is the upper half of a float32.
    check_memory(name, key, 2 * array.nbytes)
    wide = array.astype(np.uint32)
    wide <<= 16
    return wide.view(np.float32)
