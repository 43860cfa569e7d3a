"""Streams of sound decoded by libsndfile: joined, bounded, and told from those that are cut short."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile

from tonearm.api import ItemError, limited_memory
from tonearm_plugins.formats import sound_decoding
from tonearm_plugins.formats.sndfile_reading import DOUBLE_SUBTYPES, SoundBytes
from tonearm_plugins.formats.sound_plan import Plan

WHOLE = np.random.default_rng(0).integers(-9000, 9000, (5000, 2), "i2")


def made(container: str, subtype: str = "PCM_16", rate: int = 44100) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, WHOLE, rate, format=container, subtype=subtype)
    return file.getvalue()


def read(data: bytes, plan: Plan | None = None, spare: int = 0) -> sound_decoding.Sound:
    return sound_decoding.read_streams(SoundBytes(data), "a", plan or Plan(), 1, DOUBLE_SUBTYPES, spare)


def test_streams_are_joined_in_order() -> None:
    streams = (made("FLAC"), made("WAV"), made("FLAC", "PCM_24"))
    found = read(b"", Plan(streams, (None,) * 3, ("a warning",)))
    np.testing.assert_array_equal(found.samples, np.concatenate([WHOLE] * 3).T / 32768)
    assert (found.sample_rate, found.warnings) == (44100, ("a warning",))
    found_outline = sound_decoding.look_at_streams(SoundBytes(b""), Plan(streams, (None,) * 3))
    assert found_outline == sound_decoding.Outline(44100, 2, 15_000)


def test_streams_that_differ_are_not_joined() -> None:
    with pytest.raises(ItemError, match="joins sounds of 44100 Hz with 2 channels and 8000 Hz with 2 channels"):
        read(b"", Plan((made("FLAC"), made("FLAC", rate=8000)), (None, None)))


def test_memory_counts_all_streams_twice_and_what_is_held() -> None:
    data, size = made("FLAC"), 4 * WHOLE.size
    for plan, spare, needed in (
        (Plan((data,)), 0, size),
        (Plan((data,), held=700), 300, size + 1000),
        (Plan((data, data), (None, None)), 0, 4 * size),
    ):
        with limited_memory(needed):
            read(b"", plan, spare)
        with limited_memory(needed - 2), pytest.raises(ItemError) as caught:
            read(b"", plan, spare)
        assert caught.value.code == "too-large"


@pytest.mark.parametrize(("frames", "cut"), [(77, False), (777_777, False), (5000, True)])
def test_rf64_is_judged_by_its_bytes_and_not_by_its_number_of_samples(frames: int, cut: bool) -> None:
    data = bytearray(made("RF64"))
    struct.pack_into("<Q", data, data.index(b"ds64") + 24, frames)
    if not cut:
        np.testing.assert_array_equal(read(bytes(data)).samples, WHOLE.T / 32768)
        return
    with pytest.raises(
        ItemError, match="the header claims 20000 bytes, but the file has room for 12000 only"
    ) as caught:
        read(bytes(data[:-8000]))
    assert caught.value.code == "truncated"


def test_what_libsndfile_does_not_open_may_be_read_by_others() -> None:
    for data in (b"", b"hello " * 50, b"fLaC" + bytes(50)):
        with pytest.raises(sound_decoding.NotReadError) as caught:
            read(data)
        assert caught.value.reason.code == "bad-audio"


def test_mpeg_audio_that_nobody_took_apart_is_not_decoded() -> None:
    with pytest.raises(sound_decoding.NotReadError):
        read(made("MP3", "MPEG_LAYER_III"))
