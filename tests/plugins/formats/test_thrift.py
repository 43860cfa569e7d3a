"""Thrift's compact protocol: every type of value, and a ValueError for whatever is broken or too much."""

from __future__ import annotations

import pytest

from tonearm.api import MAX_NESTING
from tonearm_plugins.formats import thrift
from tonearm_plugins.formats.thrift import CompactReader


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x00", {}),
        (b"\x11\x22\x00", {1: True, 3: False}),
        (b"\x13\x07\x00", {1: 7}),
        (b"\x15\x08\x16\x03\x00", {1: 4, 2: -2}),
        (b"\x17" + b"12345678" + b"\x00", {1: b"12345678"}),
        (b"\x18\x02ab\x00", {1: b"ab"}),
        (b"\x19\x25\x02\x04\x00", {1: [1, 2]}),
        (b"\x1b\x01\x85\x01a\x02\x00".replace(b"\x85\x01a", b"\x85\x01\x61"), {1: [b"a", 1]}),
        (b"\x1c\x15\x02\x00\x00", {1: {1: 1}}),
        (b"\x05\xc8\x01\x02\x00", {100: 1}),
    ],
)
def test_values_of_every_type(data: bytes, expected: dict[int, object]) -> None:
    reader = CompactReader(data + b"rest")
    assert reader.struct() == expected
    assert reader.at == len(data)


def test_the_number_of_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"\x19\xf5\x64" + b"\x02" * 100 + b"\x00"
    assert len(CompactReader(data).struct()[1]) == 100
    monkeypatch.setattr(thrift, "MAX_VALUES", 100)  # one is the list
    with pytest.raises(ValueError, match="it has too many values"):
        CompactReader(data).struct()


def test_maps_lists_and_sets_of_every_length() -> None:
    assert CompactReader(b"\x1b\x00\x00").struct() == {1: []}  # no byte for the types of an empty map
    assert CompactReader(b"\x19\x01\x00").struct() == {1: []}
    assert CompactReader(b"\x1a\x25\x02\x04\x00").struct() == {1: [1, 2]}  # a set
    assert CompactReader(b"\x19\xe5" + b"\x02" * 14 + b"\x00").struct() == {1: [1] * 14}
    assert CompactReader(b"\x19\xf5\x0f" + b"\x02" * 15 + b"\x00").struct() == {1: [1] * 15}
    assert CompactReader(b"\x19\x31\x01\x02\x03\x00").struct() == {1: [1, 2, 3]}
    assert CompactReader(b"\x19\x32\x01\x02\x03\x00").struct() == {1: [1, 2, 3]}
    assert CompactReader(b"\x19\x13\x09\x00").struct() == {1: [9]}


@pytest.mark.parametrize("number", [0, -1, 1, 63, -64, 64, 8191, -8192, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63)])
@pytest.mark.parametrize("kind", [4, 5, 6])
def test_numbers_of_every_size(kind: int, number: int) -> None:
    """By the definition of the compact protocol: zigzag, then groups of seven bits, the lowest first."""
    rest = number * 2 if number >= 0 else -number * 2 - 1
    data = bytearray()
    while rest > 127:
        data.append(rest % 128 + 128)
        rest //= 128
    assert CompactReader(bytes([0x10 | kind, *data, rest, 0])).struct() == {1: number}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is cut off"),
        (b"\x15", "it is cut off"),
        (b"\x15\x02", "it is cut off"),
        (b"\x18\x03ab", "it claims more than it holds"),
        (b"\x17" + b"1234567", "it claims more than it holds"),
        (b"\x19\x35\x02\x02", "it claims more than it holds"),
        (b"\x15" + b"\xff" * 9 + b"\x01\x00", None),
        (b"\x15" + b"\xff" * 10 + b"\x01\x00", "a number is too long"),
        (b"\x1d\x00", "type 13 does not exist"),
        (b"\x10\x00", "type 0 does not exist"),
    ],
)
def test_broken_data_has_its_reason(data: bytes, message: str | None) -> None:
    if message is None:
        assert CompactReader(data).struct() == {1: -(2**63)}
        return
    with pytest.raises(ValueError, match=f"^{message}$"):
        CompactReader(data).struct()


def test_claims_up_to_the_last_byte_are_read() -> None:
    for data in (b"\x18\x02ab", b"\x19\x25\x02\x02", b"\x1712345678"):
        with pytest.raises(ValueError, match=r"^it is cut off$"):  # only the end of the struct is missing
            CompactReader(data).struct()


@pytest.mark.parametrize("opening", [b"\x1c", b"\x19\x19"])
def test_nesting_is_bounded(opening: bytes) -> None:
    """A struct within a struct counts one each; lists within lists likewise."""
    if opening == b"\x1c":
        assert CompactReader(b"\x1c" * MAX_NESTING + b"\x00" * (MAX_NESTING + 1)).struct()
        data = b"\x1c" * (MAX_NESTING + 1) + b"\x00" * (MAX_NESTING + 2)
    else:
        fitting = b"\x19" + b"\x19" * MAX_NESTING + b"\x13\x07\x00"
        assert CompactReader(fitting).struct()
        data = b"\x19" + b"\x19" * (MAX_NESTING + 1) + b"\x13\x07\x00"
    with pytest.raises(ValueError, match=r"^it is nested too deeply$"):
        CompactReader(data).struct()
