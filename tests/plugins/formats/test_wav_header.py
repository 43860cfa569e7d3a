"""Headers of WAV, RF64 and W64: every number is where the standard has it, and never wraps."""

from __future__ import annotations

import struct
import uuid

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


def parsed(data: bytes) -> dict[str, object]:
    """The fields of a ``fmt`` chunk by the names of Microsoft's WAVEFORMATEXTENSIBLE."""
    names = ("wFormatTag", "nChannels", "nSamplesPerSec", "nAvgBytesPerSec", "nBlockAlign", "wBitsPerSample")
    fields: dict[str, object] = dict(zip(names, struct.unpack("<HHIIHH", data[:16]), strict=True))
    if len(data) > 16:
        fields["cbSize"] = struct.unpack("<H", data[16:18])[0]
        assert len(data) == 18 + fields["cbSize"]  # type: ignore[operator]
    if len(data) > 18:
        more = ("wValidBitsPerSample", "dwChannelMask")
        fields |= zip(more, struct.unpack("<HI", data[18:24]), strict=True)
        fields["SubFormat"] = str(uuid.UUID(bytes_le=data[24:40]))
    return fields


SPEAKERS = {
    "FL": 0x1,
    "FR": 0x2,
    "FC": 0x4,
    "LFE": 0x8,
    "BL": 0x10,
    "BR": 0x20,
    "BC": 0x100,
    "SL": 0x200,
    "SR": 0x400,
}
"""Bits of the channel mask, from Microsoft's ksmedia.h."""

LAYOUTS = {
    3: "FL FR FC",
    4: "FL FR BL BR",
    5: "FL FR FC BL BR",
    6: "FL FR FC LFE BL BR",
    7: "FL FR FC LFE BC SL SR",
    8: "FL FR FC LFE BL BR SL SR",
    9: "",
}


@pytest.mark.parametrize("channels", range(1, 10))
@pytest.mark.parametrize(
    ("subtype", "bits", "tag"), [*[(f"PCM_{n}", n, 1) for n in (16, 24, 32)], ("FLOAT", 32, 3), ("DOUBLE", 64, 3)]
)
def test_fmt_has_the_fields_of_the_standard(channels: int, subtype: str, bits: int, tag: int) -> None:
    chunks = dict(walked(header.frame(48000, channels, 0, subtype).start))  # type: ignore[arg-type]
    width = channels * bits // 8
    expected: dict[str, object] = {
        "wFormatTag": tag,
        "nChannels": channels,
        "nSamplesPerSec": 48000,
        "nAvgBytesPerSec": 48000 * width,
        "nBlockAlign": width,
        "wBitsPerSample": bits,
    }
    if channels > 2 or (tag == 1 and bits > 16):
        names = {1: "FC", 2: "FL FR", **LAYOUTS}[channels].split()
        expected |= {
            "wFormatTag": 0xFFFE,
            "cbSize": 22,
            "wValidBitsPerSample": bits,
            "dwChannelMask": sum(SPEAKERS[name] for name in names),
            "SubFormat": f"0000000{tag}-0000-0010-8000-00aa00389b71",
        }
    elif tag == 3:
        expected["cbSize"] = 0
    assert parsed(chunks[b"fmt "]) == expected
    assert (b"fact" in chunks) == (tag == 3)


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_w64_is_made_of_aligned_chunks_named_by_guids(channels: int, subtype: str) -> None:
    found = header.frame(8000, channels, 1001, subtype, "W64", before=[(b"junk", b"12345")])  # type: ignore[arg-type]
    data = found.start
    assert str(uuid.UUID(bytes_le=data[:16])) == "66666972-912e-11cf-a5d6-28db04c10000"
    assert struct.unpack("<Q", data[16:24])[0] == found.total
    assert str(uuid.UUID(bytes_le=data[24:40])) == "65766177-acf3-11d3-8cd1-00c04f8edb8a"
    at, chunks = 40, {}
    while at < len(data):
        assert str(uuid.UUID(bytes_le=data[at : at + 16]))[8:] == "-acf3-11d3-8cd1-00c04f8edb8a"
        size = struct.unpack("<Q", data[at + 16 : at + 24])[0]
        chunks[data[at : at + 4]] = data[at + 24 : at + size]
        at += -(-size // 8) * 8 if data[at : at + 4] != b"data" else 24
    samples = 1001 * channels * (2 if subtype == "PCM_16" else 4)
    assert (at, size, found.total) == (len(data), 24 + samples, len(data) + samples)
    assert chunks[b"junk"] == b"12345"
    assert chunks.get(b"fact") == (None if subtype == "PCM_16" else struct.pack("<Q", 1001))
    extensible = (
        channels == 3 and subtype == "PCM_16"
    )  # other readers take floats with an extensible header for integers
    assert parsed(chunks[b"fmt "])["wFormatTag"] == (0xFFFE if extensible else 3 if subtype == "FLOAT" else 1)


def test_the_largest_numbers_that_a_header_holds() -> None:
    header.frame(1, 0xFFFF // 2, 0, "PCM_16")
    with pytest.raises(ValueError, match="channels"):
        header.frame(1, 0xFFFF // 2 + 1, 0, "PCM_16")
    header.frame(0xFFFFFFFF // 2, 1, 0, "PCM_16")
    with pytest.raises(ValueError, match="Hz"):
        header.frame(0xFFFFFFFF // 2 + 1, 1, 0, "PCM_16")
    with pytest.raises(ValueError, match="0 Hz"):
        header.frame(0, 1, 0, "PCM_16")
    most = (2**63 - 1) // 4
    header.frame(8000, 1, most, "PCM_16")
    with pytest.raises(ValueError, match="frames"):
        header.frame(8000, 1, most + 1, "PCM_16")


def test_bext_without_texts_is_as_long_as_the_standard_says() -> None:
    _, body = header.bext_chunk(originator_reference="R" * 40, time_reference=1)
    assert len(body) == 602
    assert body[288:320] == b"R" * 32
    assert not any(body[348:602])
    _, body = header.bext_chunk(description="Ä")
    assert body[:2] == b"?\0"
