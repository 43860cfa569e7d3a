"""Sizes in the headers of containers, and files that are shorter."""

from __future__ import annotations

import io

import pytest

from tonearm.api import ItemError
from tonearm_plugins.formats.container_sizes import check_container, has_end_mark

EBML = b"\x1a\x45\xdf\xa3\x84" + bytes(4)
SEGMENT = b"\x18\x53\x80\x67"
BODY = bytes(50)

CLUSTER = b"\x1f\x43\xb6\x75" + b"\x01" + b"\xff" * 7 + b"\xe7\x81\0" + b"\xa3\x40\x20" + bytes(32)
LIVE = EBML + SEGMENT + b"\x01" + b"\xff" * 7 + b"\x15\x49\xa9\x66\x84" + bytes(4) + 2 * CLUSTER


def asf(flags: int, size: int) -> bytes:
    """Return a header, and two packets of 30 bytes."""
    numbers = ((size, 8), (0, 40), (flags, 4), (30, 4))
    body = b"".join(value.to_bytes(count, "little") for value, count in numbers)
    found = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365") + bytes(24) + body
    return bytes(16) + (30 + len(found)).to_bytes(8, "little") + bytes(6) + found + bytes(50 + 2 * 30)


def flv(*sizes: int) -> bytes:
    tags = (b"\x08" + size.to_bytes(3, "big") + bytes(7 + size) + (11 + size).to_bytes(4, "big") for size in sizes)
    return b"FLV\1\4\0\0\0\x09" + bytes(4) + b"".join(tags)


def tta(*sizes: int) -> bytes:
    """Return a header for frames of 256 samples at 245 Hz, the table of their sizes, and the frames."""
    head = b"TTA1\1\0\1\0\x10\0" + (245).to_bytes(4, "little") + (256 * len(sizes)).to_bytes(4, "little") + bytes(4)
    return head + b"".join(size.to_bytes(4, "little") for size in sizes) + bytes(4) + bytes(sum(sizes))


def adx(blocks: int, claimed: int) -> bytes:
    """Return blocks of 18 bytes for each of two channels behind a header."""
    return b"\x80\0\0\x20\3\x12\4\2" + bytes(4) + claimed.to_bytes(4, "big") + bytes(20) + bytes(36 * blocks)


WHOLE = [
    ("adx", adx(9, 32 * 9 + 1)),
    ("tta", tta(20, 50)),
    ("asf", asf(2, len(asf(2, 0)))),
    ("asf", asf(1, 0)),
    ("asf", asf(1, 0) + b"$E\4\0" + bytes(4)),
    ("flv", flv(20, 50)),
    ("matroska", LIVE),
    ("rm", b".RMF\0\0\0\x12" + bytes(10) + b"DATA\0\0\0\x3a" + bytes(40)),
    ("avi", b"RIFF" + (46).to_bytes(4, "little") + b"AVI " + bytes(42)),
    ("sox", b".SoX" + (28).to_bytes(4, "little") + (5).to_bytes(8, "little") + bytes(16) + bytes(20)),
    ("sox", b"XoS." + (28).to_bytes(4, "big") + (5).to_bytes(8, "big") + bytes(16) + bytes(20)),
    ("matroska", EBML + SEGMENT + bytes([0x80 | 50]) + BODY),
    ("matroska", EBML + SEGMENT + b"\x01\0\0\0\0\0\0\x32" + BODY),
    ("matroska", EBML + SEGMENT + b"\x40\x32" + BODY),
    ("mov", (12).to_bytes(4, "big") + b"ftypM4A " + (58).to_bytes(4, "big") + b"mdat" + BODY),
]


@pytest.mark.parametrize(("demuxer", "data"), WHOLE)
def test_a_file_that_is_shorter_than_it_claims_is_refused(demuxer: str, data: bytes) -> None:
    assert check_container(io.BytesIO(data), "a", demuxer, len(data)) == (demuxer == "mov")
    if demuxer != "asf":  # of which nothing but packets follows the header
        check_container(io.BytesIO(data + b"more"), "a", demuxer, len(data) + 4)
    if b"$E" in data:
        data = data.partition(b"$E")[0]
    with pytest.raises(ItemError) as caught:
        check_container(io.BytesIO(data[:-1]), "a", demuxer, len(data) - 1)
    assert caught.value.code == "truncated"
    assert caught.value.message == f"the file is cut short: it claims {len(data)} bytes, and has {len(data) - 1}"


@pytest.mark.parametrize("size", [b"\xff", b"\x01" + b"\xff" * 7, b"\x7f\xff"])
def test_a_segment_of_unknown_size_may_be_of_any(size: bytes) -> None:
    data = EBML + SEGMENT + size + BODY
    assert not check_container(io.BytesIO(data), "a", "matroska", len(data))


@pytest.mark.parametrize("data", [b"", b"\x1a\x45", EBML, b"\x1a\x45\xdf\xa3" + bytes(80), EBML + b"\xff" * 40])
def test_a_stump_claims_nothing(data: bytes) -> None:
    for demuxer in ("matroska", "tta", "mp3"):
        assert not check_container(io.BytesIO(data), "a", demuxer, len(data))


JOINED = [
    ("adx", adx(9, 32 * 10), b""),
    ("asf", asf(2, len(asf(2, 0))), b""),
    ("tta", tta(20, 50), b""),
    ("tta", tta(20, 50), b"APETAGEX" + bytes(80)),
    ("mov", WHOLE[-1][1] + (8).to_bytes(4, "big") + b"moov", b""),
]


@pytest.mark.parametrize(("demuxer", "data", "between"), JOINED)
def test_a_second_file_is_refused_where_ffmpeg_reads_the_first_alone(demuxer: str, data: bytes, between: bytes) -> None:
    data += between
    check_container(io.BytesIO(data), "a", demuxer, len(data))
    with pytest.raises(ItemError, match=f"the second begins at byte {len(data)}\n") as caught:
        check_container(io.BytesIO(data + data), "a", demuxer, 2 * len(data))
    assert caught.value.code == "bad-audio"
    assert f"head -c {len(data)}, and tail -c +{len(data) + 1}" in caught.value.hint


def test_an_index_ends_a_nut_file() -> None:
    data = b"nut/multimedia container\0" + bytes(90)
    for content, whole in ((data, False), (data + b"NX\xdd\x67\x2f\x23\xe6\x4e" + bytes(40), True)):
        assert has_end_mark(io.BytesIO(content), "nut", len(content)) == whole
    assert has_end_mark(io.BytesIO(data), "mov", len(data))
