"""pad: silence before and after, up to a duration or a multiple."""

from __future__ import annotations

from typing import Any

import numpy as np
from transform_helpers import apply, problems

from tonearm_plugins.transforms.pad import Pad


def noise(channels: int, length: int, level: float = 0.1, kind: str = "f4") -> Any:
    return (np.random.default_rng(length).standard_normal((channels, length)) * level).astype(kind)


def test_before_and_after() -> None:
    samples = noise(2, 100)
    found, _ = apply(Pad, samples, 1000, before_ms=5.0, after_ms=7.0)
    np.testing.assert_array_equal(found, np.pad(samples, ((0, 0), (5, 7))))


def test_up_to_a_duration_and_never_less() -> None:
    for length, wanted in ((1, 500), (499, 500), (500, 500), (501, 501)):
        assert apply(Pad, noise(1, length), 1000, min_seconds=0.5)[0].shape == (1, wanted)


def test_up_to_a_multiple() -> None:
    for length, wanted in ((1, 256), (256, 256), (257, 512)):
        assert apply(Pad, noise(1, length), multiple=256)[0].shape == (1, wanted)
    assert apply(Pad, noise(1, 10), 1000, before_ms=1.0, min_seconds=0.02, multiple=32)[0].shape == (1, 32)


def test_nothing_to_pad_is_refused() -> None:
    assert "bad-option: pad: no option says what to pad" in problems({"use": "pad"})
