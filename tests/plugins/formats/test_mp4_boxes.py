"""Tables of MP4 files: claims that would take memory are refused before a library lists them."""

from __future__ import annotations

import io

import pytest

from tonearm.api import ItemError, limited_memory
from tonearm_plugins.formats import mp4_boxes


def box(kind: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def numbers(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in values)


def file(samples: int, size: int = 0, edits: int = 1, data: int = 4000) -> io.BytesIO:
    table = box(b"minf", box(b"stbl", box(b"stsz", numbers(0, size, samples))))
    track = box(b"trak", box(b"edts", box(b"elst", numbers(0, edits), bytes(40))), box(b"mdia", table))
    return io.BytesIO(box(b"ftyp", b"M4A ") + box(b"moov", track) + box(b"mdat", bytes(data)))


def test_a_file_ends_where_its_last_box_ends() -> None:
    whole = file(100).getvalue()
    assert mp4_boxes.check_tables(io.BytesIO(whole), "a") == (len(whole), False, 0)
    assert mp4_boxes.check_tables(io.BytesIO(whole[:-500]), "a") == (len(whole), False, 0)
    assert mp4_boxes.check_tables(io.BytesIO(b""), "a") == (0, False, 0)


def test_what_follows_the_last_box_is_no_box() -> None:
    whole = file(100).getvalue()
    for behind in (b"TAG" + bytes(125), b"APETAGEX" + bytes(24), b"\xff" * 90):
        assert mp4_boxes.check_tables(io.BytesIO(whole + behind), "a") == (len(whole), False, 0)


def test_a_second_file_begins_behind_the_boxes_of_the_first() -> None:
    whole = file(100).getvalue()
    assert mp4_boxes.check_tables(io.BytesIO(whole + whole), "a").second == len(whole)
    # Streams of fragments repeat their header.
    part = box(b"ftyp", b"M4A ") + box(b"moov") + box(b"moof") + box(b"mdat", bytes(40))
    assert mp4_boxes.check_tables(io.BytesIO(part + part), "a") == (2 * len(part), True, 0)


def test_samples_of_one_size_fit_into_the_file() -> None:
    mp4_boxes.check_tables(file(2000, 2), "a")
    with pytest.raises(
        ItemError, match=r"a table claims 4,294,967,295 samples, but the file has 4,\d+ bytes"
    ) as caught:
        mp4_boxes.check_tables(file((1 << 32) - 1, 1), "a")
    assert caught.value.code == "bad-audio"


def test_lists_are_judged_by_the_memory_that_they_take() -> None:
    with limited_memory(2 * 24 * 3000):
        mp4_boxes.check_tables(file(3000), "a")
        mp4_boxes.check_tables(file(300, edits=10), "a")
        for claim in (file(3001), file(3001, edits=1), file(300, edits=11)):
            with pytest.raises(ItemError) as caught:
                mp4_boxes.check_tables(claim, "a")
            assert caught.value.code == "too-large"


def test_fragments_claim_samples_too() -> None:
    def fragment(count: int) -> io.BytesIO:
        return io.BytesIO(
            box(b"moof", box(b"traf", box(b"trun", numbers(0, count), bytes(40)))) + box(b"mdat", bytes(99))
        )

    assert mp4_boxes.check_tables(fragment(50), "a")[1]
    with pytest.raises(ItemError, match="a table claims 1,000,000,000 samples"):
        mp4_boxes.check_tables(fragment(1_000_000_000), "a")


def test_boxes_without_a_size_and_boxes_within_boxes_end() -> None:
    assert mp4_boxes.check_tables(io.BytesIO(bytes(4) + b"mdat" + bytes(90)), "a")[0] == 98
    assert (
        mp4_boxes.check_tables(io.BytesIO(numbers(1) + b"mdat" + (5000).to_bytes(8, "big") + bytes(90)), "a")[0] == 5000
    )
    mp4_boxes.check_tables(io.BytesIO(b"\0\0\0\3moov" * 5000), "a")
    nested = b""
    for _ in range(2000):
        nested = box(b"moov", nested)
    mp4_boxes.check_tables(io.BytesIO(nested), "a")
    with pytest.raises(ItemError, match="more than 100,000 boxes"):
        mp4_boxes.check_tables(io.BytesIO(box(b"free") * 100_002), "a")
