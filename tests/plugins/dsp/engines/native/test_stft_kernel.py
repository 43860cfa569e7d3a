import numpy as np
import pytest
from dsp_material import NARROW, only_native
from dsp_reference import analyse, hann

from tonearm_plugins.dsp.engines.native import stft_kernel
from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout
from tonearm_plugins.dsp.framing import FrameGrid


@only_native
@pytest.mark.parametrize("setting", [(1024, 256, 1024), (2048, 300, 1200), (400, 160, 400), (1920, 480, 1920)])
@pytest.mark.parametrize("frames", [1, 8, 37])
@pytest.mark.parametrize("machine", [None, NARROW])
def test_spectra_are_those_of_the_reference(setting, frames, machine):
    n_fft, hop, win_length = setting
    window = hann(n_fft, win_length)
    grid = FrameGrid.checked(window, hop_length=hop, pad=0, frames=frames)
    signal = np.random.default_rng(1).standard_normal(n_fft + (frames - 1) * hop).astype(np.float32)
    room = np.full((grid.bins, frames + 3), 7, np.complex64)  # rows that are apart from one another
    stft_kernel.stft(signal, grid, out=room[:, :frames], machine=machine)
    expected = analyse(signal.astype(float), window, hop, frames).T
    assert np.abs(room[:, :frames] - expected).max() < 1e-6 * np.abs(expected).max()
    assert (room[:, frames:] == 7).all()


@pytest.mark.parametrize("size", [1, 200, 33 * 16, 1000])
@pytest.mark.parametrize("pad", [None, (0, 5), (32, 32), (128, 0), (300, 40)])
def test_only_blocks_that_reach_beyond_the_signal_are_copied(size, pad):
    layout = BlockLayout(64, 16, 8)
    signal = np.arange(1, size + 1, dtype=np.float32)
    ends = None if pad is None else tuple(np.arange(-length, 0, dtype=np.float32) for length in pad)
    sources = stft_kernel.SourceBlocks(signal, layout, 7, ends)
    axis = np.concatenate((signal,) if ends is None else (ends[0], signal, ends[1], np.zeros(2000)))
    axis = np.append(axis, np.zeros(2000)).astype(np.float32)
    before = 0 if pad is None else pad[0]
    for number, address in enumerate(sources.addresses):
        begin, span = number * layout.block, layout.block + layout.halo_samples
        (place,) = [
            (room, (address - room.ctypes.data) // 4)
            for room in (signal, *sources.rooms)
            if room.ctypes.data <= address and address + 4 * span <= room.ctypes.data + room.nbytes
        ]
        assert (place[0] is signal) == (begin >= before and begin + span <= before + size)
        assert place[0][place[1] : place[1] + span].tolist() == axis[begin : begin + span].tolist()
