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
def test_only_blocks_that_reach_beyond_the_signal_are_copied(size):
    layout = BlockLayout(64, 16, 8)
    signal = np.arange(1, size + 1, dtype=np.float32)
    sources = stft_kernel.SourceBlocks(signal, layout, 7)
    room = sources.room.ctypes.data
    for number, address in enumerate(sources.addresses):
        begin, span = number * layout.block, layout.block + layout.halo_samples
        if begin + span <= size:
            assert address == signal.ctypes.data + 4 * begin
            continue
        at = (address - room) // 4
        expected = np.append(signal, np.zeros(2000))[begin : begin + span]
        assert sources.room[at : at + span].tolist() == expected.tolist()
