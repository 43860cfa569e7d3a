"""Frames of FLAC: the last one tells where the sound ends, whatever the header of the file says."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from tonearm_plugins.formats import flac_frames
from tonearm_plugins.formats.sndfile_reading import SoundBytes
from tonearm_plugins.formats.sound_reading import read_sound

WHOLE = np.random.default_rng(0).integers(-9000, 9000, (700_000, 1), "i2")


def made(length: int, rate: int = 44100, channels: int = 1) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, WHOLE[: length * channels].reshape(length, channels), rate, "PCM_16", format="FLAC")
    return file.getvalue()


def with_length(data: bytes, length: int) -> bytes:
    return data[:21] + (int.from_bytes(data[21:26], "big") >> 36 << 36 | length).to_bytes(5, "big") + data[26:]


@pytest.mark.parametrize("rate", [44100, 44101, 200_010, 12345 * 2, 255_000, 8000])
@pytest.mark.parametrize("length", [1, 200, 5000, 600_000])
def test_the_last_frame_tells_the_length(rate: int, length: int) -> None:
    data = made(length, rate)
    assert flac_frames.length_of_flac(data) == length
    tail = data[-flac_frames.size_of_tail(data) :]
    for behind in (b"", bytes(100), b"TAG" + bytes(125), b"\xff\xf8\xc9\x08\0\0\0\0\0"):
        assert flac_frames.end_of_sound(data, tail + behind) == length
    assert flac_frames.end_of_sound(data, b"") == 0
    assert flac_frames.end_of_sound(data, bytes(500) + b"\xff" * 300) == 0


@pytest.mark.parametrize("tag", [b"", b"ID3\4\0\0\0\0\0\5" + bytes(5)])
@pytest.mark.parametrize("claimed", [1, 30_000, 69_999])
def test_samples_beyond_the_length_of_the_header_are_read(claimed: int, tag: bytes) -> None:
    sound = read_sound(SoundBytes(tag + with_length(made(70_000), claimed)), "a")
    np.testing.assert_array_equal(sound.samples[0], WHOLE[:70_000, 0] / 2.0**15)
    assert sound.warnings == (f"the header claims {claimed:,} samples, and there are more: all of the file is read",)


@pytest.mark.parametrize("length", [0, 70_000])
def test_a_right_length_or_none_is_no_problem(length: int) -> None:
    data = made(70_000)
    assert flac_frames.without_length(data) == with_length(data, 0)
    sound = read_sound(SoundBytes(with_length(data, length)), "a")
    assert (sound.samples.shape, sound.warnings) == ((1, 70_000), ())
