"""Frames of MP3: sizes and sides as mutagen reads them, and a checksum like that of the definition."""

from __future__ import annotations

import io
import struct
import tracemalloc
from array import array
from typing import Any

import lameenc
import mutagen.mp3
import numpy as np
import pytest
import soundfile
from mutagen.mp3 import XingHeader

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
    sizes = mpeg_audio.Frames.of(made).sizes
    assert sum(sizes) == len(made)
    assert len(sizes) * header.samples >= 20_000 + mpeg_audio.DELAY
    frame = mpeg_audio.info_frame(mpeg_audio.Frames.of(made), 20_000, "cbr", bitrate=bitrate)
    found = mutagen.mp3.MP3(io.BytesIO(frame + made)).info
    assert found.length == pytest.approx(20_000 / rate, abs=1e-4)
    assert found.encoder_info.startswith("LAME 3.100")
    assert found.bitrate_mode == mutagen.mp3.BitrateMode.CBR


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 1000, 4097])
def test_the_checksum_is_that_of_the_definition(length: int) -> None:
    data = np.random.default_rng(length).integers(0, 256, length, dtype=np.uint8).tobytes()
    assert mpeg_audio.crc16(data) == crc_by_definition(data)
    for cut in (2, length // 2):
        if 2 <= cut <= length - 2:
            assert mpeg_audio.crc16(data[cut:], mpeg_audio.crc16(data[:cut])) == crc_by_definition(data)


def crc_by_definition(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def checksums(file: bytes) -> tuple[int, int, int]:
    """The size of the file, the checksum of its sound and that of its tag, as the first frame has them."""
    at = 4 + mpeg_audio.Header(int.from_bytes(file[:4], "big")).side + 148
    size, music, tag = struct.unpack_from(">IHH", file, at)
    return size, music, tag


@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (44100, 1), (22050, 2), (8000, 1)])
def test_size_and_checksums_are_where_lame_itself_writes_them(rate: int, channels: int) -> None:
    """libsndfile writes the frame that LAME makes, lameenc does not: the same stream with either must say the same."""
    samples = np.random.default_rng(0).standard_normal((20_000, channels)) / 10
    written = io.BytesIO()
    soundfile.write(written, samples, rate, format="MP3")
    theirs = written.getvalue()
    header = mpeg_audio.Header(int.from_bytes(theirs[:4], "big"))
    music, at = theirs[header.size :], 4 + header.side
    ours = mpeg_audio.info_frame(mpeg_audio.Frames.of(music), 20_000, "vbr", quality=4) + music
    for file in (theirs, ours):
        size = len(file) - len(music)
        assert checksums(file) == (len(file), crc_by_definition(music), crc_by_definition(file[: at + 154]))
        assert not any(file[at + 156 : size])
    assert ours[at : at + 12] == theirs[at : at + 12]  # the start, the flags and the number of frames
    assert ours[at + 120 : at + 130] == theirs[at + 120 : at + 130]  # LAME's version and the kind of bit rate
    assert ours[at + 141 : at + 144] == theirs[at + 141 : at + 144]  # the delay and the padding
    assert ours[at + 144] & 0b11011100 == theirs[at + 144] & 0b11011100  # the sample rate and the channels
    assert ours[at + 145] == theirs[at + 145] == 0  # the gain that was applied


@pytest.mark.parametrize(("cut", "message"), [(1, "the last frame is cut short"), (-1, "there is no frame at byte")])
def test_a_stream_of_anything_else_is_refused(cut: int, message: str) -> None:
    made = stream(44100, 2, 128)
    with pytest.raises(ValueError, match=message):
        mpeg_audio.Frames.of(made[:-cut] if cut > 0 else made + bytes(4))
    with pytest.raises(ValueError, match="frames cannot have 1000000 samples"):
        mpeg_audio.info_frame(mpeg_audio.Frames.of(made), 1_000_000, "cbr")


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


def test_every_header_is_read_as_mutagen_reads_it() -> None:
    """All versions, layers, bit rates, sample rates, paddings and modes, valid or not."""
    for low in range(1 << 12):
        version, layer, index, rate, padding = low >> 10, low >> 8 & 3, low >> 4 & 15, low >> 2 & 3, low >> 1 & 1
        for mode in (0, 1, 2, 3) if layer == 1 else (0,):
            word = 0x7FF << 21 | version << 19 | layer << 17 | 1 << 16 | index << 12 | rate << 10
            word |= padding << 9 | mode << 6 | (low & 1) << 2
            header = mpeg_audio.Header(word)
            try:
                frame = MPEGFrame(io.BytesIO(word.to_bytes(4, "big") + bytes(2000)))
            except mutagen.mp3.HeaderNotFoundError:
                assert not header.is_valid
                continue
            assert header.is_valid == (frame.layer == 3)
            if not header.is_valid:
                continue
            assert header.is_mpeg1 == (frame.version == 1)
            assert (header.sample_rate, header.channels) == (frame.sample_rate, frame.channels)
            assert header.size == frame.frame_size_of_layer_3()
            assert 4 + header.side == XingHeader.get_offset(frame)
            room = header.with_room()
            assert room.word >> 16 & 1 == 1
            assert room.word >> 9 & 1 == 0
            assert (room.sample_rate, room.channels, room.is_mpeg1) == (
                frame.sample_rate,
                frame.channels,
                header.is_mpeg1,
            )
            assert room.size >= 4 + room.side + 156


def test_a_header_needs_all_bits_of_the_sync_word() -> None:
    assert mpeg_audio.Header(0xFFFB9000).is_valid
    for bit in range(21, 32):
        assert not mpeg_audio.Header(0xFFFB9000 ^ 1 << bit).is_valid


class MPEGFrame(mutagen.mp3.MPEGFrame):
    """Mutagen's header of a frame, with the size that it computes only in passing."""

    def frame_size_of_layer_3(self) -> int:
        slots = 144 if self.version == 1 else 72
        return slots * self.bitrate // self.sample_rate + self.padding


@pytest.mark.parametrize(
    ("mode", "method", "scale", "start"), [("cbr", 1, 57, b"Info"), ("abr", 2, 57, b"Xing"), ("vbr", 4, 77, b"Xing")]
)
@pytest.mark.parametrize(
    ("rate", "channels", "bitrate", "source"),
    [(44100, 2, 128, 1), (48000, 1, 320, 2), (32000, 2, 64, 0), (22050, 2, 32, 0), (8000, 1, 8, 0)],
)
def test_every_field_of_the_frame_of_information(
    mode: mpeg_audio.Mode,
    method: int,
    scale: int,
    start: bytes,
    rate: int,
    channels: int,
    bitrate: int,
    source: int,
) -> None:
    """By mutagen's reader and the Mp3 Info Tag, revision 1; the quality counts down from 97 in steps of 10."""
    made = stream(rate, channels, bitrate)
    header = mpeg_audio.Header(int.from_bytes(made[:4], "big"))
    frame = mpeg_audio.info_frame(mpeg_audio.Frames.of(made), 20_000, mode, bitrate=bitrate, quality=2)
    at = 4 + header.side
    assert frame[4:at] == bytes(header.side)
    assert frame[at : at + 8] == start + b"\0\0\0\x0f"  # all four fields are there
    sizes = mpeg_audio.Frames.of(made).sizes
    file = io.BytesIO(frame)
    file.seek(at)
    xing = XingHeader(file)
    total = len(frame) + len(made)
    assert (xing.frames, xing.bytes, xing.vbr_scale) == (len(sizes), total, scale)
    starts = np.cumsum([len(frame), *sizes])[:-1]
    assert xing.toc == [min(255, int(256 * starts[part * len(sizes) // 100] / total)) for part in range(100)]
    found = xing.lame_header
    assert found is not None
    assert (found.vbr_method, found.bitrate) == (method, min(bitrate, 255))
    padding = len(sizes) * header.samples - 576 - 20_000
    assert (found.encoder_delay_start, found.encoder_padding_end) == (576, padding)
    assert found.source_sample_frequency_enum == source
    assert found.stereo_mode == (0 if header.channels == 1 else 3)
    assert (found.lowpass_filter, found.encoding_flags, found.track_gain_adjustment) == (0, 0, None)
    assert (found.noise_shaping, found.mp3_gain, found.surround_info, found.preset_used) == (0, 0, 0, 0)
    assert not any(frame[at + 156 :])


def test_the_padding_has_12_bits() -> None:
    made = stream(44100, 1, 64)
    samples = len(mpeg_audio.Frames.of(made).sizes) * 1152 - 576
    for padding in (0, 15, 255, 256, 4095):
        file = io.BytesIO(mpeg_audio.info_frame(mpeg_audio.Frames.of(made), samples - padding, "cbr", bitrate=64))
        file.seek(21)
        found = XingHeader(file).lame_header
        assert found is not None
        assert found.encoder_padding_end == padding
    for padding in (-1, 4096):
        with pytest.raises(ValueError, match="frames cannot have"):
            mpeg_audio.info_frame(mpeg_audio.Frames.of(made), samples - padding, "cbr", bitrate=64)


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_frames_are_cut_from_bytes_as_they_come(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    monkeypatch.setattr(mpeg_audio, "_CHECKED", 700)
    made = stream(24000, 1, 64)
    whole, parts = mpeg_audio.Frames.of(made), mpeg_audio.Frames()
    pieces = [parts.cut(made[at : at + step]) for at in range(0, len(made), step)]
    assert b"".join(pieces) == made
    for piece in filter(None, pieces):
        mpeg_audio.Frames.of(piece)
    assert (parts.sizes, parts.total) == (whole.sizes, len(made))
    assert parts.checksum() == whole.checksum() == crc_by_definition(made)


def test_no_frame_is_no_stream() -> None:
    with pytest.raises(ValueError, match="there is no frame"):
        mpeg_audio.Frames.of(b"")


def test_a_file_of_4_gib_and_more_states_the_most_that_fits() -> None:
    made = stream(24000, 1, 64)
    frames = mpeg_audio.Frames.of(made)
    small = mpeg_audio.info_frame(frames, 20_000, "cbr", bitrate=64)
    frames.total += 1 << 32
    large = mpeg_audio.info_frame(frames, 20_000, "cbr", bitrate=64)
    at = large.index(b"Info") + 12
    assert large[at : at + 4] == b"\xff" * 4 != small[at : at + 4]


def test_the_memory_of_the_frame_of_information_does_not_depend_on_the_length() -> None:
    made = stream(24000, 1, 64)
    frames = mpeg_audio.Frames.of(made)
    count = 1_000_000
    frames.sizes = array("H", [192]) * count
    frames.total = 192 * count
    tracemalloc.start()
    try:
        mpeg_audio.info_frame(frames, count * 576 - mpeg_audio.DELAY, "cbr", bitrate=64)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
