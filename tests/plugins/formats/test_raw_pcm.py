"""Raw samples: each encoding as soundfile writes it, value by value."""

from __future__ import annotations

import io
from typing import get_args

import numpy as np
import pytest
import soundfile

from tonearm_plugins.formats import raw_pcm

WAVE = np.append(np.random.default_rng(4).uniform(-1, 1, 300), [-1, 0, 0.5])
SUBTYPES = {
    "s8": "PCM_S8",
    "u8": "PCM_U8",
    "s16": "PCM_16",
    "s24": "PCM_24",
    "s32": "PCM_32",
    "f32": "FLOAT",
    "f64": "DOUBLE",
}


def by_soundfile(encoding: str) -> tuple[bytes, np.ndarray]:
    """The bytes of WAVE in an encoding, and the samples that soundfile reads from them."""
    name = encoding.removeprefix("pcm_")
    how = {
        "subtype": {"mulaw": "ULAW", "alaw": "ALAW"}.get(name) or SUBTYPES[name.removesuffix("le").removesuffix("be")],
        "endian": {"le": "LITTLE", "be": "BIG"}.get(name[-2:], "FILE"),
        "format": "RAW",
    }
    file = io.BytesIO()
    soundfile.write(file, WAVE, 8000, **how)
    file.seek(0)
    return file.getvalue(), soundfile.read(file, samplerate=8000, channels=1, **how)[0]


@pytest.mark.parametrize("encoding", get_args(raw_pcm.Encoding))
def test_every_encoding_is_read_as_soundfile_reads_it(encoding: str) -> None:
    data, expected = by_soundfile(encoding)
    assert raw_pcm.bytes_per_sample(encoding) * len(WAVE) == len(data)
    raw = np.frombuffer(data, np.uint8)
    double = raw_pcm.decode(raw, encoding, double=True)
    assert double.dtype == "f8"
    assert np.array_equal(double, expected)
    single = raw_pcm.decode(raw, encoding)
    assert single.dtype == ("f8" if "24" in encoding or "s32" in encoding else "f4")
    assert single == pytest.approx(expected, abs=1e-7)


def test_floats_are_not_copied_and_keep_their_range() -> None:
    raw = np.array([3.0, -70000.0], "<f4").view(np.uint8)
    samples = raw_pcm.decode(raw, "pcm_f32le")
    assert samples.tolist() == [3.0, -70000.0]
    assert np.shares_memory(samples, raw)
    assert not np.shares_memory(raw_pcm.decode(raw, "pcm_f32le", double=True), raw)


@pytest.mark.parametrize(
    ("encoding", "data", "expected"),
    [
        ("pcm_s8", b"\x80\xff\x01", [-1, -1 / 128, 1 / 128]),
        ("pcm_u8", b"\0\x7f\x80\xff", [-1, -1 / 128, 0, 127 / 128]),
        ("pcm_s16be", b"\x80\0\0\1", [-1, 2**-15]),
        ("pcm_s24le", b"\0\0\x80\1\0\0\xff\xff\x7f", [-1, 2**-23, 1 - 2**-23]),
        ("pcm_s24be", b"\x80\0\0\0\0\1", [-1, 2**-23]),
        ("pcm_s32le", b"\0\0\0\x80\1\0\0\0", [-1, 2**-31]),
    ],
)
def test_full_scale_and_the_smallest_step(encoding: str, data: bytes, expected: list[float]) -> None:
    for double in (False, True):
        assert raw_pcm.decode(np.frombuffer(data, np.uint8), encoding, double=double).tolist() == expected


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("encoding", get_args(raw_pcm.Encoding))
def test_the_decoded_size_is_that_of_new_samples(encoding: str, double: bool) -> None:
    raw = np.zeros(48, np.uint8)
    samples = raw_pcm.decode(raw, encoding, double=double)
    expected = 0 if np.shares_memory(samples, raw) else samples.nbytes
    assert raw_pcm.decoded_size(48, encoding, double=double) == expected
    if not double:
        assert raw_pcm.decoded_size(48, encoding) == expected


def test_the_encodings_that_give_sound_are_named() -> None:
    tone = 0.4 * np.sin(0.17 * np.arange(20_000))
    for encoding, data in (
        ("pcm_s16be", (tone * 32767).astype(">i2")),
        ("pcm_f32le", tone.astype("<f4")),
        ("pcm_f64be", tone.astype(">f8")),
        ("pcm_s24le", (tone * (1 << 31)).astype("<i4").view("u1").reshape(-1, 4)[:, 1:]),
    ):
        raw = np.frombuffer(data.tobytes(), "u1")
        assert encoding in raw_pcm.smoothest_encodings(raw, 1, "pcm_s16le")
        assert encoding not in raw_pcm.smoothest_encodings(raw, 1, encoding)
    assert raw_pcm.smoothest_encodings(np.random.default_rng(2).integers(0, 256, 48_000, "u1"), 1, "pcm_s16le") == []
