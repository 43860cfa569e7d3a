"""Files of descript-audio-codec: as its program writes them with either NumPy, and files that are not its own."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonearm.api import ItemError
from tonearm.reading import file_types
from tonearm_plugins.formats import dac_file

TOKENS = Path(__file__).parents[2] / "data" / "tokens"
ORACLE = np.load(TOKENS / "dac_file.npz")
CASES = {one["case"]: one for one in json.loads((TOKENS / "dac_file.json").read_text())["cases"]}
CODES = np.arange(60, dtype="u2").reshape(1, 3, 20)
METADATA = {
    "input_db": np.array([-23.5], "f4"),
    "original_length": 9000,
    "sample_rate": 44100,
    "chunk_length": 20,
    "channels": 1,
    "padding": True,
    "dac_version": "1.0.0",
}


def file_of(content: Any = None, *, protocol: int = 4, **metadata: Any) -> bytes:
    """A file as the program saves it; its NumPy 1 wrote protocol 3 and other names."""
    content = {"codes": CODES, "metadata": METADATA | metadata} if content is None else content
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
    array = np.empty((), object)
    array[()] = content
    data = pickle.dumps(array, protocol)
    return file.getvalue() + data.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def refused(data: bytes) -> ItemError:
    with pytest.raises(ItemError) as caught:
        dac_file.read(data, "a.dac")
    assert (caught.value.message + caught.value.hint).isprintable()
    return caught.value


@pytest.mark.parametrize("case", CASES)
def test_files_of_the_program(case: str) -> None:
    data, said = ORACLE[f"{case}/raw"].tobytes(), CASES[case]
    found = dac_file.read(data, "a.dac")
    assert np.array_equal(found.codes, ORACLE[f"{case}/codes"])
    assert (found.sample_rate, found.length) == (said["sample_rate_of_input"], said["original_length"])
    assert (found.loudness, found.is_padded) == (float(ORACLE[f"{case}/input_db"][0]), said["padding"])
    assert file_types.identify(data[: file_types.HEAD]) is file_types.DAC


@pytest.mark.parametrize("protocol", [3, 4])
def test_both_dialects(protocol: int) -> None:
    data = file_of(protocol=protocol)
    assert (b"numpy.core" in data) == (protocol == 3)
    assert np.array_equal(dac_file.read(data, "a.dac").codes, CODES)
    assert file_types.identify(data[: file_types.HEAD]) is file_types.DAC


@pytest.mark.parametrize(
    ("metadata", "code", "part"),
    [
        ({"dac_version": "2.0.0"}, "dac-version", "2.0.0"),
        ({"dac_version": None}, "dac-version", "None"),
        ({"sample_rate": 0}, "broken-file", "sample rate is '0'"),
        ({"sample_rate": 44100.5}, "broken-file", "sample rate"),
        ({"original_length": -5}, "broken-file", "original length is '-5'"),
        ({"original_length": 1 << 1100}, "broken-file", "original length is"),
        ({"channels": 2}, "broken-file", "'2' channels"),
        ({"input_db": "loud"}, "broken-file", "input_db"),
    ],
)
def test_metadata_that_is_wrong(metadata: dict[str, Any], code: str, part: str) -> None:
    error = refused(file_of(**metadata))
    assert (error.code, part in error.message) == (code, True)


@pytest.mark.parametrize("field", ["sample_rate", "original_length", "dac_version", "channels"])
def test_lists_that_hold_one_another_are_not_written_out(field: str) -> None:
    bomb: list[Any] = [1]
    for _ in range(60):
        bomb = [bomb, bomb]
    assert "..." in refused(file_of(**{field: bomb})).message


@pytest.mark.parametrize("loudness", [np.array([-np.inf], "f4"), np.float32("nan"), -1e9, 1 << 1100])
def test_silence_has_no_loudness(loudness: Any) -> None:
    assert dac_file.read(file_of(input_db=loudness), "a.dac").loudness is None


@pytest.mark.parametrize(
    ("frames", "books", "length", "rate", "expected"),
    [
        (45, 9, 22941, 44100, 44100),
        (50, 12, 16000, 16000, 16000),
        (50, 9, 44100, 44100, 16000),
        (75, 32, 44100, 44100, 24000),
        (87, 9, 16000, 16000, 44100),
        (50, 13, 16000, 16000, None),  # more books than any model of that rate has
        (50, 12, 25501, 16000, None),
        (1, 9, 100, 44100, None),  # of each model
    ],
)
def test_the_rate_of_the_codec_is_told_by_the_number_of_frames(
    frames: int, books: int, length: int, rate: int, expected: int | None
) -> None:
    found = dac_file.DacFile(np.zeros((1, books, frames), "u2"), rate, length, None, is_padded=True)
    assert found.codec_rate == expected


@pytest.mark.parametrize(
    "codes", [np.zeros((1, 3, 20), "f4"), np.zeros((3, 20), "u2"), np.zeros((1, 3, 0), "u2"), [1, 2], None]
)
def test_codes_that_are_none(codes: Any) -> None:
    assert refused(file_of({"codes": codes, "metadata": METADATA})).code == "broken-file"


@pytest.mark.parametrize("content", [{"codes": CODES}, [1, 2], "text", {"codes": CODES, "metadata": 3}])
def test_other_pickles(content: Any) -> None:
    assert refused(file_of(content)).code == "wrong-format"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\x93NUM", "broken-file"),
        (b"RIFF\0\0\0\0WAVEfmt ", "wrong-format"),
        (file_of().replace(b"\x01\0v\0", b"\x01\0w\0"), "broken-file"),
    ],
)
def test_other_files(data: bytes, code: str) -> None:
    assert refused(data).code == code


def test_an_array_of_numbers_is_no_dac_file() -> None:
    file = io.BytesIO()
    np.save(file, CODES)
    assert "a .npy file" in refused(file.getvalue()).message
    assert file_types.identify(file.getvalue()) is file_types.NPY


@pytest.mark.parametrize("key", ["dac_version", "sample_rate", "original_length", "channels", "input_db"])
def test_metadata_that_hold_themselves_a_thousand_times(key: str) -> None:
    nested: tuple[Any, ...] = ()
    for _ in range(200):  # 2^200 parentheses, if any message were to have them all
        nested = (nested, nested)
    error = refused(file_of(**{key: nested}))
    assert error.code in ("broken-file", "dac-version")


@pytest.mark.parametrize("key", ["dac_version", "sample_rate", "original_length", "channels"])
@pytest.mark.parametrize("value", [np.zeros(3, int), -(10**600), 10**600, {"a": 1}, None])
def test_metadata_of_wrong_types_and_sizes(key: str, value: Any) -> None:
    assert refused(file_of(**{key: value})).code in ("broken-file", "dac-version")


@pytest.mark.parametrize("value", [10**600, float("nan"), float("-inf"), 1e300])
def test_a_loudness_that_no_sound_has_is_none(value: float) -> None:
    assert dac_file.read(file_of(input_db=value), "a.dac").loudness is None
