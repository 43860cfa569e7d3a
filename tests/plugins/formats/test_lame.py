"""LAME: its files decode to exactly the samples that were given, and what is no MP3 is refused."""

from __future__ import annotations

import io

import lameenc
import numpy as np
import pytest
import soundfile
from mutagen.mp3 import XingHeader

from tonearm.api import ItemError
from tonearm_plugins.formats import lame
from tonearm_plugins.formats.mpeg_audio import Header


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


Rates = dict[str, int]


@pytest.mark.parametrize(
    ("rates", "settings", "fields"),
    [
        ({"bitrate": 64}, [("set_bit_rate", 64)], (1, 64, 57)),
        ({"bitrate": 8}, [("set_bit_rate", 8)], (1, 8, 57)),
        ({"abr": 40}, [("set_vbr", 3), ("set_vbr_mean_bitrate_kbps", 40)], (2, 40, 57)),
        ({"vbr_quality": 0}, [("set_vbr", 4), ("set_vbr_quality", 0)], (4, 0, 97)),
        ({"vbr_quality": 9}, [("set_vbr", 4), ("set_vbr_quality", 9)], (4, 0, 7)),
    ],
)
def test_settings_of_the_encoder_and_fields_of_the_first_frame(
    rates: Rates, settings: list[tuple[str, int]], fields: tuple[int, int, int]
) -> None:
    """The frames are those of LAME at its own quality 3, without resampling."""
    samples = np.random.default_rng(0).integers(-9000, 9000, (5000, 2)).astype("i2")
    made = lame.encode([samples], sample_rate=24000, channels=2, length=5000, **rates)  # type: ignore[arg-type]
    encoder = lameenc.Encoder()
    encoder.silence()
    for name, value in [
        ("set_channels", 2),
        ("set_in_sample_rate", 24000),
        ("set_out_sample_rate", 24000),
        ("set_quality", 3),
        *settings,
    ]:
        getattr(encoder, name)(value)
    stream = bytes(encoder.encode(samples.tobytes()) + encoder.flush())
    first = Header(int.from_bytes(made[:4], "big"))
    assert made[first.size :] == stream
    file = io.BytesIO(made)
    file.seek(4 + first.side)
    found = XingHeader(file)
    assert found.lame_header is not None
    assert (found.lame_header.vbr_method, found.lame_header.bitrate, found.vbr_scale) == fields
    assert lame.corrected(made, length=5000, **rates) == made
    assert lame.BITS == 16


def test_samples_of_the_other_byte_order_are_the_same() -> None:
    options = {"sample_rate": 24000, "channels": 1, "length": 3000, "bitrate": 64}
    samples = tone(3000, 1)
    assert lame.encode([samples.astype(">i2")], **options) == lame.encode([samples], **options)  # type: ignore[arg-type]


def test_a_wrong_length_is_no_proper_mp3() -> None:
    with pytest.raises(ItemError, match="LAME made an invalid MP3 file") as caught:
        lame.encode([tone(5000, 1)], sample_rate=24000, channels=1, length=50_000, bitrate=64)
    assert caught.value.code == "encoder-failed"
    assert caught.value.hint == "engine: soundfile"
    assert caught.value.message.startswith("LAME made an invalid MP3 file: ")
    assert caught.value.message.endswith("frames cannot have 50000 samples")
    assert isinstance(caught.value.__cause__, ValueError)


MARK = b"\xff\xfb\x90\x00" + bytes(32)  # a header of stereo, and its side information


@pytest.mark.parametrize(
    "content",
    [b"", b"RIFF", MARK + bytes(500), MARK[1:] + b"\0Info" + bytes(500), MARK + b"Lame", MARK + b"\0Xing"],
)
def test_what_ffmpeg_did_not_begin_with_its_own_frame_is_refused(content: bytes) -> None:
    with pytest.raises(ItemError, match="it does not start with a frame of information"):
        lame.corrected(content, length=1, bitrate=128)


def test_a_first_frame_with_another_length_is_corrected() -> None:
    made = lame.encode([tone(5000, 1)], sample_rate=24000, channels=1, length=5000, bitrate=64)
    wrong = lame.corrected(made, length=4990, bitrate=64)
    assert soundfile.info(io.BytesIO(wrong)).frames == 4990
    assert lame.corrected(wrong, length=5000, bitrate=64) == made
