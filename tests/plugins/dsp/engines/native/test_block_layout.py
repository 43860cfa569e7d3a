import numpy as np
import pytest
from dsp_material import NARROW, SETTINGS, WIDE, only_native
from dsp_reference import hann

from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout, InverseWeights, grid_tables, size_refusal
from tonearm_plugins.dsp.framing import FrameGrid


@only_native
@pytest.mark.parametrize(
    ("n_fft", "hop", "reason"),
    [
        (1023, 256, "no FFT"),
        (1022, 256, "no FFT"),
        (700, 175, "no FFT"),
        (16, 8, "no FFT"),
        (1024, 4, "hop_length"),
        (1024, 32, "overlap"),
    ],
)
def test_sizes_without_a_kernel_are_refused_with_the_reason(n_fft, hop, reason):
    assert reason in size_refusal(n_fft, hop)


@only_native
def test_fewer_lanes_take_fewer_frames_over_one_sample():
    assert all(not size_refusal(n_fft, hop, WIDE) for n_fft, hop, _ in SETTINGS if hop >= 16)
    refused = [(n_fft, hop) for n_fft, hop, _ in SETTINGS if hop >= 16 and size_refusal(n_fft, hop, NARROW)]
    assert refused == [(512, 50), (1024, 64)]


@pytest.mark.parametrize(("n_fft", "hop"), [(1024, 256), (1024, 300), (512, 512), (400, 160)])
@pytest.mark.parametrize("lanes", [8, 16])
def test_the_samples_of_a_frame_lie_where_the_index_says(n_fft, hop, lanes):
    """A tile, filled by hand from a signal, has sample n of every frame in one row of lanes."""
    layout = BlockLayout(n_fft, hop, lanes)
    signal = np.arange((lanes + layout.halo + 1) * hop)
    tile = np.zeros((hop, layout.pitch), int)
    for column in range(layout.pitch):
        tile[:, column] = signal[column * hop : (column + 1) * hop]
    index = layout.tables()["tile_index"]
    for n in (0, 1, hop - 1, hop % n_fft, n_fft - 1):
        found = tile.reshape(-1)[index[n] : index[n] + lanes]
        assert found.tolist() == [n + lane * hop for lane in range(lanes)]


@pytest.mark.parametrize("lanes", [8, 16])
@pytest.mark.parametrize(("pad", "length"), [(0, None), (512, None), (512, 9000), (384, 2000)])
def test_every_block_has_the_inverse_of_the_summed_squares(lanes, pad, length):
    window, hop, frames = hann(1024), 256, 45
    grid = FrameGrid.checked(window, hop_length=hop, pad=pad, frames=frames, length=length)
    total = np.zeros((frames + lanes + 4) * hop)
    for frame in range(frames):
        total[frame * hop : frame * hop + 1024] += window**2
    time = np.arange(total.size)
    kept = (total > 1e-3 * 1.5) & (time >= pad) & (time < pad + grid.length)
    expected = np.where(kept, 1 / np.where(kept, total, 1), 0)
    layout = BlockLayout(1024, hop, lanes)
    weights = InverseWeights(grid, layout, 1e-3)
    for block, begin in enumerate(weights.which):
        found = weights.values.reshape(-1)[begin : begin + layout.block].reshape(hop, lanes).T
        there = expected[block * layout.block : (block + 1) * layout.block]
        assert np.allclose(found.reshape(-1)[: there.size], there, rtol=1e-6)
    assert layout.outside(grid).tolist() == [
        not kept[b * layout.block : (b + 1) * layout.block].any() and not weights.values.reshape(-1)[w]
        for b, w in enumerate(weights.which)
    ]


def test_signals_of_one_length_share_their_tables():
    grid = FrameGrid.checked(hann(64), hop_length=16, pad=0, frames=5)
    layout = BlockLayout(64, 16, 8)
    assert grid_tables(grid, layout, 1e-3) is grid_tables(grid, layout, 1e-3)
    assert grid_tables(grid, layout, 1e-3) is not grid_tables(grid, layout, 1e-8)
