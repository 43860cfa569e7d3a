"""Pages of Ogg: taken apart and written by us, and read by libogg, which libsndfile has within."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tonearm_plugins.formats.ogg_pages import PacketReader, PageWriter
from tonearm_plugins.formats.ogg_stream import ogg_pages

PACKETS = st.lists(st.sampled_from([0, 1, 254, 255, 256, 510, 65_024, 65_025, 65_026, 200_000]), min_size=1, max_size=6)


def by_mutagen(content: bytes) -> list[bytes]:
    """The packets of a stream, as mutagen finds them. It checks that pages follow each other."""
    from mutagen.ogg import OggPage

    file, pages = io.BytesIO(content), []
    while file.tell() < len(content):
        pages.append(OggPage(file))
    return [bytes(packet) for packet in OggPage.to_packets(pages, strict=True)]


def written(packets: list[bytes], granule: int = 0) -> bytes:
    out = bytearray()
    pages = PageWriter(out.extend)
    for number, packet in enumerate(packets):
        pages.add(packet, granule + number)
    pages.finish(granule + len(packets))
    return bytes(out)


@given(sizes=PACKETS)
@settings(max_examples=40)
def test_packets_of_any_size_come_back(sizes: list[int]) -> None:
    packets = [bytes([number + 1]) * size for number, size in enumerate(sizes)]
    content = written(packets)
    assert by_mutagen(content) == packets
    assert list(PacketReader().push(content)) == packets
    found = list(ogg_pages(content))
    assert sum(page.end - page.start for page in found) == len(content)
    assert [page.flags & 2 for page in found] == [2] + [0] * (len(found) - 1)
    assert [page.flags & 4 for page in found] == [0] * (len(found) - 1) + [4]


def test_a_page_that_ends_no_packet_has_no_position() -> None:
    content = written([b"x" * 70_000, b"y"], 5)
    positions = [int.from_bytes(content[page.start + 6 : page.start + 14], "little") for page in ogg_pages(content)]
    assert positions == [2**64 - 1, 7]
    assert [page.flags for page in ogg_pages(content)] == [2, 5]


@given(cuts=st.lists(st.integers(1, 3000), max_size=40))
@settings(max_examples=20)
def test_bytes_come_in_pieces_of_any_length(cuts: list[int]) -> None:
    packets = [bytes([size % 251]) * size for size in (0, 19, 255, 3000, 70_000, 1)]
    content, reader, at = written(packets), PacketReader(), 0
    found: list[bytes] = []
    for cut in (*cuts, len(content)):
        found += reader.push(content[at : at + cut])
        at += cut
    assert found == packets


def test_pages_of_libsndfile_come_back_to_the_byte_but_for_the_serial_number() -> None:
    """This holds the checksum, too."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).standard_normal((90_000, 2)) * 0.1
    soundfile.write(file, noise, 44100, format="OGG", subtype="VORBIS")
    content, out = file.getvalue(), bytearray()
    pages = PageWriter(out.extend)
    whole = list(ogg_pages(content))
    pages._held, pages._serial = None, content[14:18]
    for page in whole:
        reader = PacketReader()
        for packet in reader.push(content[page.start : page.end]):
            pages.add(packet, int.from_bytes(content[page.start + 6 : page.start + 14], "little"))
        if page is not whole[-1]:
            pages.flush()
    pages.finish(90_000)
    first = len(ogg_first(content))
    assert bytes(out)[first:] == content[first:]
    assert [page.segments for page in ogg_pages(bytes(out))] == [page.segments for page in whole]


def ogg_first(content: bytes) -> bytes:
    page = next(ogg_pages(content))
    return content[page.start : page.end]


def test_the_serial_number_follows_from_the_first_sound() -> None:
    def serials(*packets: bytes) -> set[int]:
        out = bytearray()
        pages = PageWriter(out.extend)
        for number, packet in enumerate(packets):
            pages.add(packet, 960 * max(0, number - 1))
            assert bool(out) == (number > 2)
            pages.flush()
        pages.finish(99_999)
        return {page.serial for page in ogg_pages(bytes(out))}

    assert serials(b"head", b"tags", b"a", b"b") == serials(b"head", b"tags", b"a", b"c")
    (one,) = serials(b"head", b"tags", b"a")
    for other in (serials(b"head", b"tags", b"b"), serials(b"hEad", b"tags", b"a")):
        assert one not in other
        assert len(other) == 1


@pytest.mark.parametrize("granule", [0, 1])
def test_a_stream_of_headers_alone_has_an_end(granule: int) -> None:
    out = bytearray()
    pages = PageWriter(out.extend)
    pages.add(b"head", 0)
    pages.flush()
    pages.finish(granule)
    assert [page.flags for page in ogg_pages(bytes(out))] == [2, 4]
