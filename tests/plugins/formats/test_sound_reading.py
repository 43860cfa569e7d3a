"""Sound files of every format, in memory: bounds on memory, and a stderr that is silent."""

from __future__ import annotations

import io
from typing import BinaryIO

import numpy as np
import pytest
import soundfile

from tonearm.api import ItemError, limited_memory
from tonearm_plugins.formats import sound_decoding, sound_plan, sound_reading

WAVE = np.random.default_rng(3).uniform(-1, 1, (2000, 2))


def made(container: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, WAVE, 22050, format=container, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize(
    ("container", "subtype", "dtype", "error"),
    [
        ("WAV", "PCM_16", "f4", 2**-15),
        ("FLAC", "PCM_24", "f8", 2**-23),
        ("WAV", "FLOAT", "f4", 2**-24),
        ("WAV", "DOUBLE", "f8", 0),
        ("WAV", "PCM_32", "f8", 2**-31),
    ],
)
def test_a_sound_in_memory(container: str, subtype: str, dtype: str, error: float) -> None:
    samples, rate = sound_reading.decode_bytes(made(container, subtype), "row 3")
    assert (samples.shape, samples.dtype, rate) == ((2, 2000), dtype, 22050)
    assert np.abs(samples - WAVE.T).max() <= error


def test_one_channel_and_double_precision_on_request() -> None:
    file = io.BytesIO()
    soundfile.write(file, WAVE[:, 0], 8000, format="WAV", subtype="PCM_16")
    for double in (False, True):
        samples, rate = sound_reading.decode_bytes(file.getvalue(), "a", double=double)
        assert (samples.shape, samples.dtype, rate) == ((1, 2000), "f8" if double else "f4", 8000)


@pytest.mark.parametrize(
    ("subtype", "double", "size"), [("PCM_16", False, 4), ("PCM_16", True, 8), ("PCM_24", False, 8)]
)
def test_memory_is_judged_before_samples_are_read(subtype: str, double: bool, size: int) -> None:
    data = made("WAV", subtype)
    needed = 2 * 2 * 2000 * size
    with limited_memory(needed):
        sound_reading.decode_bytes(data, "a", double=double)
    with limited_memory(needed - 1), pytest.raises(ItemError) as caught:
        sound_reading.decode_bytes(data, "a", double=double)
    assert caught.value.code == "too-large"


@pytest.mark.parametrize("tag", [b"", b"ID3\4\0\0\0\0\0\5" + bytes(5)])
@pytest.mark.parametrize("first", [20, 100_000])
def test_joined_flac_is_read_whole_and_searched_behind_its_samples_alone(
    first: int, tag: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(0).integers(-9000, 9000, 100_000, "i2")
    parts = []
    for length in (first, 30):
        file = io.BytesIO()
        soundfile.write(file, values[:length], 8000, format="FLAC", subtype="PCM_16")
        parts.append(file.getvalue())
    read = []
    real = sound_plan.read_bytes_at

    def counted(file: BinaryIO, count: int, offset: int) -> bytes:
        found = real(file, count, offset)
        read.append(len(found))
        return found

    monkeypatch.setattr(sound_plan, "read_bytes_at", counted)
    samples, _ = sound_reading.decode_bytes(tag + parts[0], "a")
    np.testing.assert_array_equal(samples[0], values[:first] / 2.0**15)
    assert tag or sum(read) < 50_000  # what follows a tag is copied
    samples, _ = sound_reading.decode_bytes(tag + parts[0] + parts[1], "a")
    np.testing.assert_array_equal(samples[0], np.append(values[:first], values[:30]) / 2.0**15)


def test_what_is_no_sound_is_named() -> None:
    with pytest.raises(ItemError, match="'row 3' cannot be read as audio: ") as caught:
        sound_reading.decode_bytes(b"RIFFnonsense", "row 3")
    assert caught.value.code == "broken-file"


def test_only_files_on_which_notes_may_be_printed_are_hushed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    file = io.BytesIO()
    soundfile.write(file, WAVE.repeat(10, axis=0), 22050, format="MP3", subtype="MPEG_LAYER_III")
    mp3 = file.getvalue()
    data = mp3[:3000] + bytes(200) + mp3[3200:]  # "Illegal Audio-MPEG-Header"
    assert sound_reading.decode_bytes(data, "a")[0].size
    assert capfd.readouterr().err == ""

    def unwanted() -> None:
        pytest.fail("it was hushed")

    monkeypatch.setattr(sound_decoding, "hushed_libraries", unwanted)
    assert sound_reading.decode_bytes(made("WAV", "PCM_16"), "a")[0].size
    with pytest.raises(pytest.fail.Exception):
        sound_reading.decode_bytes(data, "a")
