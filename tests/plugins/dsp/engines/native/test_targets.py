import numpy as np
import pytest
from dsp_material import NARROW, only_native, smooth_magnitude
from dsp_reference import hann

from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout
from tonearm_plugins.dsp.engines.native.targets import (
    NativeMagnitudeTarget,
    NativeMelTarget,
    band_tables,
    in_blocks,
)
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.mel_basis import MelBasis
from tonearm_plugins.dsp.phase_recovery.targets import MelTarget

LAYOUT = BlockLayout(64, 16, 8)


def triangles(mels=10, bins=33):
    centres = np.linspace(2, bins - 3, mels)[:, None]
    weights = np.maximum(0, 1 - np.abs(np.arange(bins) - centres) / 4)
    weights[4] = 0  # a band that holds nothing
    return weights


def unblocked(blocks, frames):
    """Return blocks [row][lane] as (rows, frames)."""
    return blocks.transpose(1, 0, 2).reshape(blocks.shape[1], -1)[:, :frames]


@pytest.mark.parametrize("frames", [1, 8, 37])
@pytest.mark.parametrize("form", ["C", "F", "big-endian", "float64", "every other"])
def test_every_memory_order_and_type_comes_into_the_same_blocks(frames, form):
    given = np.random.default_rng(0).random((33, frames)).astype(np.float32)
    variant = {
        "C": given,
        "F": np.asfortranarray(given),
        "big-endian": given.astype(">f4"),
        "float64": given.astype(float),
        "every other": np.repeat(given, 2, axis=1)[:, ::2],
    }[form]
    blocks = in_blocks(variant, 35, LAYOUT, 6)
    assert blocks.shape == (7, 35, 8)
    assert np.array_equal(unblocked(blocks, frames)[:33], given)
    assert blocks.base[0 if blocks.base.ndim > 1 else slice(0)].sum() == 0
    assert np.isclose(blocks.sum(), given.sum(), rtol=1e-5)  # zeros all around


def test_kernels_may_read_a_register_before_the_block_before_the_first():
    for frames in range(1, 40):  # whose memory begins at different places in a cache line
        blocks = in_blocks(np.ones((3, frames), np.float32), 3, LAYOUT, 5)
        room = blocks.base
        begin = (blocks.ctypes.data - room.ctypes.data) // 4 - blocks[0].size
        assert begin >= 16
        assert not room[begin - 16 : begin + blocks[0].size].any()


def test_tables_of_bands_have_all_weights():
    weights = triangles()
    basis = MelBasis.checked(weights, mels=10, power=1)
    bands, pairs = band_tables(basis)
    found, shares = np.zeros((2, 10, 33))
    for band, (first, count, begin) in enumerate(bands):
        found[band, first : first + count] = pairs[begin : begin + count, 0]
        shares[band, first : first + count] = pairs[begin : begin + count, 1]
    assert np.allclose(found, weights)
    assert np.allclose(shares, basis.shares)


def test_known_magnitudes_begin_with_themselves():
    magnitude = smooth_magnitude(33, 20).T
    target = NativeMagnitudeTarget(magnitude, LAYOUT, 3)
    assert np.array_equal(unblocked(target.initial_magnitudes(), 20)[:33], magnitude)


@only_native
@pytest.mark.parametrize("power", [1, 2])
def test_a_known_mel_spectrogram_begins_with_the_magnitudes_in_numpy(power):
    basis = MelBasis.checked(triangles(), mels=10, power=power)
    mel = (basis.weights @ smooth_magnitude(33, 20).T ** power).astype(np.float32)
    grid = FrameGrid.checked(hann(64), hop_length=16, pad=32, frames=20)
    target = NativeMelTarget(mel, basis, LAYOUT, LAYOUT.blocks(grid), machine=NARROW)
    found = unblocked(target.initial_magnitudes(), 20)[:33]
    assert np.allclose(found, MelTarget(mel, basis).initial_magnitudes().T, rtol=1e-4, atol=1e-5)
