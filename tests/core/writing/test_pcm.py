"""Samples as codecs take them: integers in the high bits, block by block, and floats as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonearm.api import Context, Waveform, float_blocks, pcm_blocks
from tonearm.writing import pcm


def wave(channels: int, length: int, loud: float = 0.3) -> Waveform:
    noise = np.random.default_rng(channels * 7919 + length).standard_normal((channels, length)) * loud
    return Waveform(samples=noise.astype("f4"), sample_rate=8000)


@pytest.mark.parametrize(("bits", "kind"), [(8, "int16"), (16, "int16"), (20, "int32"), (24, "int32"), (32, "int32")])
def test_integers_are_in_the_high_bits(bits: int, kind: str) -> None:
    signal = wave(2, 1000, 0.2)
    found = np.concatenate(list(pcm_blocks(signal, bits, Context())))
    assert found.dtype == kind
    full = np.iinfo(kind).max + 1
    np.testing.assert_allclose(found.T / full, signal.samples, atol=2.0**-bits + 1e-8)
    assert not (found & ((1 << (8 * found.itemsize - bits)) - 1)).any()


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_blocks_are_small_contiguous_and_whole(monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    monkeypatch.setattr(pcm, "BLOCK_LENGTH", 100)
    signal = wave(channels, 251)
    for found in (list(pcm_blocks(signal, 16, Context())), list(float_blocks(signal, "f8", Context()))):
        assert all(block.flags.c_contiguous and block.size <= 100 for block in found)
        assert sum(map(len, found)) == 251
    np.testing.assert_array_equal(np.concatenate(found).T, signal.samples.astype("f8"))


def test_clipped_samples_are_counted_over_all_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcm, "BLOCK_LENGTH", 10)
    samples: Any = np.zeros((1, 100), "f4")
    samples[0, 5::20] = 1.5
    context = Context()
    list(pcm_blocks(Waveform(samples=samples, sample_rate=8000), 16, context))
    assert context.measurements["clipped"] == 5
    assert context.warnings == ["5 samples were beyond full scale and clipped"]


def test_nothing_is_said_where_nothing_is_clipped() -> None:
    context = Context()
    list(pcm_blocks(wave(1, 100, 0.1), 16, context))
    assert not context.measurements
    assert not context.warnings
