"""A decoder for vaults, as a third party writes it: zip archives of raw arrays, with an index in JSON.

The index, ``index.json``, is like ``{"sample_rate": 16000, "arrays": {"take1": {"dtype": "<f4", "shape": [2, 9]}}}``.
The values of take1 are the member take1.raw, stored or deflated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tonearm.api import (
    WRITE_AGAIN,
    Context,
    Decoders,
    ItemError,
    KeyedArrayDecoder,
    KeyedArrayOptions,
    LazyArrays,
    Source,
    Spec,
    ZipArchive,
    ZipBounds,
    check_array_count,
    hookimpl,
    quoted_array,
    read_values,
    reading_errors,
)

if TYPE_CHECKING:
    import numpy as np

BOUNDS = ZipBounds(members=1001, directory=1 << 20)
MAX_INDEX = 1 << 20  # bytes


@dataclass(frozen=True)
class Entry:
    """Array as the index describes it."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class VaultReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read the arrays of a vault by name; each is loaded when it is needed, and mapped if it is large and stored."""

    suffixes = (".vault",)
    reads = "content"
    revision = 1

    @contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, np.ndarray]]:
        """Open the vault as a mapping from names to arrays."""
        with source.open() as file:
            archive = ZipArchive(file, source.name, bounds=BOUNDS)
            sample_rate, entries = index_of(archive)
            context.measure(sample_rate=sample_rate)
            yield LazyArrays(entries, lambda key: load(archive, key, entries[key]))

    def look(self, source: Source) -> Spec:
        """Return the spec of the signals, with the sample rate of the index."""
        with source.open() as file:
            sample_rate, _ = index_of(ZipArchive(file, source.name, bounds=BOUNDS))
        return self.produces().replace(sample_rate=sample_rate)


def index_of(archive: ZipArchive) -> tuple[int, dict[str, Entry]]:
    """Return the sample rate in Hz and the entries of the index."""
    import numpy as np

    with reading_errors(archive.name, "a vault"):
        if archive.members["index.json"].file_size > MAX_INDEX:
            raise ValueError("its index is too large")
        index = json.loads(archive.read("index.json"))
        check_array_count(archive.name, len(index["arrays"]), 1000)
        entries = {key: Entry(np.dtype(one["dtype"]), tuple(one["shape"])) for key, one in index["arrays"].items()}
        return int(index["sample_rate"]), entries


def load(archive: ZipArchive, key: str, entry: Entry) -> np.ndarray:
    """Return one array."""
    import numpy as np

    with reading_errors(archive.name, "a vault"):
        member = archive.members[f"{key}.raw"]
        claimed = math.prod(entry.shape) * entry.dtype.itemsize
        if claimed != member.file_size or entry.dtype.hasobject:
            raise ItemError(
                f"{quoted_array(archive.name, key)} has {member.file_size:,} bytes, but its index claims {claimed:,}",
                code="broken-file",
                hint=WRITE_AGAIN,
            )
        start = archive.start(member.filename)
        if start is not None:
            return read_values(archive.file, archive.name, entry.dtype, entry.shape, start)
        return np.frombuffer(archive.read(member.filename), entry.dtype).reshape(entry.shape)


@hookimpl
def tonearm_decoders() -> Decoders:
    return {"vault-reader": "tonearm_vault:VaultReader"}
