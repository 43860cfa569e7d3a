"""Tables whose few bytes are many values."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from case import FINE, MAGNITUDE, MONO, REFUSED, Case

RNG = np.random.default_rng(7)


def lists(values: Any, length: int) -> dict[str, Any]:
    """A column of lists of one length."""
    offsets = pa.array(np.arange(0, len(values) + 1, length), pa.int64())
    return {"wav": pa.LargeListArray.from_arrays(offsets, pa.array(values))}


def lists_of_lists(inner: int, count: int) -> dict[str, Any]:
    """A column of one row, which has many lists of the same number of zeros."""
    offsets = pa.array(np.arange(count + 1, dtype="i4") * inner)
    frames = pa.ListArray.from_arrays(offsets, pa.array(np.zeros(inner * count, "f4")))
    return {"mag": pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), frames)}


def repeated_audio(rows: int) -> dict[str, Any]:
    """A column of audio that repeats one file, which a dictionary stores once."""
    file = io.BytesIO()
    soundfile.write(file, np.resize(RNG.uniform(-1, 1, 1000), 2_000_000), 8000, subtype="PCM_16", format="WAV")
    blobs = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, "i4")), pa.array([file.getvalue()]))
    return {"audio": pa.StructArray.from_arrays([blobs], ["bytes"])}


CONTENTS: dict[str, tuple[Callable[[], dict[str, Any]], dict[str, Any], str]] = {
    "audio repeated by a dictionary": (lambda: repeated_audio(10_000), {}, "too-large"),
    "one row of zeros": (lambda: lists(np.zeros(30_000_000, "f4"), 30_000_000), MONO, "too-large"),
    "one row of bytes": (lambda: lists(np.zeros(30_000_000, "i1"), 30_000_000), MONO, "too-large"),
    "one row in double precision": (
        lambda: lists(np.zeros(24_000_000, "f4"), 24_000_000),
        {**MONO, "precision": "double"},
        FINE,
    ),
    "60 rows of 4 MB": (
        lambda: lists(np.resize(RNG.uniform(-1, 1, 999).astype("f4"), 60 << 20), 1 << 20),
        MONO,
        FINE,
    ),
    "many frames": (lambda: lists_of_lists(9, 2_000_000), MAGNITUDE, FINE),
    "many lists of one number": (lambda: lists_of_lists(1, 16_000_000), MAGNITUDE, "bins-mismatch"),
    "many empty lists": (lambda: lists_of_lists(0, 16_000_000), MAGNITUDE, "empty"),
    "many nulls": (lambda: {"wav": pa.nulls(5_000_000, pa.list_(pa.float32()))}, MONO, REFUSED),
    "many equal rows": (lambda: lists(np.zeros(1 << 20, "f4"), 1), MONO, "too-large"),
}
QUICK = ("audio repeated by a dictionary", "many nulls", "many empty lists")


def cases() -> Iterator[Case]:
    """Yield tables."""
    for name, (columns, options, verdict) in CONTENTS.items():
        write = partial(_write, columns=columns)
        yield Case(name, "parquet-reader", ".parquet", write, verdict, options, is_heavy=name not in QUICK)


def _write(path: Path, columns: Callable[[], dict[str, Any]]) -> None:
    how: dict[str, Any] = {"dictionary_pagesize_limit": 1 << 30, "store_schema": False}
    pq.write_table(pa.table(columns()), path, compression="zstd", **how)
    assert path.stat().st_size < 500_000
