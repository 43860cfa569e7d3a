"""Pages of Parquet files: the sizes that pyarrow writes, the longest row, and a ValueError for every lie."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from thrift_structs import struct

from tonearm_plugins.formats import parquet_pages
from tonearm_plugins.formats.parquet_footer import ColumnChunk, column_chunks
from tonearm_plugins.formats.parquet_pages import chunk_sizes, chunks_of, longest_row, pages

RNG = np.random.default_rng(11)
WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"compression": "gzip", "data_page_version": "2.0"},
    {"compression": "none", "use_dictionary": False},
    {"compression": "zstd", "data_page_size": 2000},
    {"compression": "lz4", "data_page_version": "2.0", "data_page_size": 500},
    {"compression": "brotli", "column_encoding": "BYTE_STREAM_SPLIT", "use_dictionary": False},
)


def saved(columns: dict[str, Any], **how: Any) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, **how)
    return file


def ragged(counts: Any) -> Any:
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype("i4")
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(RNG.uniform(-1, 1, offsets[-1]).astype("f4")))


@pytest.mark.parametrize("how", WAYS)
def test_all_values_are_in_pages(how: dict[str, Any]) -> None:
    file = saved({"wav": ragged(RNG.integers(0, 50, 400)), "x": pa.array(RNG.uniform(0, 1, 400))}, **how)
    for chunk in column_chunks(file):
        found = list(pages(file, chunk))
        assert sum(page.values for page in found if not page.dictionary) == chunk.values
        assert sum(page.stored for page in found) < chunk.stored
        assert found[-1].start + found[-1].stored == chunk.start + chunk.stored
        assert chunk_sizes(file, chunk).pages >= max(page.inflated for page in found)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("counts", [[5], [0, 0, 1], [1] * 3000, [1] * 600 + [700] + [1] * 600, [3, 1, 0, 2] * 200])
def test_the_longest_row_is_found(how: dict[str, Any], counts: list[int]) -> None:
    (chunk,) = column_chunks(file := saved({"wav": ragged(counts)}, **how))
    assert longest_row(file, chunk, 1) == max(*counts, 1)


def test_the_longest_row_of_lists_of_lists_is_found() -> None:
    rows = [[[1.0] * 7] * 3, [[2.0] * 300], [[0.5] * 2] * 40]
    (chunk,) = column_chunks(file := saved({"mag": rows}))
    assert longest_row(file, chunk, 2) == 300
    (chunk,) = column_chunks(file := saved({"mag": [[[[1.0] * 2] * 2] * 2] * 2}))
    assert longest_row(file, chunk, 3) == 8
    assert longest_row(file, chunk, 0) == 1


def test_levels_that_cannot_be_read_count_as_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    (chunk,) = column_chunks(file := saved({"wav": ragged([2, 3] * 100)}))
    assert longest_row(file, dataclasses.replace(chunk, codec=3), 1) == 500
    monkeypatch.setattr(parquet_pages, "MAX_RUNS", 0)
    assert longest_row(file, chunk, 1) == 500


def data_page(values: int, stored: int, inflated: int) -> bytes:
    return struct({1: 0, 2: inflated, 3: stored, 5: {1: values, 2: 0, 3: 3, 4: 3}}) + bytes(max(min(stored, 100), 0))


def chunk_of(data: bytes, values: int) -> tuple[io.BytesIO, ColumnChunk]:
    return io.BytesIO(data), ColumnChunk(
        "a", 0, len(data), path="a", group=0, kind=4, codec=1, values=values, rows=1, start=0
    )


def test_the_size_to_which_a_page_claims_to_inflate_is_counted() -> None:
    assert chunk_sizes(*chunk_of(data_page(1, 10, 2_000_000_000), 1)).pages == 2_000_000_010


@pytest.mark.parametrize(
    ("data", "values", "message"),
    [
        (data_page(1 << 30, 10, 10), 1, "its pages have more values than its footer claims"),
        (data_page(1, 1_000_000, 10), 1, "a page claims more than its column has"),
        (data_page(1, -1, 10), 1, "a page has no sizes"),
        (data_page(-1, 10, 10), 1, "a page has no sizes"),
        (data_page(0, 0, 0) * 2000, 1, "it has too many pages"),
        (struct({1: 0, 2: 1, 3: 1}), 1, "a page has no header of its kind"),
        (struct({1: 2, 2: 1, 3: 1}), 1, "a page has no header of its kind"),
        (b"\x15", 1, "it is cut off"),
    ],
)
def test_pages_that_lie_are_refused(data: bytes, values: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(pages(*chunk_of(data, values)))


@given(st.binary(max_size=300), st.integers(0, 3), st.integers(1, 100))
def test_broken_pages_raise_nothing_but_a_value_error(data: bytes, depth: int, values: int) -> None:
    file, chunk = chunk_of(data, values)
    chunk = dataclasses.replace(chunk, codec=0)
    with contextlib.suppress(ValueError):
        assert longest_row(file, chunk, depth) <= max(values, 1)


@given(st.binary(max_size=60), st.integers(1, 3))
def test_broken_levels_raise_nothing_but_a_value_error(levels: bytes, depth: int) -> None:
    body = len(levels).to_bytes(4, "little") + levels
    head = struct({1: 0, 2: len(body), 3: len(body), 5: {1: 50, 2: 0, 3: 3, 4: 3}})
    file, chunk = chunk_of(head + body, 50)
    with contextlib.suppress(ValueError):
        assert 1 <= longest_row(file, dataclasses.replace(chunk, codec=0), depth) <= 51


def test_the_chunks_of_a_column_are_those_that_pyarrow_reads_for_its_name() -> None:
    chunks = column_chunks(saved({"a": [[1.0]], "a.b": [[2.0]], "ab": [[3.0]], "c": [{"b": [1.0]}]}))
    assert [chunk.column for chunk in chunks_of(chunks, "a")] == ["a", "a.b"]
    assert [chunk.column for chunk in chunks_of(chunks, "c.b")] == ["c"]
