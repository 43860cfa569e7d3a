"""Files of PyTorch whose few bytes are many values, or that would run code."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from case import MONO, Case
from strangers import zipped


class Bytes:
    """An array of bytes of a length, in a pickle of a few bytes."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __reduce__(self) -> Any:
        return bytearray, (self.length,)


def laughs(value: Any, depth: int = 14) -> Any:
    """Lists that hold one list ten times: a few bytes, and ten to the power of the depth values."""
    for _ in range(depth):
        value = [value] * 10
    return value


def encoded(encoding: str, times: int = 26) -> bytes:
    """Return a pickle that encodes a text, and then its bytes again and again: each time there are more."""
    made = b"c_codecs\nencode\n" + _text("a" * 64) + _text("latin1") + b"\x86R"
    for _ in range(times):
        made = b"c_codecs\nencode\n" + made + _text(encoding) + b"\x86R"
    return b"\x80\x02" + made + b"."


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<L", len(text)) + text.encode()


def archive(pickled: bytes, name: str = "data.pkl") -> bytes:
    """Return a file in the new format that holds a pickle."""
    return zipped({f"a/{name}": pickled, "a/version": b"3\n", "a/byteorder": b"little"})


BYTEARRAY = b"\x80\x02cbuiltins\nbytearray\n\x8a\x05" + (3_000_000_000).to_bytes(5, "little") + b"\x85R."
BEFORE = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."
"""The magic number, the version and the sizes, which begin a file in the old format."""

PICKLES: dict[str, tuple[bytes, str]] = {
    "hex": (archive(encoded("hex")), "torch-refused"),
    "hex-in-capitals": (archive(encoded("HEX-Codec")), "torch-refused"),
    "base64": (archive(encoded("base64", 90)), "torch-refused"),
    "quopri": (archive(encoded("quoted printable", 18)), "torch-refused"),
    "hex-in-the-old-format": (BEFORE + encoded("hex"), "torch-refused"),
    "bytearray-in-capitals": (archive(BYTEARRAY, "DATA.PKL"), "torch-refused"),
    "bytearray-in-mixed-letters": (archive(BYTEARRAY, "Data.Pkl"), "torch-refused"),
}
"""Files that no program writes, and their verdicts."""

OLD = {"_use_new_zipfile_serialization": False}


def cases() -> Iterator[Case]:
    """Yield files of both formats of PyTorch."""
    for kind, how in (("new", {}), ("old", OLD)):
        for name, (content, verdict) in CONTENTS.items():
            yield Case(f"{name}-{kind}", "torch-reader", ".pt", _writer(content, how), verdict, MONO | {"key": "*"})
    for name, (data, verdict) in PICKLES.items():
        yield Case(name, "torch-reader", ".pt", data, verdict, MONO | {"key": "*"})


def _writer(content: Any, how: dict[str, Any]) -> Any:
    def write(path: Path) -> None:
        torch.save(content, path, **how)
        assert path.stat().st_size < 10_000

    return write


CONTENTS: dict[str, tuple[Any, str]] = {
    "bytes": ({"a": torch.ones(4), "b": Bytes(3_000_000_000)}, "torch-refused"),
    "tensors": (laughs(torch.ones(4)), "too-large"),
    "numbers": (laughs(1), "too-large"),
    "one-value": (torch.zeros(1).expand(1_000_000_000), "too-large"),
    "a-terabyte": (torch.zeros(1).expand(10**12), "too-large"),
    "sparse": (torch.zeros(3).to_sparse(), "not-numbers"),
    "meta": (torch.zeros(3, device="meta"), "not-numbers"),
    "none": (torch.zeros(0), "empty"),
    "nan": (torch.tensor([0.5, float("nan")]), "not-finite"),
}
