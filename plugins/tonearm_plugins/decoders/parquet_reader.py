"""``parquet-reader``: columns of arrays or of audio, a row at a time."""

from __future__ import annotations

import contextlib
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import (
    LEAVE_OUT,
    ArrayDecoder,
    Context,
    GiveOption,
    Item,
    ItemError,
    KeyedArrayOptions,
    Requirement,
    Signal,
    Source,
    Waveform,
    check_claimed_size,
    check_magic,
    check_memory,
    listed,
    memory_limit,
    quoted,
    rate_among,
    reading_errors,
)
from tonearm_plugins.decoders.contained import content_of, content_of_text, sound_options
from tonearm_plugins.formats.json_text import is_encoded
from tonearm_plugins.formats.parquet_footer import ColumnChunk, column_chunks
from tonearm_plugins.formats.parquet_pages import chunk_sizes, chunks_of, longest_row
from tonearm_plugins.formats.parquet_types import (
    is_audio,
    is_binary,
    is_decoded_audio,
    is_list_of_numbers,
    is_text,
    rate_field,
    stating_columns,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

ROWS = 64
"""Number of rows that are read together, if they are small."""

BATCH = 64 << 20
"""Bytes of rows that are read together: a row may be a minute of sound."""

FREE_ROWS = 10_000
"""Number of rows that a file of any size may have; each further row takes a byte at least."""

BUFFER = 1 << 20
"""Bytes that are read from a file at once."""

NUMBER = 28
"""Bytes that pyarrow needs for a number beside twice its own: levels, in buffers that grow by doubling."""

COPIES = 3
"""Number of copies of a value of bytes: in a growing buffer, and for Python."""

COMPANIONS = ("lengths", "imag", "phase")
"""Options that name a second column."""


@dataclass(frozen=True, kw_only=True)
class ParquetOptions(KeyedArrayOptions):
    """Options of ``parquet-reader``; names are those of columns, and each row is an item or a batch of items."""


class ParquetReader(ArrayDecoder[ParquetOptions]):
    """Read a column of a .parquet file: lists, fixed-size lists, or Hugging Face's audio; rows are streamed."""

    suffixes = (".parquet",)
    reads = "content"
    holds_many = True
    requires = (Requirement(name="pyarrow", hint="pip install 'tonearm[parquet]'"),)

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:
        """Yield an item for each row, or for each element of its batch axis."""
        if source.holds_arrays:
            yield from super().decode(source, context)
            return
        with source.open() as file, _open_table(file, source.name) as table:
            index = 0
            for column in self._chosen(table):
                beside = self._beside(table.schema, column)
                for row, (value, says, others) in enumerate(_values(table, column, beside)):
                    for one in self._signals(column, row, value, says, others, context):
                        yield one if isinstance(one, ItemError) else Item(signal=one, key=column, index=index)
                        index += 1

    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, Array | Waveform] | ItemError]:
        """Yield the array of each row with its column's name; audio as its waveform."""
        with source.open() as file, _open_table(file, source.name) as table:
            for column in self._chosen(table):
                for row, (value, says, _) in enumerate(_values(table, column, {})):
                    try:
                        found = self._content(value, row, context)
                        rate = rate_among(says)
                        if rate is not None and not isinstance(found, Waveform):
                            context.measure(sample_rate=rate.rate)
                        yield column, found
                    except ItemError as error:
                        yield error

    def _signals(
        self, column: str, row: int, value: Any, says: Mapping[str, Any], others: Mapping[str, Any], context: Context
    ) -> Iterator[Signal | ItemError]:
        """Yield the signals of a row."""
        try:
            found = self._content(value, row, context)
            companions = {option: _array(other, row) for option, other in others.items()}
        except ItemError as error:
            yield error
        else:
            yield from self.read(found, context, key=f"{column}, row {row}", says=says, **companions)

    def _content(self, value: Any, row: int, context: Context) -> Array | Waveform:
        """Return the sound of a row, or its array."""
        if not isinstance(value, dict):
            return _array(value, row)
        if "text" in value:
            text = value["text"] or ""
            return content_of_text(text, f"row {row}", "", sound_options(self.options), context)
        data = value.get("bytes")
        if not data:
            path = value.get("path")
            hint = (
                f"it names {quoted(str(path))}; embed the files with Dataset.cast_column, or read them by audio-reader"
            )
            raise ItemError(f"row {row} holds no audio", code="empty", hint=hint if path else LEAVE_OUT)
        content = content_of(data, f"row {row}", "", sound_options(self.options), context)
        if isinstance(content.value, bytes):
            hint = "raw samples: save them with their type, or as WAV"
            raise ItemError(f"row {row} holds bytes of no known format", code="wrong-format", hint=hint)
        return content.value

    def _beside(self, schema: Any, column: str) -> dict[str, str]:
        """Return the second columns of a column, by the options that name them."""
        found = {}
        for option in COMPANIONS:
            if getattr(self.options, option) is not None:
                found[option] = name = self.options.companion(option, column)
                index = schema.get_field_index(name)
                if index < 0 or not (is_list_of_numbers(schema.field(index).type) or option == "lengths"):
                    raise ItemError(
                        f"there is no column {quoted(name)} of arrays", code="no-such-key", hint=f"{option} names one"
                    )
        return found

    def _chosen(self, table: _Table) -> list[str]:
        """Return the columns that ``key`` names, or the only one; columns of text only if there are no others."""
        from fnmatch import fnmatchcase

        schema = table.schema
        others = [name for name in (getattr(self.options, option) for option in COMPANIONS) if name is not None]
        known = [
            field.name
            for field in schema
            if (is_audio(field.type) or is_list_of_numbers(field.type) or is_decoded_audio(field.type))
            and not any(field.name == name or fnmatchcase(field.name, name) for name in others)
        ]
        known = known or [field.name for field in schema if is_text(field.type) and _is_encoded(table, field.name)]
        named = listed(known)
        pattern = self.options.key
        if pattern is None and len(known) == 1:
            return known
        if pattern is None:
            raise ItemError(
                f"there are {len(known)} columns of arrays or audio: {named}"
                if known
                else "there is no column of arrays or audio",
                code="several-arrays" if known else "empty",
                remedies=(GiveOption("key", "the name of one"),) if known else (),
            )
        chosen = [pattern] if pattern in known else [name for name in known if fnmatchcase(name, pattern)]
        if not chosen:
            hint = f"columns of arrays or audio: {named}"
            raise ItemError(f"there is no column {quoted(pattern)} of arrays or audio", code="no-such-key", hint=hint)
        return chosen


@dataclass(frozen=True)
class _Table:
    """Open file with its schema and the claims of its footer."""

    name: str
    binary: BinaryIO
    file: Any
    schema: Any
    chunks: list[ColumnChunk]


@contextlib.contextmanager
def _open_table(file: BinaryIO, name: str) -> Iterator[_Table]:
    """Open a file after its footer was checked."""
    check_magic(file, name, "a Parquet file", (b"PAR1",))
    import pyarrow.parquet

    with reading_errors(name, "a Parquet file"):
        chunks = column_chunks(file)
        file.seek(0)
        # Without a buffer, the whole column of a row group would be read at once.
        table = pyarrow.parquet.ParquetFile(file, buffer_size=BUFFER)
    yield _Table(name, file, table, table.schema_arrow, chunks)


def _values(
    table: _Table, column: str, beside: Mapping[str, str]
) -> Iterator[tuple[Any, Mapping[str, Any], dict[str, Any]]]:
    """Yield each row of a column, what the table says about it, and its companions by their options.

    Audio is a mapping with its bytes; anything else is a scalar of pyarrow.
    """
    kind = table.schema.field(column).type
    rates = [] if is_audio(kind) else stating_columns(table.schema, column, beside.values())
    for values in _rows(table, [column, *rates, *beside.values()]):
        value, *others = values
        says: dict[str, Any] = {name: other.as_py() for name, other in zip(rates, others, strict=False)}
        nearest: dict[str, Any] = {}
        if is_decoded_audio(kind):
            field = rate_field(kind)
            if value.is_valid and field:
                nearest = {field: value[field].as_py()}
            value = value["array"] if value.is_valid else value
        yield value, ChainMap(nearest, says), dict(zip(beside, others[len(rates) :], strict=True))


def _is_encoded(table: _Table, column: str) -> bool:
    """Return whether the first row of a column of text may be base64 of a file."""
    first: Any = next(_rows(table, [column]), None)
    return first is not None and is_encoded(first[0]["text"] or "")


def _rows(table: _Table, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of some columns, with few rows in memory at a time."""
    names = [name for column in columns for name in _leaves(table.schema, column)]
    chosen = [chunk for name in names for chunk in chunks_of(table.chunks, name)]
    for chunk in chosen:
        check_claimed_size(table.name, chunk.column, chunk.inflated, chunk.stored)
    stored = sum(chunk.stored for chunk in chosen)
    rows_seen = bytes_seen = 0
    for group in dict.fromkeys(chunk.group for chunk in chosen if chunk.values):
        with reading_errors(table.name, "a Parquet file"):
            count = _rows_at_once(table, columns[0], [chunk for chunk in chosen if chunk.group == group])
            batches = table.file.iter_batches(batch_size=count, row_groups=[group], columns=names, use_threads=False)
        while True:
            with reading_errors(table.name, "a Parquet file"):
                batch = next(batches, None)
                if batch is None:
                    break
                rows = list(zip(*(_scalars(batch.column(column)) for column in columns), strict=True))
            rows_seen += len(rows)
            bytes_seen += batch.nbytes
            check_claimed_size(table.name, columns[0], bytes_seen, stored)
            if rows_seen > FREE_ROWS + stored:
                raise ItemError(
                    f"{quoted(table.name)} claims more than {FREE_ROWS + stored:,} rows, but only {stored:,} bytes"
                    f" are stored for {quoted(columns[0])}",
                    code="too-large",
                    hint="leave out rows that are null or repeat one another",
                )
            yield from rows
            del rows, batch  # before the next ones are read


def _leaves(schema: Any, column: str) -> list[str]:
    """Return the names by which pyarrow reads a column: those of the bytes and the path of audio."""
    from pyarrow import types

    kind = schema.field(column).type
    if is_decoded_audio(kind):
        rate = rate_field(kind)
        return [f"{column}.array", *([f"{column}.{rate}"] if rate else ())]
    if not is_audio(kind) or is_binary(kind):
        return [column]
    path = next((field for field in kind if field.name == "path"), None)
    named = path is not None and (types.is_string(path.type) or types.is_large_string(path.type))
    return [f"{column}.bytes", *([f"{column}.path"] if named else ())]


def _rows_at_once(table: _Table, column: str, chunks: list[ColumnChunk]) -> int:
    """Return the number of rows that are read together from some columns of a row group.

    Raises
    ------
    ItemError
        ``too-large`` if one row would take more memory than is allowed.
    """
    found = [_memory_of(table, chunk) for chunk in chunks]
    check_memory(table.name, column, sum(most for _, most in found) // 2)  # which counts it twice
    return max(1, min(ROWS, BATCH // max(sum(row for row, _ in found), 1)))


def _memory_of(table: _Table, chunk: ColumnChunk) -> tuple[int, int]:
    """Return the memory in bytes that a row of a column takes, and the most that reading takes at once."""
    sizes = chunk_sizes(table.binary, chunk)
    if chunk.width == 1:
        each, total = COPIES * sizes.value, COPIES * sizes.total
    else:
        number = NUMBER + 2 * chunk.width
        each, total = 0, number * chunk.values  # each takes reading of all levels
    if sizes.pages + total <= memory_limit():
        return total // max(chunk.rows, 1), sizes.pages + total
    if not each:
        check_memory(table.name, chunk.column, sizes.pages // 2)
        each = number * longest_row(table.binary, chunk, _depth(table.file.schema, chunk.path))
    return each, sizes.pages + each


def _depth(schema: Any, path: str) -> int:
    """Return the number of lists around the values of a column."""
    columns = (schema.column(index) for index in range(len(schema)))
    return next((int(one.max_repetition_level) for one in columns if one.path == path), 255)


def _scalars(values: Any) -> list[Any]:
    """Return the rows of a column: audio as a dict, arrays as they are."""
    storage = getattr(values, "storage", values)  # Hugging Face's Array2D is an extension type
    rows = [storage[row] for row in range(len(storage))]
    if is_text(storage.type):
        return [{"text": row.as_py()} for row in rows]
    if is_binary(storage.type):
        return [{"bytes": row.as_py()} for row in rows]
    return [row.as_py() or {} for row in rows] if is_audio(storage.type) else rows


def _array(scalar: Any, row: int) -> Array:
    """Return the value of one row as an array with an axis for each level of lists; a number is an array of one.

    Raises
    ------
    ItemError
        ``empty`` for null, ``not-finite`` for nulls among numbers, ``ragged`` for inner lists of different lengths.
    """
    import numpy as np

    if isinstance(scalar, dict):
        return np.atleast_1d(np.asarray(scalar.get("text")))
    if not scalar.is_valid:
        raise ItemError(f"row {row} is null", code="empty", hint=LEAVE_OUT)
    if not hasattr(scalar, "values"):
        return np.atleast_1d(np.asarray(scalar.as_py()))
    values = scalar.values
    shape = [len(values)]
    while hasattr(values.type, "value_type") and is_list_of_numbers(values.type):
        lengths = _lengths(values)
        if len(lengths) != 1 or values.null_count:
            raise ItemError(
                f"the lists of row {row} have {len(lengths) + (values.null_count > 0)} different lengths",
                code="ragged",
                hint="pad them, or split them into rows",
            )
        shape.append(lengths[0])
        values = values.flatten()
    if values.null_count:
        raise ItemError(
            f"row {row} has {values.null_count} nulls among its numbers", code="not-finite", hint="fill them"
        )
    return np.asarray(values.to_numpy(zero_copy_only=False)).reshape(shape)


def _lengths(lists: Any) -> list[int]:
    """Return the different lengths of lists that are not null."""
    import numpy as np
    from pyarrow import types

    if types.is_fixed_size_list(lists.type):
        return [lists.type.list_size] if len(lists) else []
    lengths = np.diff(lists.offsets.to_numpy())
    if lists.null_count:
        lengths = lengths[lists.is_valid().to_numpy(zero_copy_only=False)]
    found: list[int] = np.unique(lengths).tolist()
    return found
