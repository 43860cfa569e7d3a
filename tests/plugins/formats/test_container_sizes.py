"""Sizes in the headers of containers, and files that are shorter."""

from __future__ import annotations

import io

import pytest

from tonearm.api import ItemError
from tonearm_plugins.formats.container_sizes import check_container

EBML = b"\x1a\x45\xdf\xa3\x84" + bytes(4)
SEGMENT = b"\x18\x53\x80\x67"
BODY = bytes(50)

WHOLE = [
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
    check_container(io.BytesIO(data + b"more"), "a", demuxer, len(data) + 4)
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
