"""Types of columns, as pyarrow and Hugging Face's datasets write them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from tonearm_plugins.formats.parquet_types import (
    is_audio,
    is_binary,
    is_decoded_audio,
    is_list_of_numbers,
    is_numeric_type,
    rate_field,
    stating_columns,
)

FILE = pa.struct({"bytes": pa.binary(), "path": pa.string()})
DECODED = pa.struct({"array": pa.list_(pa.float32()), "path": pa.string(), "sampling_rate": pa.int64()})
TYPES = {
    "list": (pa.list_(pa.float32()), {is_list_of_numbers}),
    "nested": (pa.large_list(pa.list_(pa.int16(), 3)), {is_list_of_numbers}),
    "texts": (pa.list_(pa.string()), set()),
    "file": (FILE, {is_audio}),
    "large": (pa.struct({"bytes": pa.large_binary()}), {is_audio}),
    "bytes": (pa.binary(), {is_audio, is_binary}),
    "decoded": (DECODED, {is_decoded_audio}),
    "struct": (pa.struct({"array": pa.string()}), set()),
    "number": (pa.float64(), {is_numeric_type}),
    "text": (pa.string(), set()),
    "truth": (pa.bool_(), set()),
}


@pytest.mark.parametrize("name", TYPES)
def test_a_type_is_what_it_is_alone(name: str) -> None:
    kind, expected = TYPES[name]
    judges: set[Any] = {is_list_of_numbers, is_audio, is_binary, is_decoded_audio, is_numeric_type}
    assert {judge for judge in judges if judge(kind)} == expected


def test_columns_and_fields_that_say_the_rate() -> None:
    schema = pa.schema(
        {"wav": pa.list_(pa.float32()), "sr": pa.int32(), "rate": pa.string(), "id": pa.int64(), "n": pa.int8()}
    )
    schema = schema.append(pa.field("length", pa.int64())).append(pa.field("channels", pa.int64()))
    assert stating_columns(schema, "wav") == ["sr", "length", "channels"]
    assert stating_columns(schema, "sr", ["length"]) == ["channels"]
    assert rate_field(DECODED) == "sampling_rate"
    assert rate_field(FILE) == ""
