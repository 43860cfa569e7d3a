"""Frames of MP3: sizes and sides as mutagen reads them, and a checksum like that of the definition."""

from __future__ import annotations

import io
from typing import Any

import lameenc
import mutagen.mp3
import numpy as np
import pytest

from tonearm_plugins.formats import mpeg_audio


def stream(rate: int, channels: int, bitrate: int, length: int = 20_000) -> bytes:
    """What LAME makes of noise, without its own first frame."""
    encoder: Any = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(channels)
    encoder.set_in_sample_rate(rate)
    encoder.set_out_sample_rate(rate)
    encoder.set_bit_rate(bitrate)
    samples = (np.random.default_rng(0).standard_normal((length, channels)) * 3000).astype("<i2")
    return bytes(encoder.encode(samples.tobytes()) + encoder.flush())


@pytest.mark.parametrize(
    ("rate", "channels", "bitrate"), [(44100, 2, 128), (48000, 1, 64), (22050, 2, 32), (11025, 1, 16), (8000, 1, 8)]
)
def test_the_first_frame_says_what_mutagen_reads(rate: int, channels: int, bitrate: int) -> None:
    made = stream(rate, channels, bitrate)
    header = mpeg_audio.Header(int.from_bytes(made[:4], "big"))
    info = mutagen.mp3.MP3(io.BytesIO(made)).info
    assert header.is_valid
    assert (header.sample_rate, header.channels) == (info.sample_rate, info.channels) == (rate, channels)
    assert header.is_mpeg1 == (info.version == 1)
    sizes = mpeg_audio.frame_sizes(made)
    assert sum(sizes) == len(made)
    assert len(sizes) * header.samples >= 20_000 + mpeg_audio.DELAY
    frame = mpeg_audio.info_frame(made, 20_000, "cbr", bitrate=bitrate)
    found = mutagen.mp3.MP3(io.BytesIO(frame + made)).info
    assert found.length == pytest.approx(20_000 / rate, abs=1e-4)
    assert found.encoder_info.startswith("LAME 3.100")
    assert found.bitrate_mode == mutagen.mp3.BitrateMode.CBR


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 1000, 4097])
def test_the_checksum_is_that_of_the_definition(length: int) -> None:
    data = np.random.default_rng(length).integers(0, 256, length, dtype=np.uint8).tobytes()
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    assert mpeg_audio.crc16(data) == crc


@pytest.mark.parametrize(("cut", "message"), [(1, "the last frame is cut short"), (-1, "there is no frame at byte")])
def test_a_stream_of_anything_else_is_refused(cut: int, message: str) -> None:
    made = stream(44100, 2, 128)
    with pytest.raises(ValueError, match=message):
        mpeg_audio.frame_sizes(made[:-cut] if cut > 0 else made + b"\0")
    with pytest.raises(ValueError, match="frames cannot have 1000000 samples"):
        mpeg_audio.info_frame(made, 1_000_000, "cbr")


@pytest.mark.parametrize(
    ("bitrate", "rate", "channels", "holds"),
    [
        (64, 44100, 1, True),
        (48, 44100, 1, False),
        (56, 44100, 2, False),
        (64, 44100, 2, True),
        (8, 8000, 1, False),
        (24, 8000, 2, True),
    ],
)
def test_room_for_the_frame_of_information(bitrate: int, rate: int, channels: int, holds: bool) -> None:
    """By the size of a frame of ISO/IEC 11172-3: 144 (72 of MPEG-2) times the bit rate over the sample rate."""
    assert mpeg_audio.holds_info(bitrate, rate, channels) == holds
