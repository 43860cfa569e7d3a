"""Numbers in text: as NumPy, spreadsheets, MATLAB and other programs write them, and lists of JSON."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

from tonearm.api import ItemError, limited_memory
from tonearm_plugins.formats.text_arrays import parse_text

TABLE = np.random.default_rng(3).uniform(-1, 1, (30, 4))


def written(array: Any, **how: Any) -> bytes:
    file = io.BytesIO()
    np.savetxt(file, array, **{"fmt": "%.17g", **how})
    return file.getvalue()


def refused(data: bytes) -> ItemError:
    with pytest.raises(ItemError) as caught:
        parse_text(data, "a.csv")
    assert (caught.value.message + caught.value.hint).isprintable()
    return caught.value


@pytest.mark.parametrize("mark", [",", ";", "\t", " ", ", ", "   "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables(mark: str, end: str) -> None:
    for table in (TABLE, TABLE[:, :1], TABLE[:1], TABLE[:1, :1]):
        (array,) = parse_text(written(table, delimiter=mark, newline=end), "a.csv").arrays.values()
        assert np.array_equal(array, table.reshape(-1) if 1 in table.shape else table)


def test_headings_name_the_columns() -> None:
    data = written(TABLE, delimiter=",", header='time,"left",right,right', comments="")
    found = parse_text(b"\xef\xbb\xbf" + data, "a.csv")
    assert list(found.arrays) == ["time", "left", "right", "right_3"]
    assert np.array_equal(list(found.arrays.values()), TABLE.T)


def test_comments_may_say_the_rate() -> None:
    found = parse_text(b"% recorded at night\n# Sample rate: 22050 Hz\n# note: x\n\n0.5\n-0.5\n", "a.txt")
    assert found.says == {"Sample rate": "22050"}
    assert found.arrays[""].tolist() == [0.5, -0.5]


@pytest.mark.parametrize("row", ["sample_rate,22050", '"Sample Rate";"22050"', "fs\t22050", "Rate: 22050 Hz"])
def test_a_row_above_may_say_the_rate(row: str) -> None:
    found = parse_text(f"# note\n{row}\n0.5\n-0.5\n".encode(), "a.csv")
    assert list(found.says.values()) == ["22050"]
    assert found.arrays[""].tolist() == [0.5, -0.5]
    assert list(parse_text(b"wav,22050\n1,2\n", "a.csv").arrays) == ["wav", "22050"]


@pytest.mark.parametrize("text", [str(TABLE), repr(TABLE[0]), "tensor([0.5, 0.25])", "  array([ 1, 2], dtype=int16)"])
def test_printed_arrays_are_refused(text: str) -> None:
    error = refused(text.encode())
    assert (error.code, error.message) == ("wrong-format", "'a.csv' is an array that was printed")


def test_a_column_of_rates_says_the_rate() -> None:
    found = parse_text(b"wav,sr\n0.5,8000\n0.25,8000\n", "a.csv")
    assert (found.arrays["wav"].tolist(), list(found.arrays)) == ([0.5, 0.25], ["wav"])
    assert found.says == {"sr": 8000}
    assert list(parse_text(b"wav,sr\n0.5,8000\n0.25,8001\n", "a.csv").arrays) == ["wav", "sr"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_text_with_a_byte_order_mark(encoding: str) -> None:
    assert parse_text("wav\tx\n0,5\t1\n".encode(encoding), "a.csv").arrays["wav"].tolist() == [0.5]


def test_typed_arrays_of_javascript() -> None:
    data = json.dumps({"wav": {str(place): place / 40 for place in range(40)}, "sr": 8000}).encode()
    found = parse_text(data, "a.json")
    assert found.arrays["wav"].tolist() == [place / 40 for place in range(40)]
    assert found.says == {"sr": 8000}


def test_other_numbers() -> None:
    assert parse_text(b"0,5;0,25\n-1;0\n", "a.csv").arrays[""].tolist() == [[0.5, 0.25], [-1, 0]]
    assert parse_text(b"1,2,\n3,4,\n", "a.csv").arrays[""].tolist() == [[1, 2], [3, 4]]
    values = parse_text(b"nan\n1e-3\n-inf\n+.5\n", "a.csv").arrays[""]
    assert np.array_equal(values, [np.nan, 1e-3, -np.inf, 0.5], equal_nan=True)
    parts = np.array([[1 + 2j, -0.5j], [0, 1e-9]])
    file = io.BytesIO()
    np.savetxt(file, parts)
    assert np.array_equal(parse_text(file.getvalue(), "a.txt").arrays[""], parts)


SAMPLES = np.sin(np.arange(40)) * 0.5
COMMAS = [f"{value:.5f}".replace(".", ",") for value in SAMPLES]


@pytest.mark.parametrize(
    "lines",
    [
        COMMAS,
        ["wav", *COMMAS],
        [f'"{one}"' for one in COMMAS],
        [" ".join(COMMAS)],
        ["; ".join(COMMAS)],
        [f"{one}," for one in COMMAS],
        [f"{position};{one}" for position, one in enumerate(COMMAS)],
        ["sep=;", *(f"{position};{one}" for position, one in enumerate(COMMAS))],
        ["Zeit\tWert", *(f"{position / 8000:.6f}\t".replace(".", ",") + one for position, one in enumerate(COMMAS))],
        ['"Zeit","Wert"', *(f'"{position}","{one}"' for position, one in enumerate(COMMAS))],
    ],
)
def test_decimal_commas(lines: list[str]) -> None:
    (array,) = parse_text("\n".join(lines).encode(), "a.csv").arrays.values()
    assert np.abs(array - SAMPLES).max() < 1e-5


def test_whole_numbers_with_commas_are_columns() -> None:
    table = np.stack([np.round(SAMPLES * 1000), np.round(SAMPLES[::-1] * 1000)], 1)
    (array,) = parse_text(written(table, delimiter=",", fmt="%d"), "a.csv").arrays.values()
    assert np.array_equal(array, table)


def test_commas_between_and_within_numbers_are_refused() -> None:
    error = refused("\n".join(f"{one},{other}" for one, other in zip(COMMAS, COMMAS[::-1], strict=True)).encode())
    assert (error.code, error.message) == ("wrong-format", "'a.csv' has commas between its columns, and in its numbers")


@pytest.mark.parametrize(
    ("first", "rate"),
    [
        (np.arange(40), None),
        (np.arange(40) / 16000, 16000),
        (np.round(np.arange(40) / 16000, 6), 16000),
        (2.5 + np.arange(40) / 12345, 12345),
        (np.arange(40) / 86, None),
    ],
)
def test_a_column_that_counts_is_no_sound(first: Any, rate: int | None) -> None:
    found = parse_text(written(np.stack([first, SAMPLES], 1), fmt="%.9f"), "a.csv")
    assert np.abs(found.arrays[""] - SAMPLES).max() < 1e-8
    assert found.says.get("sample_rate") == rate


def test_a_column_that_does_not_count_is_kept() -> None:
    for first in (SAMPLES, -np.arange(40), np.arange(40) ** 2, np.zeros(40)):
        assert parse_text(written(np.stack([first, SAMPLES], 1)), "a.csv").arrays[""].shape == (40, 2)


def test_sound_as_text_in_json_names_its_reader() -> None:
    error = refused(json.dumps({"delta": "UklGRiQA" * 20}).encode())
    assert error.hint == "read it by pcm-reader with field: delta (--decoder pcm-reader --field delta)"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"# nothing\n\n", "empty"),
        (b"time,wav\n", "empty"),
        (b"1,2\n3\n", "ragged"),
        (b"1" * 1_000_000 + b"x\n", "empty"),
        (b"1,2\n3,x\n", "broken-file"),
        (b"a,b\nc,d\n", "wrong-format"),
        (b"a,b\n1,2,3\n", "wrong-format"),
        (b"RIFF\0\0\0\0WAVE", "wrong-format"),
        (b"\xff\xfd1\0,\0" * 9, "wrong-format"),
        (b"\xff\xfe\0\xd8\0", "wrong-format"),
        (b"hello world, this is a text\n" * 5, "wrong-format"),
    ],
)
def test_what_is_refused(data: bytes, code: str) -> None:
    assert refused(data).code == code


def test_lists_of_json_by_their_paths() -> None:
    content = {"meta": {"sr": 8000}, "mel": TABLE.tolist(), "more": [{"wav": [0.5] * 20}], "name": "x", "short": [1, 2]}
    found = parse_text(json.dumps(content).encode(), "a.json")
    assert list(found.arrays) == ["mel", "more.0.wav"]
    assert np.array_equal(found.arrays["mel"], TABLE)
    assert found.says == {"meta.sr": 8000}
    (array,) = parse_text(json.dumps(TABLE.tolist()).encode(), "a.json").arrays.values()
    assert np.array_equal(array, TABLE)


@pytest.mark.parametrize(
    ("content", "code"),
    [({"a": "text"}, "empty"), ({"mel": [[0.5] * 20, [0.5] * 19]}, "ragged")],
)
def test_json_that_holds_no_array(content: Any, code: str) -> None:
    assert refused(json.dumps(content).encode()).code == code


def test_text_is_judged_by_memory() -> None:
    with limited_memory(20_000_000):
        assert refused(b"0,1," * 500_000).code == "too-large"
    data = b"0.5\n" * 100_000
    with limited_memory(1_000_000):
        assert refused(data).code == "too-large"
    with limited_memory(20_000_000):
        assert len(parse_text(data, "a.txt").arrays[""]) == 100_000


@pytest.mark.parametrize("text", [b"<custom_token_10><custom_token_4200>", b"Hello.<|s_12|>", b"<|c1_3|><|c2_7|>\n"])
def test_marks_of_tokens_lead_to_their_layout(text: bytes) -> None:
    error = refused(text)
    assert error.code == "empty"
    assert "layout" in error.hint
    assert "layout" not in refused(b"<html>").hint
