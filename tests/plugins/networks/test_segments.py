"""The overlap-add of segments, as EnCodec joins those of its 48 kHz model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tonearm.api import ItemError
from tonearm_plugins.networks.segments import joined, stride_of

ORACLE = Path(__file__).parents[2] / "data/tokens/encodec_hf.npz"
RNG = np.random.default_rng(0)


def reference(frames: list[np.ndarray], stride: int) -> np.ndarray:
    """Return the result of EnCodec's ``_linear_overlap_add``, written out sample by sample."""
    total = stride * (len(frames) - 1) + frames[-1].shape[1]
    size = frames[0].shape[1]
    out, weights = np.zeros((frames[0].shape[0], total)), np.zeros(total)
    for number, frame in enumerate(frames):
        for at in range(frame.shape[1]):
            weight = 0.5 - abs((at + 1) / (size + 1) - 0.5)
            out[:, number * stride + at] += weight * frame[:, at]
            weights[number * stride + at] += weight
    return out / weights


@pytest.mark.parametrize(("sizes", "stride"), [((960, 960, 960, 96), 864), ((10, 10, 3), 9), ((7,), 6), ((8, 8), 4)])
def test_weights_are_a_triangle(sizes: tuple[int, ...], stride: int) -> None:
    frames = [RNG.standard_normal((2, size)) for size in sizes]
    found = joined(frames, stride)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, reference(frames, stride), atol=1e-6)


def test_segments_without_overlap_follow_one_another() -> None:
    frames = [RNG.standard_normal((1, size)).astype("f4") for size in (9, 9, 4)]
    np.testing.assert_allclose(joined(frames, 9), np.concatenate(frames, axis=1), rtol=1e-6)


def test_segments_without_a_stride_follow_one_another_whatever_their_lengths() -> None:
    frames = [RNG.standard_normal((2, size)).astype("f4") for size in (4, 9, 5)]
    np.testing.assert_array_equal(joined(frames, None), np.concatenate(frames, axis=1))


def test_a_longer_segment_cannot_overlap_the_first() -> None:
    frames = [RNG.standard_normal((1, size)) for size in (9, 9, 12)]
    with pytest.raises(ItemError, match="segment 2 has 12 samples, more than the 9 of segment 0") as caught:
        joined(frames, 8)
    assert caught.value.code == "model-mismatch"


def test_strides() -> None:
    assert stride_of(48000, has_scales=True) == 47520
    assert stride_of(48000, has_scales=False) is None
    assert stride_of(960, has_scales=True, given=864) == 864
    assert stride_of(1, has_scales=True) == 1


def test_the_sound_of_encodecs_own_code() -> None:
    with np.load(ORACLE) as file:
        frames = [file[f"48k_chunks/frame_waves.{number}"] for number in range(4)]
        wanted = file["48k_chunks/joined"]
    found = joined(frames, stride_of(960, has_scales=True, given=864))
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=1e-6 * np.abs(wanted).max())
