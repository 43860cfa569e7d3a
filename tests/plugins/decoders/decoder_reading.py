"""Reading a source by a decoder as the host does it, outside a pipeline."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from array_options import array_options
from tonearm.api import ArrayOptions, ItemError, Source
from tonearm.plugins.context import Context
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import default

STFT: dict[str, Any] = {"sample_rate": 8000, "n_fft": 16, "hop_length": 4}
RNG = np.random.default_rng(5)
WAVE = {"sample_rate": 8000}


def source_of(given: Any) -> Source:
    """A path, bytes (a file in memory), or a source."""
    if isinstance(given, Source):
        return given
    if isinstance(given, bytes):
        return Source(name="in memory", file=io.BytesIO(given))
    return Source(name=Path(given).name, path=Path(given))


def outcomes(decoder: type[Any], given: Any, **options: Any) -> list[Any]:
    """All items, and errors in place of items."""
    cls = ports_of(decoder).options
    made = array_options(cls, **options) if issubclass(cls, ArrayOptions) else cls(**options)
    assert list(made.problems() if hasattr(made, "problems") else ()) == []
    return list(decoder(made).decode(source_of(given), Context(catalogue=default().catalogue)))


def decode(decoder: type[Any], given: Any, **options: Any) -> list[Any]:
    """All items; the first error is raised."""
    found = outcomes(decoder, given, **options)
    for item in found:
        if isinstance(item, ItemError):
            raise item
    return found


def refused(decoder: type[Any], given: Any, **options: Any) -> ItemError:
    """The error, which is one printable line with something to do."""
    with pytest.raises(ItemError) as caught:
        decode(decoder, given, **options)
    error = caught.value
    assert (error.message + error.hint).isprintable()
    assert len(error.message) < 500
    return error


def truncations(data: bytes, count: int = 25) -> list[bytes]:
    """The data cut off at several places."""
    return [data[: len(data) * part // count] for part in range(count)]


def scrambles(data: bytes, count: int = 60, seed: int = 3) -> list[bytes]:
    """The data with a few bytes changed, mostly where headers stand."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        out = np.frombuffer(data, np.uint8).copy()
        reach = len(out) if rng.random() < 0.3 else min(len(out), 256)
        at = rng.integers(0, reach, rng.integers(1, 6))
        out[at if rng.random() < 0.5 else len(out) - 1 - at] = rng.integers(0, 256, len(at))
        made.append(out.tobytes())
    return made


SIZES = (0, 1, 255, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
"""Numbers that headers lie with."""


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The data with a few places overwritten, cut out, doubled, or replaced by numbers that lie; or cut off."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(min(len(out), 300) if rng.random() < 0.6 else len(out))
        at = len(out) - 1 - at if rng.random() < 0.4 else at
        what = rng.randrange(6)
        if what == 0:
            out[at] = rng.randrange(256)
        elif what == 1:
            out[at] ^= 1 << rng.randrange(8)
        elif what == 2:
            width = rng.choice((2, 4, 8))
            out[at : at + width] = (rng.choice(SIZES) % 256**width).to_bytes(width, rng.choice(("little", "big")))
        elif what == 3:
            del out[at : at + rng.randrange(1, 20)]
        elif what == 4:
            out[at:at] = out[rng.randrange(len(out)) :][:16]
        elif rng.random() < 0.2:
            del out[at:]
        if not out:
            break
    return bytes(out)


def read_or_item_error(decoder: type[Any], data: Any, **options: Any) -> int:
    """Read a file, suppressing ItemErrors and nothing else; return the number of items."""
    try:
        return len(decode(decoder, data, **options))
    except ItemError as error:
        if not (error.message + error.hint).isprintable():
            pytest.fail(f"not one line: {error.message!r}")
        return 0
