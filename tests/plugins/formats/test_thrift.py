"""Thrift's compact protocol: every type of value, and a ValueError for whatever is broken or too much."""

from __future__ import annotations

import pytest

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
