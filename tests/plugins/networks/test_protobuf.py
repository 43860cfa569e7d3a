"""Messages of protocol buffers, field by field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm_plugins.networks import protobuf
from tonearm_plugins.networks.protobuf import Messages, WireError, signed, varint


def encoded(number: int) -> bytes:
    found = b""
    while number > 127:
        found, number = found + bytes([number & 127 | 128]), number >> 7
    return found + bytes([number])


def fields(data: bytes) -> list[tuple[int, int, int, int]]:
    return list(Messages(data).fields(0, len(data)))


@given(st.integers(0, (1 << 64) - 1), st.binary(max_size=4))
def test_numbers_of_varying_length(number: int, rest: bytes) -> None:
    data = encoded(number)
    assert varint(data + rest, 0, len(data + rest)) == (number, len(data))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 11, b"\xff" * 10 + b"\x01"])
def test_numbers_without_an_end_are_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="a number at byte 0 has no end"):
        varint(data, 0, len(data))


def test_numbers_may_be_negative() -> None:
    assert [signed(5), signed((1 << 64) - 1), signed(1 << 63)] == [5, -1, -(1 << 63)]


def test_fields_of_each_type() -> None:
    data = b"\x08\x96\x01" + b"\x12\x02hi" + b"\x19" + bytes(8) + b"\x25" + bytes(4) + b"\xa2\x06\x00"
    assert fields(data) == [(1, 0, 150, 0), (2, 2, 5, 7), (3, 1, 8, 16), (4, 5, 17, 21), (100, 2, 24, 24)]
    assert Messages(data).text(5, 7) == "hi"


def test_text_that_is_no_utf8_is_escaped() -> None:
    assert Messages(b"a\xff").text(0, 2) == "a\\xff"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x08\x05\x00\x00", "a field without a number at byte 2"),
        (b"\x02\x00", "a field without a number at byte 0"),
        *((bytes([8 | kind]) + bytes(8), "a field of an unknown type at byte 0") for kind in (3, 4, 6, 7)),
        (b"\x12\x05hi", "it ends within the field at byte 0"),
        (b"\x12\xff\xff\xff\xff\x0f", "it ends within the field at byte 0"),
        (b"\x19" + bytes(7), "it ends within the field at byte 0"),
        (b"\x12", "a number at byte 1 has no end"),
    ],
)
def test_what_is_no_message_is_refused_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(WireError, match=message):
        fields(data)


def test_a_field_may_reach_to_the_end_of_its_message_alone() -> None:
    data = b"\x12\x04\x0a\x02hi" + b"\x0a\x03\x0a\x02h" + b"i"
    assert list(Messages(data).fields(2, 6)) == [(1, 2, 4, 6)]
    with pytest.raises(WireError, match="ends within"):
        list(Messages(data).fields(8, 11))


def test_the_number_of_fields_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protobuf, "MAX_FIELDS", 3)
    assert len(fields(b"\x08\x00" * 3)) == 3
    with pytest.raises(WireError, match="more than 3 fields"):
        fields(b"\x08\x00" * 4)
