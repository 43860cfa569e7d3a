"""Files of PyTorch whose few bytes are many values, or that would run code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from case import MONO, Case


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


OLD = {"_use_new_zipfile_serialization": False}


def cases() -> Iterator[Case]:
    """Yield files of both formats of PyTorch."""
    for kind, how in (("new", {}), ("old", OLD)):
        for name, (content, verdict) in CONTENTS.items():
            yield Case(f"{name}-{kind}", "torch-reader", ".pt", _writer(content, how), verdict, MONO | {"key": "*"})


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
