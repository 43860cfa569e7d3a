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
from thrift_structs import struct, varint

from tonearm_plugins.formats import parquet_pages
from tonearm_plugins.formats.parquet_footer import ColumnChunk, column_chunks
from tonearm_plugins.formats.parquet_pages import ChunkSizes, Page, chunk_sizes, chunks_of, longest_row, pages

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


def page(kind: int, body: bytes, head: int | None, fields: dict[int, Any] | None = None, inflated: int = 0) -> bytes:
    """A page whose header of its kind is field ``head``."""
    found: dict[int, Any] = {1: kind, 2: inflated or len(body), 3: len(body)}
    return struct(found | ({head: fields} if head else {})) + body


def within(
    data: bytes, values: int, before: int = 0, after: bytes = b"", **fields: Any
) -> tuple[io.BytesIO, ColumnChunk]:
    chunk = dataclasses.replace(chunk_of(data, values)[1], start=before, **fields)
    return io.BytesIO(b"x" * before + data + after), chunk


def test_every_field_of_a_page_has_its_place() -> None:
    parts = [
        page(2, bytes(5), 7, {1: 9, 2: 8}, inflated=50),
        page(1, bytes(4), None),  # an index
        page(0, bytes(7), 5, {1: 3, 2: 8, 3: 3, 4: 3}, inflated=70),
        page(0, bytes(7), 5, {1: 3, 2: 0, 3: 3, 4: 4}),
        page(0, bytes(7), 5, {1: 0, 2: 0}),
        page(3, bytes(6), 8, {1: 4, 2: 1, 3: 2, 4: 5, 5: 0, 6: 2}, inflated=60),
    ]
    ends = [sum(map(len, parts[: count + 1])) + 11 for count in range(len(parts))]
    expected = [
        Page(9, ends[0] - 5, 5, 50, 0, True, None, True),  # noqa: FBT003
        Page(3, ends[2] - 7, 7, 70, 8, False, None, True),  # noqa: FBT003
        Page(3, ends[3] - 7, 7, 7, 0, False, None, False),  # noqa: FBT003
        Page(0, ends[4] - 7, 7, 7, 0, False, None, False),  # noqa: FBT003
        Page(4, ends[5] - 6, 6, 60, 5, False, 2, True),  # noqa: FBT003
    ]
    assert list(pages(*within(b"".join(parts), 10, before=11))) == expected
    assert Page(1, 2, 3, 4) == Page(1, 2, 3, 4, 0, False, None, True)  # noqa: FBT003
    for value, field in ((expected[0], "values"), (ChunkSizes(1, 2, 3), "total")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field, 0)


def test_pages_end_with_the_values_or_the_chunk() -> None:
    two = data_page(1, 4, 4) + data_page(1, 4, 4)
    assert len(list(pages(*within(two, 9, after=b"nonsense")))) == 2
    file, chunk = chunk_of(two + b"nonsense", 2)
    assert len(list(pages(file, chunk))) == 2
    assert list(pages(*chunk_of(b"nonsense", 0))) == []
    with pytest.raises(ValueError, match=r"^its pages have more values than its footer claims$"):
        list(pages(*chunk_of(data_page(2, 4, 4), 1)))


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_a_chunk_may_lack_the_header_of_its_dictionary(more: int, fits: bool) -> None:
    head = struct({1: 0, 2: 20, 3: 300 + 256 + more, 5: {1: 1, 2: 0, 3: 3, 4: 3}})
    file, chunk = within(head + bytes(300), 1, before=1000)
    if fits:
        assert len(list(pages(file, chunk))) == 1
    else:
        with pytest.raises(ValueError, match=r"^a page claims more than its column has$"):
            list(pages(file, chunk))


def test_the_number_of_pages_is_bounded() -> None:
    one = data_page(0, 0, 0)
    most = max(count for count in range(2000) if count <= 1000 + count * len(one) // 256)
    assert most > 1050
    assert len(list(pages(*chunk_of(one * most, 1)))) == most
    with pytest.raises(ValueError, match=r"^it has too many pages$"):
        list(pages(*chunk_of(one * (most + 1), 1)))


@pytest.mark.parametrize("field", [2, 3])
def test_pages_of_nothing_have_sizes(field: int) -> None:
    head: dict[int, Any] = {1: 0, 2: 0, 3: 0, 5: {1: 0, 2: 0}}
    assert len(list(pages(*chunk_of(struct(head), 1)))) == 1
    for wrong in (-1, b"1", None):
        given = {
            key: wrong if key == field else value for key, value in head.items() if key != field or wrong is not None
        }
        with pytest.raises(ValueError, match=r"^a page has no sizes$"):
            list(pages(*chunk_of(struct(given), 1)))


DICTIONARY = page(2, bytes(5), 7, {1: 9}, inflated=50)


@pytest.mark.parametrize(
    ("parts", "fields", "expected"),
    [
        ([page(0, bytes(7), 5, {1: 3, 2: 0}, 70)], {"codec": 1, "kind": 4}, ChunkSizes(77, 70, 70)),
        ([page(0, bytes(7), 5, {1: 3, 2: 0}, 70)], {"codec": 0, "kind": 4}, ChunkSizes(70, 70, 70)),
        ([page(0, bytes(7), 5, {1: 3, 2: 6}, 70)], {"codec": 1, "kind": 6}, ChunkSizes(77, 70, 70)),
        ([page(0, bytes(7), 5, {1: 3, 2: 7}, 70)], {"codec": 1, "kind": 6}, ChunkSizes(77, 70, 210)),
        ([DICTIONARY, page(0, bytes(7), 5, {1: 3, 2: 8}, 30)], {"codec": 1, "kind": 4}, ChunkSizes(105, 50, 150)),
        ([DICTIONARY, page(0, bytes(7), 5, {1: 3, 2: 8}, 30)], {"codec": 1, "kind": 6}, ChunkSizes(249, 50, 150)),
        ([DICTIONARY, page(0, bytes(7), 5, {1: 3, 2: 8}, 60)], {"codec": 0, "kind": 6}, ChunkSizes(254, 60, 180)),
        (
            [page(0, bytes(9), 5, {1: 3, 2: 0}, 30), page(0, bytes(7), 5, {1: 2, 2: 0}, 31)],
            {"codec": 1, "kind": 6},
            ChunkSizes(39, 31, 61),
        ),
        ([], {"codec": 1, "kind": 6}, ChunkSizes(0, 0, 0)),
    ],
)
def test_sizes_are_added_up(parts: list[bytes], fields: dict[str, int], expected: ChunkSizes) -> None:
    assert chunk_sizes(*within(b"".join(parts), 99, **fields)) == expected


Run = tuple[int, int] | list[int]  # a count and a level, or levels that are packed


def encoded(runs: list[Run], bits: int) -> bytes:
    """Levels as Parquet's hybrid of runs and packed groups of eight."""
    found = b""
    for run in runs:
        if isinstance(run, tuple):
            found += varint(run[0] << 1) + bytes([run[1]])
        else:
            number = sum(level << (bits * at) for at, level in enumerate(run))
            found += varint(len(run) // 8 << 1 | 1) + number.to_bytes(len(run) // 8 * bits, "little")
    return found


def levels_of(runs: list[Run], values: int) -> list[int]:
    found: list[int] = []
    for run in runs:
        found += [run[1]] * run[0] if isinstance(run, tuple) else run
    return found[:values]


def longest_of(levels: list[int]) -> int:
    """The longest row, counted one by one."""
    longest = length = 0
    for level in levels:
        length = 1 if level == 0 else length + 1
        longest = max(longest, length)
    return longest


def column_of(*parts: bytes, values: int, codec: int = 0, **fields: Any) -> tuple[io.BytesIO, ColumnChunk]:
    return within(b"".join(parts), values, codec=codec, **fields)


def page_of_levels(levels: bytes, values: int, *, version: int = 1) -> bytes:
    if version == 2:
        return page(3, levels + b"values", 8, {1: values, 2: 0, 3: 1, 4: 0, 5: 0, 6: len(levels)})
    return page(0, len(levels).to_bytes(4, "little") + levels + b"values", 5, {1: values, 2: 0, 3: 3, 4: 3})


RUNS: list[list[Run]] = [
    [(1, 0)],
    [(5, 0)],
    [(1, 0), (6, 1)],
    [(1, 1), (1, 0)],
    [[0, 1, 1, 1, 0, 1, 0, 0]],
    [[0, 1, 1, 1, 1, 1, 1, 1], (9, 1), [1, 1, 0, 1, 1, 1, 1, 0], (3, 1)],
    [[0] * 8 + [1] * 16, (10, 1), (1, 0), (20, 1)],
    [(2, 0), [1] * 8, (3, 0), (2, 1)],
    [(1, 0), (0, 0), (0, 1), (12, 1)],
]


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 127, 255])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("runs", RUNS)
def test_runs_of_levels_are_counted(runs: list[Run], version: int, depth: int) -> None:
    total = len(levels_of(runs, 1 << 30))
    levels = encoded(runs, depth.bit_length())
    for values in range(1, total + 1):
        expected = longest_of(levels_of(runs, values))
        one = page_of_levels(levels, values, version=version)
        assert longest_row(*column_of(one, values=values), depth) == expected
        twice = longest_of(levels_of(runs, values) * 2)
        assert longest_row(*column_of(DICTIONARY, one, one, values=2 * values), depth) == twice


def test_levels_deeper_than_a_byte_count_as_one_row() -> None:
    one = page_of_levels(encoded([(3, 0)], 8), 3)
    assert longest_row(*column_of(one, values=3), 255) == 1
    assert longest_row(*column_of(one, values=3), 256) == 3


def test_the_number_of_runs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parquet_pages.MAX_RUNS == 500_000
    one = page_of_levels(encoded([(1, 1), [0, 1] * 4, (1, 1)], 1), 10)
    for most, expected in ((6, 4), (5, 20)):
        monkeypatch.setattr(parquet_pages, "MAX_RUNS", most)
        assert longest_row(*column_of(one, one, values=20), 1) == expected


@pytest.mark.parametrize(
    ("levels", "values", "bits", "expected"),
    [
        (b"", 0, 1, []),
        (b"\x0a\1", 5, 1, [(5, [])]),
        (b"\x0a\1", 3, 1, [(3, [])]),
        (b"\x0a\0", 5, 1, [(1, [0]), (1, [0])]),
        (b"\x0a", 5, 1, [(5, [])]),
        (b"\x00\0\x0a\1", 5, 1, [(5, [])]),
        (b"\x80" * 6 + b"\x02\x0a\1", 5, 1, [(0, []), (5, [])]),
        (b"\x80" * 4 + b"\x10\1", 5, 1, [(5, [])]),
        (b"\x03\xfe", 8, 1, [(8, [0])]),
        (b"\x03\xfe", 2, 1, [(2, [0])]),
        (b"\x05\xfe\xfe", 16, 1, [(16, [0, 8])]),
        (b"\x05\xfe", 8, 1, [(8, [0])]),  # cut off, but not too early
        (b"\x03\xc7", 2, 3, [(2, [1])]),
        (b"\x03\x11\x01\x11\x11", 8, 4, [(8, [3])]),
    ],
)
def test_runs_are_cut_to_the_values(levels: bytes, values: int, bits: int, expected: list[Any]) -> None:
    found = [(count, starts.tolist()) for count, starts in parquet_pages._runs(levels, values, bits)]
    assert found == expected


@pytest.mark.parametrize(
    ("levels", "values", "bits"),
    [(b"", 1, 1), (b"\x80", 1, 1), (b"\x0a\1", 6, 1), (b"\x03\xfe", 9, 1), (b"\x03\xc7", 3, 3), (b"\x03", 1, 1)],
)
def test_levels_that_are_cut_off_are_refused(levels: bytes, values: int, bits: int) -> None:
    with pytest.raises(ValueError, match=r"^the levels of a page are cut off$"):
        list(parquet_pages._runs(levels, values, bits))


def test_packed_levels_are_unpacked_by_pieces() -> None:
    groups = (1 << 14) + 3
    for bits in (1, 3):
        levels = varint(groups << 1 | 1) + b"\xff" * (groups * bits)
        found = [count for count, _ in parquet_pages._runs(levels, groups * 8, bits)]
        assert found == [1 << 17, 24]


@pytest.mark.parametrize("codec", [1, 2, 4, 6, 7])
def test_levels_within_compressed_pages_are_read(codec: int) -> None:
    levels = encoded([(1, 0), (6, 1), (1, 0)], 1)
    body = len(levels).to_bytes(4, "little") + levels + bytes(90)
    packed = pa.compress(body, codec=parquet_pages._CODECS[codec], asbytes=True)
    one = page(0, packed, 5, {1: 8, 2: 0, 3: 3, 4: 3}, inflated=len(body))
    assert longest_row(*column_of(one, values=8, codec=codec), 1) == 7
    for other in (3, 5, 8):
        assert longest_row(*column_of(one, values=8, codec=other), 1) == 8
    version_2 = page(3, levels + packed, 8, {1: 8, 2: 0, 3: 1, 4: 0, 5: 0, 6: len(levels)})
    assert longest_row(*column_of(version_2, values=8, codec=3), 1) == 7


def test_levels_in_another_encoding_count_as_one_row() -> None:
    levels = encoded([(8, 0)], 1)
    body = len(levels).to_bytes(4, "little") + levels
    for encoding, expected in ((3, 1), (4, 8)):
        one = page(0, body, 5, {1: 8, 2: 0, 3: 3, 4: encoding})
        assert longest_row(*column_of(one, values=8), 1) == expected


def test_levels_longer_than_their_page_are_cut() -> None:
    one = page(3, b"\x10", 8, {1: 8, 2: 0, 3: 1, 4: 0, 5: 0, 6: 99})
    assert longest_row(*column_of(one, b"\0" * 50, values=8), 1) == 8  # the level after the run is missing


class Tracked(io.BytesIO):
    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.asked: list[int | None] = []

    def read(self, size: int | None = -1) -> bytes:
        self.asked.append(size)
        return super().read(size)


@pytest.mark.parametrize(
    ("size", "asked"),
    [
        (100, [256]),
        (256, [256]),
        (257, [256, 4096]),
        (4096, [256, 4096]),
        (4097, [256, 4096, 65536]),
        (1 << 20, [256, 4096, 65536, 1 << 20]),
    ],
)
def test_headers_with_long_statistics_are_read(size: int, asked: list[int]) -> None:
    fields: dict[int, Any] = {1: 0, 2: 0, 3: 0, 5: {1: 1, 2: 0}}
    rest = size - len(struct(fields | {9: b""}))
    head = struct(fields | {9: b"x" * (rest - len(varint(rest)) + 1)})
    assert len(head) == size
    file = Tracked(head + b"y" * 5000)
    assert [one.start for one in pages(file, chunk_of(head, 1)[1])] == [size]
    assert file.asked == asked


def test_the_longest_header_is_1_mib() -> None:
    head = struct({1: 0, 2: 0, 3: 0, 5: {1: 1, 2: 0}, 9: b"x" * (1 << 20)})
    file = Tracked(head)
    with pytest.raises(ValueError, match="it claims more than it holds"):
        list(pages(file, chunk_of(head, 1)[1]))
    assert file.asked[-1] == 1 << 20
    short = Tracked(b"\x15")
    with pytest.raises(ValueError, match="it is cut off"):
        list(pages(short, chunk_of(b"\x15", 1)[1]))
    assert short.asked == [256]
