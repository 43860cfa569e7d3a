import numpy as np
import pytest
from dsp_material import NARROW, noise_spectrum, only_native
from dsp_reference import clip, hann, synthesise

from tonearm_plugins.dsp.engines.native import istft_kernel
from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout
from tonearm_plugins.dsp.errors import NotFiniteError
from tonearm_plugins.dsp.framing import FrameGrid


@only_native
@pytest.mark.parametrize("setting", [(1024, 256, 1024), (2048, 300, 1200), (400, 160, 400), (1920, 480, 1920)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("machine", [None, NARROW])
def test_samples_are_those_of_the_reference(setting, order, machine):
    n_fft, hop, win_length = setting
    window, pad = hann(n_fft, win_length), n_fft // 2
    spectrum = noise_spectrum(n_fft // 2 + 1, 37)[0]
    for length in (36 * hop, 3, 60 * hop):
        grid = FrameGrid.checked(window, hop_length=hop, pad=pad, frames=37, length=length)
        expected = clip(synthesise(spectrum.T.astype(complex), window, hop, pad, length, 1e-8), pad, length)
        room = np.full(length + 2, 7, np.float32)
        istft_kernel.istft(np.array(spectrum, order=order), grid, out=room[1:-1], machine=machine)
        inside = expected[: 35 * hop]  # the last samples of a signal that no frame centre follows amplify without bound
        assert np.abs(room[1:-1][: inside.size] - inside).max() < 2e-6 * np.abs(inside).max()
        assert not room[1:-1][(37 + n_fft // hop) * hop :].any()
        assert room[0] == room[-1] == 7


@only_native
def test_sums_that_another_thread_completes_are_no_peak(monkeypatch):
    monkeypatch.setattr(istft_kernel, "useful_threads", lambda threads, work: threads)
    monkeypatch.setattr(istft_kernel, "LEAST_STRETCH", 1)
    spectrum = np.zeros((513, 200), np.complex64)
    spectrum[0] = (-1.0) ** np.arange(200)  # frames that cancel each other where all of them overlap
    grid = FrameGrid.checked(hann(1024), hop_length=256, pad=2048, frames=200, length=180 * 256)
    for threads in (1, 4):
        out, peaks = np.empty(grid.length, np.float32), []
        istft_kernel.istft(spectrum, grid, out=out, threads=threads, on_peak=peaks.append)
        assert peaks == [np.abs(out).max()]


def test_blocks_at_the_edges_go_through_room_of_their_own():
    grid = FrameGrid.checked(hann(64), hop_length=16, pad=32, frames=30)
    layout = BlockLayout(64, 16, 8)
    out = np.full(grid.length, 7, np.float32)
    results = istft_kernel.ResultBlocks(out, grid, layout)
    begins = np.arange(layout.blocks(grid)) * layout.block - grid.pad
    inside = (begins >= 0) & (begins + layout.block <= grid.length)
    assert (results.addresses[inside] == out.ctypes.data + 4 * begins[inside]).all()
    results.room[:] = 1
    results.finish()
    for begin, whole in zip(begins, inside, strict=True):
        stretch = out[max(begin, 0) : max(begin + layout.block, 0)]
        assert (stretch == (7 if whole else 1)).all()


@only_native
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("machine", [None, NARROW])
def test_every_value_is_searched_in_the_kernel_and_sums_too_large_are_no_error(order, machine):
    grid = FrameGrid.checked(hann(160), hop_length=40, pad=80, frames=37)
    spectrum, out = np.array(noise_spectrum(81, 37)[0], order=order), np.empty(grid.length, np.float32)

    def search():
        istft_kernel.istft(spectrum, grid, out=out, machine=machine, require_finite=True)

    for k in range(81):
        values = spectrum.real if k % 2 else spectrum.imag
        for wrong in (np.nan, -np.inf):
            kept, values[k, k % 37] = values[k, k % 37], wrong
            with pytest.raises(NotFiniteError):
                search()
            values[k, k % 37] = kept
    spectrum[3:5, 5] = 3e38
    search()
