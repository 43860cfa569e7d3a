"""Sizes of samples in headers: given, left open by programs that write into a pipe, or of what is no samples."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile

from tonearm_plugins.formats import chunk_sizes
from tonearm_plugins.formats.sound_reading import decode_bytes

WHOLE = np.random.default_rng(0).integers(-9000, 9000, (500, 2), "i2")
PCM = WHOLE.astype("<i2").tobytes()
INFO = b"LIST\x0c\0\0\0INFOIART\0\0\0\0"


def made(container: str, subtype: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, WHOLE, 44100, format=container, subtype=subtype)
    return file.getvalue()


def wav(data: bytes, size: int, behind: bytes = b"", bits: int = 16) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 44100, 176400, 4, bits)
    body = b"WAVE" + form + b"data" + size.to_bytes(4, "little") + data + behind
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def rf64(name: bytes, size: int) -> bytes:
    sizes = b"ds64" + struct.pack("<IQQQI", 28, 0, size, 0, 0)
    return name + b"\xff" * 4 + b"WAVE" + sizes + wav(PCM, 0xFFFFFFFF)[12:]


CAF = made("CAF")
AT = CAF.index(b"data") + 4
OPEN_AU = made("AU")[:8] + bytes(4) + made("AU")[12:]
OPEN_CAF = CAF[:AT] + b"\xff" * 8 + CAF[AT + 8 : AT + 12 + len(PCM)]


@pytest.mark.parametrize(
    "data",
    [wav(PCM, 0), rf64(b"RF64", 0), rf64(b"BW64", 0), rf64(b"BW64", len(PCM)), OPEN_CAF, OPEN_AU],
    ids=["wav", "rf64", "bw64", "bw64-size", "caf", "au"],
)
def test_sizes_that_are_left_open_are_those_of_the_file(data: bytes) -> None:
    assert chunk_sizes.with_sizes(data) is not None
    samples, rate = decode_bytes(data, "a")
    assert rate == 44100
    np.testing.assert_array_equal(samples, WHOLE.T / 2.0**15)


@pytest.mark.parametrize(
    "data",
    [b"", wav(PCM, len(PCM)), wav(b"", 0), wav(b"", 0, INFO), rf64(b"RF64", len(PCM)), CAF, made("AU"), b"RIFF" * 9],
    ids=range(8),
)
def test_sizes_that_are_given_stay(data: bytes) -> None:
    assert chunk_sizes.with_sizes(data) is None


@pytest.mark.parametrize(("container", "subtype"), [("W64", "PCM_16"), ("W64", "FLOAT"), ("CAF", "PCM_24")])
def test_the_length_that_a_header_gives_is_the_length_that_is_read(container: str, subtype: str) -> None:
    data = made(container, subtype)
    length_of = chunk_sizes.length_of_w64 if container == "W64" else chunk_sizes.length_of_caf
    assert length_of(data[:4096]) == 500
    assert length_of(data[:30]) is None
    assert decode_bytes(data + bytes(3000), "a")[0].shape == (2, 500)


def test_compressed_samples_have_no_length_in_bytes() -> None:
    assert chunk_sizes.length_of_w64(made("W64", "IMA_ADPCM")) is None
    assert chunk_sizes.length_of_caf(made("CAF", "ALAC_16")) is None


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (struct.pack("<4H", 0xF872, 0x4E1F, 1, 6144), True),
        (bytes(64) + struct.pack("<4H", 0xF872, 0x4E1F, 1, 6144), True),
        (b"\xfe\x7f\x01\x80\x3c\xfc", True),
        (b"\xff\x1f\x00\xe8\xf1\x07", True),
        (b"\xfe\x7f\x01\x80\x3c\x10", False),
        (b"\0\xfe\x7f\x01\x80\x3c\xfc", False),
        (PCM[:2000], False),
        (b"", False),
    ],
)
def test_bitstreams_are_told_from_samples(start: bytes, expected: bool) -> None:
    assert chunk_sizes.holds_bitstream(wav(start + bytes(100), 2000)) == expected
    assert not chunk_sizes.holds_bitstream(wav(start + bytes(100), 2000, bits=24))


@pytest.mark.parametrize("data", [made("W64"), CAF, made("AU")], ids=["w64", "caf", "au"])
def test_the_end_of_a_file_is_that_of_its_header(data: bytes) -> None:
    assert chunk_sizes.end_of_sized(data) == len(data)
    assert chunk_sizes.end_of_sized(data[: 6 * len(data) // 7]) == len(data)


@pytest.mark.parametrize("data", [OPEN_AU, OPEN_AU[:8] + b"\xff" * 4 + OPEN_AU[12:], OPEN_CAF, CAF[:20]], ids=range(4))
def test_an_open_size_has_no_end(data: bytes) -> None:
    assert chunk_sizes.end_of_sized(data) == 0
