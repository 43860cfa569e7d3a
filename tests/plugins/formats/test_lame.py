"""LAME: its files decode to exactly the samples that were given, and what is no MP3 is refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from tonearm.api import ItemError
from tonearm_plugins.formats import lame


def tone(length: int, channels: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    phase = 2 * np.pi * 440 * np.arange(length)[:, None] / 24000 + np.arange(channels)
    return (12_000 * np.sin(phase)).astype("i2")


@pytest.mark.parametrize("rates", [{"bitrate": 64}, {"abr": 64}, {"vbr_quality": 4}])
@pytest.mark.parametrize(("length", "channels"), [(1, 1), (5000, 1), (24_001, 2)])
def test_the_length_is_exact_whatever_the_blocks(rates: dict[str, int], length: int, channels: int) -> None:
    samples = tone(length, channels)
    options = {"sample_rate": 24000, "channels": channels, "length": length, **rates}
    made = lame.encode([samples], **options)  # type: ignore[arg-type]
    found, rate = soundfile.read(io.BytesIO(made), always_2d=True)
    assert (rate, found.shape) == (24000, samples.shape)
    if length > 1:
        assert np.abs(found - samples / 32768)[500:-500].max() < 0.05  # ends are less sure
    parts = [samples[start : start + 1000] for start in range(0, length, 1000)]
    assert lame.encode(parts, **options) == made  # type: ignore[arg-type]


def test_a_wrong_length_is_no_proper_mp3() -> None:
    with pytest.raises(ItemError, match="LAME made an invalid MP3 file") as caught:
        lame.encode([tone(5000, 1)], sample_rate=24000, channels=1, length=50_000, bitrate=64)
    assert caught.value.code == "encoder-failed"
    assert caught.value.hint == "engine: soundfile"


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\xff\xfb\x90\x00" + bytes(500)])
def test_what_ffmpeg_did_not_begin_with_its_own_frame_is_refused(content: bytes) -> None:
    with pytest.raises(ItemError, match="it does not start with a frame of information"):
        lame.corrected(content, length=1, bitrate=128)


def test_a_first_frame_with_another_length_is_corrected() -> None:
    made = lame.encode([tone(5000, 1)], sample_rate=24000, channels=1, length=5000, bitrate=64)
    wrong = lame.corrected(made, length=4990, bitrate=64)
    assert soundfile.info(io.BytesIO(wrong)).frames == 4990
    assert lame.corrected(wrong, length=5000, bitrate=64) == made
