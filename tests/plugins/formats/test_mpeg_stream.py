"""Frames of MPEG audio: sizes of all headers, tags and junk around them, joined files, and no endless search."""

from __future__ import annotations

import io
import struct

import lameenc
import mutagen.mp3
import numpy as np
import pytest

from tonearm_plugins.formats import mpeg_stream
from tonearm_plugins.formats.mpeg_audio import Frames, info_frame


def stream(rate: int = 44100, channels: int = 1, bitrate: int = 64, length: int = 20_000) -> bytes:
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(channels)
    encoder.set_in_sample_rate(rate)
    encoder.set_out_sample_rate(rate)
    encoder.set_bit_rate(bitrate)
    samples = np.random.default_rng(0).integers(-9000, 9000, length * channels, "i2")
    return bytes(encoder.encode(samples.tobytes()) + encoder.flush())


BARE = stream()
COUNT = len(BARE) // 209 + 1
WHOLE = info_frame(Frames.of(BARE), 20_000, "cbr", bitrate=64) + BARE


@pytest.mark.parametrize("word", range(0xFFE00000, 0x100000000, 0x7F35))
def test_figures_of_headers_are_those_of_mutagen(word: int) -> None:
    found = mpeg_stream.frame_shape(word)
    try:
        frame = mutagen.mp3.MPEGFrame(io.BytesIO(word.to_bytes(4, "big") + bytes(5000)))
    except mutagen.mp3.HeaderNotFoundError:
        # It has no free bit rate.
        assert found is None or found.size == 0
        return
    assert found is not None
    assert (found.sample_rate, found.channels, found.layer) == (frame.sample_rate, frame.channels, frame.layer)
    seconds = found.samples / found.sample_rate
    slot = 4 if found.layer == 1 else 1
    assert abs(found.size - frame.bitrate * seconds / 8) <= 2 * slot


def test_a_stream_without_information_is_counted_and_given_room() -> None:
    (part,) = mpeg_stream.parts(BARE, 0)
    assert part.info is None
    assert not part.length_is_known
    assert part.count * 1152 >= 20_000 + 1105
    room = part.stream(BARE)
    assert room.startswith(BARE)
    assert len(room) > part.count * part.largest
    assert mpeg_stream.tag_size(room, len(BARE)) == 10


def test_a_frame_of_information_counts_the_others() -> None:
    (part,) = mpeg_stream.parts(WHOLE, 0)
    assert part.info is not None
    assert part.info.frames == part.count
    assert part.length_is_known
    assert part.stream(WHOLE) == WHOLE
    (short,) = mpeg_stream.parts(WHOLE[: len(WHOLE) // 2], 0)
    assert short.missing == part.count - short.count > 2
    assert not short.length_is_known


def test_a_wrong_number_of_frames_is_not_believed() -> None:
    at = WHOLE.index(b"Info") + 8
    (part,) = mpeg_stream.parts(WHOLE[:at] + (3).to_bytes(4, "big") + WHOLE[at + 4 :], 0)
    assert not part.length_is_known
    assert part.stream(WHOLE).startswith(BARE)


def test_information_of_fraunhofer_is_left_out() -> None:
    frame = bytearray(len(WHOLE) - len(BARE))
    frame[:4] = WHOLE[:4]
    struct.pack_into(">4sHHHII", frame, 36, b"VBRI", 1, 0, 75, 0, 18)
    (part,) = mpeg_stream.parts(bytes(frame) + BARE, 0)
    assert part.info == mpeg_stream.Info(18, is_xing=False, size=len(frame))
    assert part.stream(bytes(frame) + BARE).startswith(BARE)


@pytest.mark.parametrize("between", [b"", b"TAG" + bytes(125), b"ID3\4\0\0\0\0\1\0" + bytes(128), bytes(70)])
def test_joined_files_are_parts(between: bytes) -> None:
    found = mpeg_stream.parts(WHOLE + between + WHOLE, 0)
    assert [part.count for part in found] == [mpeg_stream.parts(WHOLE, 0)[0].count] * 2
    assert found[1].stream(WHOLE + between + WHOLE) == WHOLE
    assert sum(part.junk for part in found) == (70 if between == bytes(70) else 0)


def test_another_rate_or_number_of_channels_is_another_part() -> None:
    for other in (stream(rate=32000), stream(channels=2, bitrate=128)):
        assert [part.shape[2:] for part in mpeg_stream.parts(BARE + other, 0)] == [
            mpeg_stream.parts(one, 0)[0].shape[2:] for one in (BARE, other)
        ]


def test_the_first_frame_is_found_behind_junk_and_not_within_it() -> None:
    junk = b"\xff\xfb\x90\x00" + bytes(900)  # a header alone
    assert mpeg_stream.first_frame(junk + BARE) == len(junk)
    assert mpeg_stream.first_frame(junk) == -1
    assert mpeg_stream.first_frame(b"") == -1
    assert mpeg_stream.first_frame(bytes(2000) + BARE, most=1000) == -1


def test_sizes_of_tags() -> None:
    assert mpeg_stream.tag_size(b"ID3\4\0\0\0\0\2\1" + bytes(300)) == 10 + 257
    assert mpeg_stream.tag_size(b"ID3\4\0\x10\0\0\2\1" + bytes(300)) == 20 + 257
    assert mpeg_stream.tag_size(b"ID3\4\0\0\xff\0\2\1") == 0
    assert mpeg_stream.tag_size(b"TAG" + bytes(125)) == 128
    header = b"APETAGEX" + struct.pack("<IIII", 2000, 500, 1, 0xA0000000)
    assert mpeg_stream.tag_size(header) == 532
    footer = b"APETAGEX" + struct.pack("<IIII", 2000, 500, 1, 0x80000000) + bytes(8)
    assert mpeg_stream.size_of_tags_behind(bytes(900) + footer + b"TAG" + bytes(125)) == 128 + 532
    assert mpeg_stream.size_of_tags_behind(bytes(900)) == 0


def test_a_file_that_ends_within_a_frame() -> None:
    for end, expected in ((len(BARE), False), (len(BARE) - 50, True)):
        content = BARE[:end]
        assert mpeg_stream.is_cut_off(content, mpeg_stream.parts(content, 0)[-1]) == expected


@pytest.mark.parametrize(
    "pattern", [b"\xff", b"\xff\xfb\x00", b"\xff\xfb\x90\x00", b"\xff\xfa\x00\x00\xff\xff", b"ID3\4"]
)
def test_hostile_bytes_are_searched_in_one_pass(pattern: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    content = pattern * 20_000
    calls = 0
    real = mpeg_stream._word

    def counted(data: bytes, at: int) -> int:
        nonlocal calls
        calls += 1
        return real(data, at)

    monkeypatch.setattr(mpeg_stream, "_word", counted)
    first = mpeg_stream.first_frame(content)
    if first >= 0:
        mpeg_stream.parts(content, first)
    assert calls <= 8 * len(content)
