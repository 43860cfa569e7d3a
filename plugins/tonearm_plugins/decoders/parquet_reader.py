"""``parquet-reader``: columns of arrays or of audio, a row at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
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
    OptionError,
    RemoveOption,
    Requirement,
    Signal,
    Source,
    check_claimed_size,
    check_magic,
    listed,
    quoted,
    reading_errors,
)
from tonearm_plugins.decoders.waveforms import waveforms
from tonearm_plugins.formats.parquet_footer import ColumnChunk, column_chunks

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

ROWS = 64
"""Number of rows that are read together: a row may be a minute of sound."""

COMPANIONS = ("lengths", "imag", "phase")
"""Options that name a second column."""


@dataclass(frozen=True, kw_only=True)
class ParquetOptions(KeyedArrayOptions):
    """Options of ``parquet-reader``; names are those of columns, and each row is an item or a batch of items."""

    def problems(self) -> Iterator[OptionError]:
        """Yield the errors of options that conflict; audio has its own sample rate."""
        alone = not self.kind.axes  # it is the array that tells its kind
        yield from (one for one in super().problems() if not (alone and _misses_rate(one)))


def _misses_rate(problem: OptionError) -> bool:
    """Return whether a problem is the lack of a sample rate, which audio has itself."""
    return problem.code == "missing-option" and problem.option == "sample_rate"


class ParquetReader(ArrayDecoder[ParquetOptions]):
    """Read a column of a .parquet file: lists, fixed-size lists, or Hugging Face's audio; rows are streamed."""

    suffixes = (".parquet",)
    reads = "content"
    requires = (Requirement(name="pyarrow", hint="pip install 'tonearm[parquet]'"),)

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:
        """Yield an item for each row, or for each element of its batch axis."""
        if source.array is not None:
            yield from super().decode(source, context)
            return
        with source.open() as file, _open_table(file, source.name) as table:
            columns = self._chosen(table.schema)
            index = 0
            for column in columns:
                audio = _is_audio(table.schema.field(column).type)
                beside = {} if audio else self._beside(table.schema, column)
                for row, values in enumerate(_rows(table, [column, *beside.values()], source.name)):
                    others = dict(zip(beside, values[1:], strict=True))
                    found = (
                        self._audio(values[0], row, context)
                        if audio
                        else self._numbers(values[0], others, row, context)
                    )
                    for one in found:
                        yield one if isinstance(one, ItemError) else Item(signal=one, key=column, index=index)
                        index += 1

    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, Array] | ItemError]:
        """Yield the array of each row with its column's name; audio as its samples."""
        with source.open() as file, _open_table(file, source.name) as table:
            for column in self._chosen(table.schema):
                for row, (value,) in enumerate(_rows(table, [column], source.name)):
                    try:
                        if isinstance(value, dict):
                            array, rate = _audio(value, row)
                            context.measure(sample_rate=rate)
                        else:
                            array = _array(value, row)
                        yield column, array
                    except ItemError as error:
                        yield error

    def _beside(self, schema: Any, column: str) -> dict[str, str]:
        """Return the second columns of a column, by the options that name them."""
        found = {}
        for option in COMPANIONS:
            if getattr(self.options, option) is not None:
                found[option] = name = self.options.companion(option, column)
                index = schema.get_field_index(name)
                if index < 0 or not (_is_list(schema.field(index).type) or option == "lengths"):
                    raise ItemError(
                        f"there is no column {quoted(name)} of arrays", code="no-such-key", hint=f"{option} names one"
                    )
        return found

    def _numbers(self, value: Any, beside: dict[str, Any], row: int, context: Context) -> Iterator[Signal | ItemError]:
        """Yield the signals of a row of numbers."""
        try:
            if any(map(_misses_rate, super(ParquetOptions, self.options).problems())):
                raise ItemError(
                    "'sample_rate' is missing, and a list has none",
                    code="missing-option",
                    remedies=(GiveOption("sample_rate", "the rate that the model was made for, such as 22050"),),
                )
            array = _array(value, row)
            others = {option: _array(other, row) for option, other in beside.items()}
        except ItemError as error:
            yield error
        else:
            yield from self.read(array, context, **others)

    def _audio(self, value: Any, row: int, context: Context) -> Iterator[Signal | ItemError]:
        """Yield the sound of a row of audio."""
        try:
            samples, rate = _audio(value, row, double=self.options.precision == "double")
            if self.options.of_kind("sample_rate") not in (None, rate):
                raise ItemError(
                    f"row {row} is sampled at {rate} Hz, but sample_rate is {self.options.of_kind('sample_rate')}",
                    code="rate-mismatch",
                    remedies=(RemoveOption("sample_rate", "as audio has its own"),),
                )
            yield from waveforms(
                samples,
                ("channel", "time"),
                sample_rate=rate,
                full_scale=self.options.of_kind("full_scale"),
                nan=self.options.nan,
                context=context,
            )
        except ItemError as error:
            yield error

    def _chosen(self, schema: Any) -> list[str]:
        """Return the columns that ``key`` names, or the only one."""
        from fnmatch import fnmatchcase

        others = [name for name in (getattr(self.options, option) for option in COMPANIONS) if name is not None]
        known = [
            field.name
            for field in schema
            if (_is_audio(field.type) or _is_list(field.type))
            and not any(field.name == name or fnmatchcase(field.name, name) for name in others)
        ]
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
        table = pyarrow.parquet.ParquetFile(file)
    yield _Table(table, table.schema_arrow, chunks)


def _rows(table: _Table, columns: list[str], name: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of some columns, with few rows in memory at a time."""
    for column in columns:
        _check_claims(table.chunks, column, name)
    batches = table.file.iter_batches(batch_size=ROWS, columns=columns, use_threads=False)
    while True:
        with reading_errors(name, "a Parquet file"):
            batch = next(batches, None)
            if batch is None:
                return
            rows = list(zip(*(_scalars(batch.column(column)) for column in columns), strict=True))
        yield from rows


def _scalars(values: Any) -> list[Any]:
    """Return the rows of a column: audio as a dict, arrays as they are."""
    storage = getattr(values, "storage", values)  # Hugging Face's Array2D is an extension type
    rows = [storage[row] for row in range(len(storage))]
    return [row.as_py() for row in rows] if _is_audio(storage.type) else rows


def _check_claims(chunks: list[ColumnChunk], column: str, name: str) -> None:
    """Refuse row groups that inflate to far more than is stored: a repeated value takes only a few bytes."""
    for chunk in chunks:
        if chunk.column == column:
            check_claimed_size(name, column, chunk.inflated, max(chunk.stored, 0))


def _is_list(kind: Any) -> bool:
    """Return whether a type is a list of numbers, or of lists of them."""
    from pyarrow import types

    kind = getattr(kind, "storage_type", kind)
    depth = 0
    while types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        kind = kind.value_type
        depth += 1
    return depth > 0 and (types.is_integer(kind) or types.is_floating(kind))


def _is_audio(kind: Any) -> bool:
    """Return whether a type is Hugging Face's audio: the bytes of a file, and its path."""
    from pyarrow import types

    if not types.is_struct(kind):
        return False
    fields = {kind.field(index).name: kind.field(index).type for index in range(kind.num_fields)}
    blob = fields.get("bytes")
    return blob is not None and (types.is_binary(blob) or types.is_large_binary(blob))


def _array(scalar: Any, row: int) -> Array:
    """Return the value of one row as an array with an axis for each level of lists; a number is an array of one.

    Raises
    ------
    ItemError
        ``empty`` for null, ``not-finite`` for nulls among numbers, ``ragged`` for inner lists of different lengths.
    """
    import numpy as np

    if not scalar.is_valid:
        raise ItemError(f"row {row} is null", code="empty", hint=LEAVE_OUT)
    if not hasattr(scalar, "values"):
        return np.atleast_1d(np.asarray(scalar.as_py()))
    values = scalar.values
    shape = [len(values)]
    while hasattr(values.type, "value_type") and _is_list(values.type):
        lengths = {len(value) if value.is_valid else -1 for value in values}
        if len(lengths) != 1 or -1 in lengths:
            raise ItemError(
                f"the lists of row {row} have {len(lengths)} different lengths",
                code="ragged",
                hint="pad them, or split them into rows",
            )
        shape.append(lengths.pop())
        values = values.flatten()
    if values.null_count:
        raise ItemError(
            f"row {row} has {values.null_count} nulls among its numbers", code="not-finite", hint="fill them"
        )
    return np.asarray(values.to_numpy(zero_copy_only=False)).reshape(shape)


def _audio(value: Any, row: int, *, double: bool = False) -> tuple[Array, int]:
    """Return the samples, (channels, samples), and the sample rate of an audio file in a row."""
    from tonearm_plugins.formats.sndfile_reading import decode_bytes

    data = (value or {}).get("bytes")
    if not data:
        path = (value or {}).get("path")
        hint = f"it names {quoted(str(path))}; embed the files with Dataset.cast_column, or read them by audio-reader"
        raise ItemError(f"row {row} holds no audio", code="empty", hint=hint if path else LEAVE_OUT)
    return decode_bytes(data, f"row {row}", double=double)
