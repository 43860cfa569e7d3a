"""Footers of Parquet files: the sizes that pyarrow reads, and a ValueError for every broken one."""

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

from tonearm_plugins.formats import parquet_footer
from tonearm_plugins.formats.parquet_footer import ColumnChunk, column_chunks


def test_the_sizes_are_those_that_pyarrow_reads() -> None:
    columns = {
        "a": [[0.5, 0.25], [1.0], [0.0] * 300, []],
        "m": [[[1.0, 2.0]]] * 4,
        "n": [1, 2, 3, 4],
        "t": ["x"] * 4,
        "b": [True] * 4,
    }
    for how in ({}, {"compression": "none", "row_group_size": 2}, {"version": "1.0", "use_dictionary": False}):
        file = io.BytesIO()
        pq.write_table(pa.table(columns), file, **how)
        data = file.getvalue()
        metadata = pq.ParquetFile(io.BytesIO(data)).metadata
        expected = [
            (part.path_in_schema.partition(".")[0], part.total_uncompressed_size, part.total_compressed_size)
            for group in range(metadata.num_row_groups)
            for part in (metadata.row_group(group).column(index) for index in range(metadata.num_columns))
        ]
        found = column_chunks(io.BytesIO(data))
        assert [(one.column, one.stored) for one in found] == [(name, stored) for name, _, stored in expected]
        assert all(one.inflated >= inflated for one, (_, inflated, _) in zip(found, expected, strict=True))
    one_value = io.BytesIO()
    pq.write_table(pa.table({"zeros": np.zeros(1_000_000)}), one_value)
    (chunk,) = column_chunks(one_value)
    assert chunk.inflated == 8_000_000  # by its number of values: the dictionary has one
    assert chunk.stored < 10_000


COLUMN = {1: 4, 3: [b"a", b"list", b"item"], 4: 6, 5: 7, 6: 200, 7: 50, 9: 400}
CHUNK = ColumnChunk(
    "a", 200, 50, path="a.list.item", group=0, kind=4, codec=6, values=7, rows=3, start=400
)  # what COLUMN holds


def file_of(footer: bytes) -> io.BytesIO:
    return io.BytesIO(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")


def group_of(*columns: Any, rows: Any = 3) -> dict[int, Any]:
    return {1: [{3: one} for one in columns], 3: rows}


def chunks_of(*groups: Any) -> list[ColumnChunk]:
    return column_chunks(file_of(struct({4: list(groups)})))


def without(fields: dict[int, Any], number: int) -> dict[int, Any]:
    return {field: value for field, value in fields.items() if field != number}


def test_every_field_has_its_place() -> None:
    assert chunks_of(group_of(COLUMN)) == [CHUNK]
    with pytest.raises(dataclasses.FrozenInstanceError):
        CHUNK.start = 0


def test_columns_come_group_by_group() -> None:
    other = COLUMN | {3: [b"b\xff"]}
    found = chunks_of(group_of(COLUMN, other), group_of(other, rows=0))
    named = dataclasses.replace(CHUNK, column="b\ufffd", path="b\ufffd")
    assert found == [CHUNK, named, dataclasses.replace(named, group=1, rows=0)]
    assert chunks_of(group_of()) == []
    assert chunks_of() == []


@pytest.mark.parametrize(
    ("kind", "width"), [(0, 1), (1, 4), (2, 8), (3, 12), (4, 4), (5, 8), (6, 1), (7, 1), (8, 1), (-1, 1)]
)
def test_values_take_at_least_their_width(kind: int, width: int) -> None:
    (small,) = chunks_of(group_of(COLUMN | {1: kind, 5: 100, 6: 100 * width - 1}))
    (large,) = chunks_of(group_of(COLUMN | {1: kind, 5: 100, 6: 100 * width + 1}))
    assert (small.width, small.inflated, large.inflated) == (width, 100 * width, 100 * width + 1)


@pytest.mark.parametrize(
    ("before", "start"), [(-1, 400), (0, 400), (1, 1), (399, 399), (400, 400), (401, 400), (b"\1", 400), ([1], 400)]
)
def test_a_dictionary_before_the_pages_is_their_start(before: Any, start: int) -> None:
    assert chunks_of(group_of(COLUMN | {11: before})) == [dataclasses.replace(CHUNK, start=start)]


def test_columns_without_values_are_read() -> None:
    (chunk,) = chunks_of(group_of(COLUMN | {5: 0, 6: 0, 7: 0, 9: 0}))
    assert (chunk.values, chunk.inflated, chunk.stored, chunk.start) == (0, 0, 0, 0)


SIZES, NAME, GROUPS = "a column has no sizes", "a column has no name", "it has no list of row groups"


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        *(([group_of(without(COLUMN, field))], SIZES) for field in (1, 4, 5, 6, 7, 9)),
        *(([group_of(dict(sorted((COLUMN | {field: b"1"}).items())))], SIZES) for field in (1, 4, 5, 6, 7, 9)),
        ([group_of(COLUMN, rows=b"3")], SIZES),
        ([without(group_of(COLUMN), 3)], SIZES),
        ([group_of(without(COLUMN, 3))], NAME),
        *(([group_of(COLUMN | {3: path})], NAME) for path in ([], [1], b"a", 1)),
        *(([group_of(COLUMN | {field: -1})], "a column has a negative size") for field in (5, 7)),
        *(([{1: [{3: column}], 3: 1}], "a column has no metadata") for column in (1, b"x", [1])),
        ([{1: [{2: 1}], 3: 1}], "a column has no metadata"),
        ([{3: 1}], GROUPS),
        ([{1: 1, 3: 1}], GROUPS),
        ([{1: [1], 3: 1}], GROUPS),
        ([1], GROUPS),
        ([b""], GROUPS),
    ],
)
def test_each_missing_field_is_named(groups: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        chunks_of(*groups)


def test_a_list_of_mixed_values_is_no_list_of_names() -> None:
    pairs = b"\x01\x85\x01a\x02"  # a map, which is read as a list: [b"a", 1]
    data = struct({4: [group_of(COLUMN | {3: b"@"})]}).replace(b"\x28\x01@", b"\x2b" + pairs)
    with pytest.raises(ValueError, match=f"^{NAME}$"):
        column_chunks(file_of(data))


def test_the_footer_may_fill_the_file_and_has_a_limit() -> None:
    whole = file_of(struct({4: [group_of(COLUMN)]})).getvalue()
    count = len(whole) - 12
    assert column_chunks(io.BytesIO(b"before" + whole)) == [CHUNK]
    for wrong in (0, count + 1, count + 9):
        with pytest.raises(ValueError, match=r"^its footer is cut off$"):
            column_chunks(io.BytesIO(whole[:-8] + wrong.to_bytes(4, "little") + b"PAR1"))
    for data in (whole[:-1], whole[:-4] + b"PARE", b"", b"PAR1", b"PAR1\0\0\0", bytes(8) + b"PAR1"):
        with pytest.raises(ValueError, match=r"^its footer is cut off$"):
            column_chunks(io.BytesIO(data))
    assert parquet_footer.MAX_FOOTER == 16 << 20
    for size, message in ((16 << 20, GROUPS), ((16 << 20) + 1, "its footer is cut off")):
        with pytest.raises(ValueError, match=f"^{message}$"):
            column_chunks(file_of(bytes(size)))


@given(st.binary(max_size=200))
def test_a_broken_footer_raises_nothing_but_a_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        column_chunks(file_of(data))


@pytest.mark.parametrize(
    ("footer", "message"),
    [
        (b"\x09", "it is cut off"),
        (b"\x29" + b"\x1c" * 3000, "it is nested too deeply"),
        (b"\x49\xfc\xff\xff\x7f", "it claims more than it holds"),
        (b"\x16" + b"\xff" * 20, "a number is too long"),
        (b"\x1d\x00", "type 13 does not exist"),
        (b"\x00", "it has no list of row groups"),
    ],
)
def test_each_fault_is_named(footer: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        column_chunks(file_of(footer))


@pytest.mark.parametrize("size", [0, 1 << 30])
def test_a_footer_of_an_impossible_size_is_not_read(size: int) -> None:
    with pytest.raises(ValueError, match="its footer is cut off"):
        column_chunks(io.BytesIO(b"PAR1" + bytes(50) + size.to_bytes(4, "little") + b"PAR1"))
