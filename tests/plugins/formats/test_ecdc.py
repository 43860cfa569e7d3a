"""EnCodec's own files: as its program writes them, segments and scales, and files that are broken."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonearm.api import ItemError
from tonearm_plugins.formats import ecdc

TOKENS = Path(__file__).parents[2] / "data" / "tokens"
ORACLE = np.load(TOKENS / "ecdc.npz")


def packed(codes: Any) -> bytes:
    """Codes (books, frames) as bits, by Python's own whole numbers."""
    total, count = 0, 0
    for code in codes.T.reshape(-1).tolist():
        total |= code << count
        count += 10
    return total.to_bytes(-(-count // 8), "little")


def file_of(body: bytes, **header: Any) -> bytes:
    said = json.dumps({"m": "encodec_24khz", "al": 13020, "nc": 2, "lm": False} | header).encode()
    return struct.pack("!4sBI", b"ECDC", 0, len(said)) + said + body


def refused(data: bytes) -> ItemError:
    with pytest.raises(ItemError) as caught:
        ecdc.read(data, "a.ecdc")
    assert (caught.value.message + caught.value.hint).isprintable()
    return caught.value


@pytest.mark.parametrize("case", ["24k_1.5kbps", "24k_6kbps", "24k_24kbps"])
def test_files_of_the_program(case: str) -> None:
    found = ecdc.read(ORACLE[f"{case}/raw"].tobytes(), "a.ecdc")
    assert found.codes.dtype == np.int32
    assert np.array_equal(found.codes, ORACLE[f"{case}/codes"])
    assert (found.length, found.model.sample_rate, found.segments, found.scales) == (13020, 24000, None, None)


@pytest.mark.parametrize(
    ("length", "segments"),
    [(48000, (150, 2)), (47520, (149,)), (100_000, (150, 150, 16)), (95_050, (150, 149, 1)), (7, (1,))],
)
def test_segments_and_scales_at_48_khz(length: int, segments: tuple[int, ...]) -> None:
    rng = np.random.default_rng(length)
    parts = [rng.integers(0, 1024, (4, frames)) for frames in segments]
    scales = [0.5 + number for number in range(len(parts))]
    body = b"".join(struct.pack("!f", scale) + packed(part) for scale, part in zip(scales, parts, strict=True))
    found = ecdc.read(file_of(body, m="encodec_48khz", al=length, nc=4), "a.ecdc")
    assert (found.segments, found.scales) == (segments, tuple(scales))
    assert np.array_equal(found.codes, np.concatenate(parts, axis=1))
    assert (found.model.sample_rate, found.length) == (48000, length)


WHOLE = ORACLE["24k_1.5kbps/raw"].tobytes()


@pytest.mark.parametrize(
    ("data", "code", "part"),
    [
        (b"", "empty", "0 bytes"),
        (b"RIFF\0\0\0\0WAVEfmt ", "wrong-format", "a WAV file"),
        (WHOLE[:6], "broken-file", "cut off within its header"),
        (WHOLE[:30], "broken-file", "its header claims"),
        (WHOLE[:-1], "broken-file", "is cut off"),
        (WHOLE + b"\0", "broken-file", "continues after its end"),
        (b"ECDC\1" + WHOLE[5:], "broken-file", "version 1"),
        (b"ECDC\0\xff\xff\xff\xff" + WHOLE[9:], "broken-file", "claims 4,294,967,295 bytes"),
        (b"ECDC\0\0\0\0\2[]", "broken-file", "no JSON object"),
        (b"ECDC\0\0\0\0\2{[", "broken-file", "not JSON"),
        (file_of(b"", lm=True), "ecdc-language-model", "language model"),
        (file_of(b"", m="encodec_32khz"), "ecdc-model", "encodec_32khz"),
        (file_of(b"", m=[]), "ecdc-model", "not known"),
        (file_of(b"", nc=3), "broken-file", "'3' books"),
        (file_of(b"", nc=True), "broken-file", "'True' books"),
        (file_of(b"", al=0), "broken-file", "'0' samples"),
        (file_of(b"", al=1 << 39), "broken-file", "is cut off"),
        (file_of(b"", al="x"), "broken-file", "samples"),
        (file_of(struct.pack("!f", float("nan")) + bytes(3), m="encodec_48khz", al=7), "broken-file", "scale"),
    ],
)
def test_files_that_are_broken(data: bytes, code: str, part: str) -> None:
    error = refused(data)
    assert (error.code, part in error.message) == (code, True)


def test_a_claimed_length_takes_no_time_at_48_khz() -> None:
    started = time.process_time()
    assert refused(file_of(b"", m="encodec_48khz", al=(1 << 40) - 1)).code == "broken-file"
    assert time.process_time() - started < 0.5
