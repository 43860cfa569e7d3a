"""Pages of Ogg: chains, missing pages, marks of the end, and FLAC taken out."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from tonearm_plugins.formats import ogg_stream

WHOLE = np.random.default_rng(0).integers(-9000, 9000, (40_000, 2), "i2")


def page(body: bytes, serial: int, sequence: int, flags: int = 0) -> bytes:
    segments = [255] * (len(body) // 255) + [len(body) % 255]
    head = b"OggS\0" + bytes([flags]) + bytes(8) + serial.to_bytes(4, "little") + sequence.to_bytes(4, "little")
    return head + bytes(4) + bytes([len(segments), *segments]) + body


def made(container: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, WHOLE, 44100, format=container, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_one_file_is_one_link_and_several_are_several(subtype: str) -> None:
    data = made("OGG", subtype) if subtype == "VORBIS" else page(b"OpusHead", 1, 0, 2) + page(b"x" * 600, 1, 1, 4)
    (link,) = ogg_stream.links(data)
    assert (link.start, link.end, link.gaps, link.has_end, link.is_flac) == (0, len(data), 0, True, False)
    found = ogg_stream.links(data + data + data)
    assert [(link.start, link.end) for link in found] == [(n * len(data), (n + 1) * len(data)) for n in range(3)]


def test_pages_that_are_missing_and_an_end_that_is_missing() -> None:
    data = [page(b"a", 1, 0, 2), page(b"b", 1, 1), page(b"c", 1, 2), page(b"d", 1, 3, 4)]
    (link,) = ogg_stream.links(b"".join(data))
    assert (link.gaps, link.has_end) == (0, True)
    (link,) = ogg_stream.links(b"".join(data[:2] + data[3:]))
    assert (link.gaps, link.has_end) == (1, True)
    (link,) = ogg_stream.links(b"".join(data[:3]))
    assert (link.gaps, link.has_end) == (0, False)
    (link,) = ogg_stream.links(b"".join(data)[:-1])  # a page that is cut off is none
    assert not link.has_end


def test_streams_that_begin_together_are_one_link() -> None:
    data = page(b"a", 1, 0, 2) + page(b"b", 2, 0, 2) + page(b"a", 1, 1, 4) + page(b"b", 2, 1)
    (link,) = ogg_stream.links(data)
    assert link.starts == {1: b"a", 2: b"b"}
    assert not link.has_end
    assert len(ogg_stream.links(data + page(b"c", 3, 0, 2))) == 2


def test_what_lies_between_pages_is_passed_over() -> None:
    found = list(ogg_stream.ogg_pages(b"Ogg" + page(b"abc", 7, 0) + b"OggS junk" + page(b"de", 7, 1)))
    assert [(one.serial, one.sequence, one.end - one.body) for one in found] == [(7, 0, 3), (7, 1, 2)]
    assert list(ogg_stream.ogg_pages(b"OggS" * 5000)) == []


def test_flac_comes_out_as_it_went_in() -> None:
    flac = made("FLAC", "PCM_16")
    header, blocks, frames = flac[:42], flac[42:90], flac[90:]
    first = page(b"\x7fFLAC\1\0\0\1" + header, 5, 0, 2)
    rest = [page(blocks, 5, 1), page(b"other", 6, 0)]
    rest += [page(frames[at : at + 40_000], 5, 2 + at // 40_000) for at in range(0, len(frames), 40_000)]
    data = first + b"".join(rest)
    (link,) = ogg_stream.links(data)
    assert link.is_flac
    assert ogg_stream.native_flac(data, link) == flac
