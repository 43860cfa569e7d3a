"""Footers of Parquet files: the sizes that pyarrow reads, and a ValueError for every broken one."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm_plugins.formats.parquet_footer import column_chunks


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


@given(st.binary(max_size=200))
def test_a_broken_footer_raises_nothing_but_a_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        column_chunks(io.BytesIO(b"PAR1" + data + len(data).to_bytes(4, "little") + b"PAR1"))


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
    with pytest.raises(ValueError, match=message):
        column_chunks(io.BytesIO(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"))


@pytest.mark.parametrize("size", [0, 1 << 30])
def test_a_footer_of_an_impossible_size_is_not_read(size: int) -> None:
    with pytest.raises(ValueError, match="its footer is cut off"):
        column_chunks(io.BytesIO(b"PAR1" + bytes(50) + size.to_bytes(4, "little") + b"PAR1"))
