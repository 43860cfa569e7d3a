"""Vorbis and Opus on pages of ours: which packets, where they end, and what comes before them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import soundfile

from tonearm_plugins.formats.ogg_pages import PacketReader
from tonearm_plugins.formats.ogg_sound import PAGE_MS, Codec, OggSound, Opus, Vorbis
from tonearm_plugins.formats.ogg_stream import ogg_pages

CODECS: dict[str, type[Codec]] = {"VORBIS": Vorbis, "OPUS": Opus}
COMMENTS = b"\1\0\0\0v" + bytes(4)


def libsndfiles(subtype: str, rate: int, length: int, channels: int = 1, quality: float = 0.5) -> bytes:
    noise = np.random.default_rng(length).standard_normal((length, channels)) * 0.1
    noise[length // 3 : length // 2] = 0  # Vorbis changes between short and long blocks
    file = io.BytesIO()
    soundfile.write(file, noise, rate, format="OGG", subtype=subtype, compression_level=quality)
    return file.getvalue()


def positions(content: bytes) -> list[int]:
    return [
        int.from_bytes(content[page.start + 6 : page.start + 14], "little", signed=True) for page in ogg_pages(content)
    ]


def rewritten(content: bytes, subtype: str, length: int | None) -> bytes:
    out = bytearray()
    sound = OggSound(out.extend, CODECS[subtype](), lambda _: COMMENTS)
    if length is not None:
        sound.end_at(length)
    for at in range(0, len(content), 999):
        sound.push(content[at : at + 999])
    sound.finish()
    return bytes(out)


@pytest.mark.parametrize(
    ("subtype", "rate", "quality"),
    [
        *(("VORBIS", rate, quality) for rate in (8000, 11025, 22050, 44100, 192_000) for quality in (0.0, 0.5, 1.0)),
        *(("OPUS", rate, 0.5) for rate in (8000, 16000, 48000)),
    ],
)
def test_pages_end_where_libsndfiles_do(subtype: str, rate: int, quality: float) -> None:
    length = 3 * rate + 77
    content = libsndfiles(subtype, rate, length, quality=quality)
    found = rewritten(content, subtype, None)
    packets = list(PacketReader().push(found))
    expected = list(PacketReader().push(content))
    before = {"VORBIS": b"\3vorbis" + COMMENTS + b"\1", "OPUS": b"OpusTags" + COMMENTS}[subtype]
    assert packets == [expected[0], before, *expected[2:]]
    codec = CODECS[subtype]()
    codec.begin(expected[0])
    headers = codec.headers
    at, ends = 0, {0}
    for packet in packets[headers:]:
        at += codec.samples(packet)
        ends.add(at)
    assert ends.issuperset(positions(content)[:-1])  # libsndfile's own counting
    assert at >= positions(content)[-1]
    mine = positions(found)
    assert set(mine[:-1]) <= ends
    assert mine[-1] == at
    steps = np.diff(mine[2:])
    assert (steps > 0).all()
    assert steps.max() <= PAGE_MS * codec.rate / 1000
    assert PAGE_MS <= 250


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_headers_are_on_pages_of_their_own(subtype: str) -> None:
    content = rewritten(libsndfiles(subtype, 48000, 48000), subtype, 48000)
    pages = list(ogg_pages(content))
    counts = [sum(size < 255 for size in page.segments) for page in pages]
    assert counts[:2] == [1, CODECS[subtype].headers - 1]
    assert positions(content)[:2] == [0, 0]
    assert positions(content)[2] > 0
    assert [page.sequence for page in pages] == list(range(len(pages)))
    assert {page.serial for page in pages} == {pages[0].serial}
    assert [page.flags for page in pages] == [2, *[0] * (len(pages) - 2), 4]


@pytest.mark.parametrize("rate", [8000, 48000])
def test_opus_ends_behind_what_is_skipped(rate: int) -> None:
    content = libsndfiles("OPUS", rate, rate)
    skipped = int.from_bytes(content[38:40], "little")
    assert skipped > 100
    for length in (1, 1000, rate // 2):
        found = rewritten(content, "OPUS", length)
        end = skipped + length * 48000 // rate
        assert positions(found)[-1] == end
        assert len(list(PacketReader().push(found))) == 2 + -(-end // 960)  # and no packet beyond the end


def test_vorbis_ends_at_its_length() -> None:
    content = libsndfiles("VORBIS", 44100, 20_000)
    assert positions(rewritten(content, "VORBIS", 20_000))[-1] == 20_000


@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        *((bytes([config << 3]), size) for config, size in ((0, 480), (3, 2880), (11, 2880), (12, 480), (16, 120))),
        *((bytes([31 << 3 | code]), 960 * frames) for code, frames in ((0, 1), (1, 2), (2, 2))),
        (bytes([31 << 3 | 3, 0b11000011]), 2880),
    ],
)
def test_lengths_of_packets_of_opus(packet: bytes, samples: int) -> None:
    assert Opus().samples(packet + bytes(9)) == samples


def header(**fields: Any) -> bytes:
    content = bytearray(b"\1vorbis" + bytes(23))
    content[12:16] = (44100).to_bytes(4, "little")
    content[28] = fields["long"] << 4 | fields["short"]
    return bytes(content)


def test_lengths_of_packets_of_vorbis() -> None:
    codec = Vorbis()
    codec.begin(header(short=8, long=11))
    assert [codec.samples(bytes([mode << 1])) for mode in (0, 0, 1, 1, 0)] == [0, 128, 576, 1024, 576]
    assert codec.rate == 44100
