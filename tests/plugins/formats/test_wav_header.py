"""Headers of WAV, RF64 and W64: every number is where the standard has it, and never wraps."""

from __future__ import annotations

import struct

import pytest

from tonearm_plugins.formats import wav_header as header


def test_rf64_begins_exactly_where_riff_ends() -> None:
    last = (0xFFFFFFFF - 36) // 2
    found = header.frame(44100, 1, last, "PCM_16")
    assert found.start[:4] == b"RIFF"
    assert struct.unpack("<I", found.start[4:8])[0] == found.total - 8 <= 0xFFFFFFFF
    assert found.start[-4:] == struct.pack("<I", 2 * last)
    found = header.frame(44100, 1, last + 1, "PCM_16")
    assert found.start[:8] == b"RF64\xff\xff\xff\xff"
    assert found.start[12:48] == struct.pack("<4sIQQQI", b"ds64", 28, found.total - 8, 2 * last + 2, last + 1, 0)
    assert found.start[-8:] == b"data\xff\xff\xff\xff"
    assert found.total == len(found.start) + 2 * last + 2 + len(found.end)
    with pytest.raises(ValueError, match="RF64"):
        header.frame(44100, 1, last + 1, "PCM_16", "RIFF")
    for extra in ({"before": [(b"bext", bytes(602))]}, {"after": [(b"LIST", b"INFO")]}):
        assert header.frame(44100, 1, last, "PCM_16", **extra).start[:4] == b"RF64"  # type: ignore[arg-type]
    odd = (0xFFFFFFFF - 60) // 3  # 24 bits: the pad byte counts
    assert odd % 2
    assert header.frame(44100, 1, odd, "PCM_24").start[:4] == b"RF64"
    assert header.frame(44100, 1, odd - 1, "PCM_24").start[:4] == b"RIFF"
    fact = header.frame(44100, 1, 2**33, "DOUBLE").start
    assert b"fact\x04\x00\x00\x00\xff\xff\xff\xff" in fact


def walked(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a RIFF file, in order."""
    found, at = [], 12
    while at < len(data):
        name, count = struct.unpack("<4sI", data[at : at + 8])
        found.append((name, data[at + 8 : at + 8 + count]))
        at += 8 + count + count % 2
    return found


def test_chunks_of_info_are_named_padded_and_end_in_a_zero() -> None:
    made = header.info_chunk({"title": "Grüße", "mood": "calm", "artist": "A"})
    assert made is not None
    name, body = made
    assert (name, body[:4]) == (b"LIST", b"INFO")
    assert walked(bytes(8) + body) == [(b"INAM", "Grüße\0".encode()), (b"IART", b"A\0")]
    assert header.info_chunk({"mood": "calm"}) is None


def test_bext_has_the_offsets_of_the_standard() -> None:
    name, body = header.bext_chunk(
        description="d" * 300,
        originator="Lab",
        date="2024-12-31",
        time="23:59:59",
        time_reference=2**33 + 1,
        coding_history="A=PCM\nB",
    )
    assert name == b"bext"
    assert body[:256] == b"d" * 256  # what is longer is cut
    assert body[256:288].rstrip(b"\0") == b"Lab"
    assert body[320:338] == b"2024-12-3123:59:59"
    assert struct.unpack("<QH", body[338:348]) == (2**33 + 1, 1)
    assert body[602:] == b"A=PCM\r\nB\r\n"


@pytest.mark.parametrize(
    ("channels", "rate", "subtype", "frames", "message"),
    [
        (32768, 8000, "PCM_16", 1, "WAV cannot hold 32768 channels of PCM_16"),
        (0, 8000, "PCM_16", 1, "WAV cannot hold 0 channels"),
        (2, 2**30, "PCM_16", 1, "WAV cannot hold 1073741824 Hz"),
        (1, 8000, "PCM_12", 1, "subtype must be one of"),
        (1, 8000, "PCM_16", -1, "frames is out of range: -1"),
    ],
)
def test_numbers_that_no_header_can_hold(channels: int, rate: int, subtype: str, frames: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        header.frame(rate, channels, frames, subtype)  # type: ignore[arg-type]
