import itertools

import numpy as np
import pytest
from dsp_reference import hann

from tonearm.api import OptionError, StftGrid
from tonearm_plugins.dsp.errors import NotInvertibleError, ShapeError
from tonearm_plugins.dsp.framing import (
    FrameGrid,
    copy_into,
    ends_of,
    frame_view,
    frames_in_cache,
    padded,
    with_ends,
    without_padding,
)


def grid_of(window, hop, frames=9, pad=0, length=None):
    return FrameGrid.checked(window, hop_length=hop, pad=pad, frames=frames, length=length)


def refuses(call):
    """Return whether a check for the NOLA condition fails."""
    try:
        call()
    except (NotInvertibleError, OptionError):
        return True
    return False


def test_the_nola_condition_is_that_of_the_pipeline():
    """It is checked twice: before NumPy is imported, and for windows that a caller brings."""
    seen = set()
    for name, win_length, hop in itertools.product(
        ("hann", "hamming", "boxcar", "hann_symmetric"), (64, 40, 17, 3), range(1, 70, 3)
    ):
        call = {"sample_rate": 16000, "n_fft": 64, "win_length": win_length, "window": name}
        window = StftGrid(**call, hop_length=1).window_values()
        core = refuses(lambda call=call, hop=hop: StftGrid(**call, hop_length=hop))
        assert core == refuses(grid_of(window, hop).require_invertible), (call, hop)
        seen.add(core)
    assert seen == {True, False}


@pytest.mark.parametrize(("n_fft", "hop"), [(64, 16), (64, 20), (64, 64), (63, 7)])
@pytest.mark.parametrize(("pad", "length"), [(0, None), (32, None), (10, 70), (32, 400)])
def test_inverse_weights_are_one_over_the_summed_squares(n_fft, hop, pad, length):
    window = hann(n_fft) + 0.1
    grid = grid_of(window, hop, frames=12, pad=pad, length=length)
    total = np.zeros(grid.columns * hop)
    for frame in range(12):
        total[frame * hop : frame * hop + n_fft] += window**2
    time = np.arange(total.size)
    inside = (time >= pad) & (time < pad + grid.length) & (total > 0)
    expected = np.where(inside, 1 / np.where(inside, total, 1), 0).reshape(-1, hop)
    assert np.allclose(grid.inverse_weight(0, grid.columns, 1e-8), expected)
    for first, last in ((0, 3), (5, 7), (grid.columns - 2, grid.columns)):
        assert np.allclose(grid.inverse_weight(first, last, 1e-8), expected[first:last])


def test_a_weak_overlap_counts_in_the_middle_and_not_at_the_edges():
    window = np.full(64, 1e-3)
    window[:32] = 1
    weight = grid_of(window, 64, frames=3).inverse_weight(0, 3, 1e-3)
    assert np.allclose(weight[:, 40], 1e6)  # a millionth of the greatest, but everywhere
    edge = grid_of(np.linspace(1e-3, 1, 64), 32, frames=5).inverse_weight(0, 6, 1e-3)
    assert edge[0, 0] == 0
    assert edge[0, 20] > 0


def test_figures_are_checked():
    for bad, message in (
        ({"window": np.ones((2, 2))}, "row"),
        ({"window": np.ones(1)}, "at least two"),
        ({"window": np.ones(4, complex)}, "real"),
        ({"window": [1, np.nan]}, "finite"),
        ({"hop_length": 0}, "hop_length 0"),
        ({"pad": -1}, "pad -1"),
        ({"frames": 0}, "0 frames"),
        ({"length": -1}, "-1 samples"),
    ):
        with pytest.raises(ShapeError, match=message):
            FrameGrid.checked(**{"window": np.ones(4), "hop_length": 2, "pad": 0, "frames": 3, **bad})


def test_signals_of_one_length_share_a_grid():
    assert grid_of(hann(64), 16) is grid_of(hann(64), 16)
    assert grid_of(hann(64), 16) is not grid_of(hann(64), 17)


def test_the_natural_length_is_what_frames_cover_without_the_padding():
    assert grid_of(np.ones(64), 16, frames=5).length == 64 + 4 * 16
    assert grid_of(np.ones(64), 16, frames=5, pad=32).length == 4 * 16
    assert grid_of(np.ones(64), 16, frames=1, pad=40).length == 0


def test_views_copies_and_padding():
    signal = np.arange(20.0)
    frames = frame_view(signal, n_fft=8, hop_length=3)
    assert frames.shape == (5, 8)
    assert np.shares_memory(frames, signal)
    assert frames[:, 0].tolist() == [0, 3, 6, 9, 12]
    for begin in range(-4, 12):
        out, expected = np.zeros(9), np.zeros(30)
        expected[10 + begin : 13 + begin] = 1, 2, 3
        copy_into(out, begin, np.array([1.0, 2.0, 3.0]))
        assert out.tolist() == expected[10:19].tolist()
    assert without_padding(signal, grid_of(np.ones(4), 2, pad=3, frames=9, length=5)).tolist() == [3, 4, 5, 6, 7]
    longer = without_padding(signal, grid_of(np.ones(4), 2, pad=18, frames=9, length=4))
    assert longer.tolist() == [18, 19, 0, 0]


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "symmetric", "wrap"])
def test_padding_is_numpys_and_what_it_cannot_extend_is_refused(mode):
    signal = np.arange(1.0, 9)
    assert np.array_equal(padded(signal, (3, 7), mode), np.pad(signal, (3, 7), mode=mode))
    if mode == "constant":
        assert padded(signal[:0], (3, 2), mode).tolist() == [0] * 5
    else:
        with pytest.raises(ShapeError, match="0 samples"):
            padded(signal[:0], (3, 2), mode)
    if mode == "reflect":
        with pytest.raises(ShapeError, match="8 samples are too few to be reflected over 8"):
            padded(signal, (0, 8), mode)


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "symmetric", "wrap"])
@pytest.mark.parametrize("pad", [(3, 7), (0, 2), (12, 20)])
@pytest.mark.parametrize(("begin", "end"), [(0, 4), (0, 18), (0, 50), (5, 9), (11, 50), (30, 40)])
def test_a_stretch_of_the_padded_axis_is_that_of_a_padded_channel(mode, pad, begin, end):
    channel = np.arange(1.0, 9)
    if mode == "reflect" and max(pad) > 7:
        with pytest.raises(ShapeError, match="8 samples are too few to be reflected over 20"):
            ends_of(channel, pad, mode)
        return
    found = with_ends(channel, ends_of(channel, pad, mode), begin=begin, end=end)
    assert found.tolist() == np.append(np.pad(channel, pad, mode=mode), np.zeros(50))[begin:end].tolist()
    assert with_ends(channel, None, end=8) is channel
    assert with_ends(channel, None, end=10).tolist() == [*channel, 0, 0]


def test_a_block_of_frames_is_about_a_megabyte():
    assert [frames_in_cache(n_fft) * n_fft * 4 for n_fft in (256, 1024, 4096)] == [2**20] * 3
    assert frames_in_cache(2**20) == 8


@pytest.mark.parametrize("n_fft", [64, 63])
@pytest.mark.parametrize("win", [64, 63, 48, 47, 20])
@pytest.mark.parametrize("name", ["hann", "hamming", "hann_symmetric", "boxcar"])
def test_a_window_in_the_centre_stays_there_and_one_at_the_start_comes_there(n_fft, win, name):
    win = min(win, n_fft)
    made = {"sample_rate": 16000, "n_fft": n_fft, "hop_length": 4, "win_length": win, "window": name}
    middle = grid_of(StftGrid(**made).window_values(), 4, pad=7, length=50)
    assert middle.centred is middle
    start = grid_of(StftGrid(**made, window_position="start").window_values(), 4, pad=7, length=50)
    found = start.centred
    shift = found.pad - 7
    assert np.array_equal(np.pad(start.window[: n_fft - shift], (shift, 0)), found.window)
    assert (found.length, found.frames) == (50, 9)
    assert abs(shift - (n_fft - win) // 2) <= 1
    assert found.centred is found


def test_only_zeros_around_a_window_are_moved():
    late = np.concatenate([np.ones(4), np.arange(1.0, 60)])
    assert grid_of(late, 4).centred.window.tolist() == late.tolist()
    early = np.concatenate([np.zeros(40), np.ones(24)])
    assert grid_of(early, 4, pad=3).centred.pad == 0
    assert grid_of(np.zeros(8), 4).centred.window.tolist() == [0] * 8


@pytest.mark.parametrize(("n_fft", "hop"), [(1024, 256), (1000, 3), (97, 1), (400, 37)])
def test_the_weight_of_a_column_has_the_same_bits_wherever_it_is_computed(n_fft, hop):
    window = np.random.default_rng(0).uniform(0.1, 1, n_fft)
    grid = FrameGrid.checked(window, hop_length=hop, pad=0, frames=2000)
    middle, (steady,) = grid.overlap + 5, grid.inverse_weight(1000, 1001, 1e-8)
    for first in (0, grid.overlap - 2):
        assert grid.inverse_weight(first, middle + 9, 1e-8)[middle - first].tobytes() == steady.tobytes()
    assert grid.inverse_weight(0, 5, 1e-8)[1].tobytes() == grid.inverse_weight(1, 2, 1e-8)[0].tobytes()
