import mmap
import platform
import sys

import numpy as np
import pytest
from dsp_material import SETTINGS, noise_spectrum, smooth_magnitude
from dsp_reference import hann

from tonearm_plugins.dsp.engines import VARIABLE
from tonearm_plugins.dsp.engines.native import compiler
from tonearm_plugins.dsp.engines.native import istft_kernel as inverse
from tonearm_plugins.dsp.engines.native import stft_kernel as forward
from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout, size_refusal
from tonearm_plugins.dsp.engines.native.compiler import Machine
from tonearm_plugins.dsp.engines.native.llvm_writer import FLAGS
from tonearm_plugins.dsp.engines.native.recovery import NativeRecovery
from tonearm_plugins.dsp.errors import EngineError
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.istft import istft
from tonearm_plugins.dsp.phase_recovery.momentum import Momentum

NARROW = Machine("haswell", "", 8)
WIDE = Machine("skylake-avx512", "", 16)

only_native = pytest.mark.skipif(bool(compiler.refusal()), reason=compiler.refusal())


@pytest.fixture
def afresh(monkeypatch):
    """Let the machine be judged anew, and again afterwards."""
    monkeypatch.delenv(VARIABLE, raising=False)
    compiler.refusal.cache_clear()
    yield
    monkeypatch.undo()
    compiler.refusal.cache_clear()


def falls_back(reason):
    """The named engine says why it cannot; the automatic choice does the work all the same."""
    assert reason in compiler.refusal()
    spectrum = noise_spectrum(513, 20)
    call = {"window": hann(1024), "hop_length": 256, "pad": 512}
    with pytest.raises(EngineError, match=reason):
        istft(spectrum, engine="native", **call)
    assert np.array_equal(istft(spectrum, **call), istft(spectrum, engine="scipy", **call))


@pytest.mark.usefixtures("afresh")
def test_other_platforms_fall_back(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    falls_back("riscv64")


@pytest.mark.usefixtures("afresh")
def test_no_llvmlite_falls_back(monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    falls_back("cannot be imported")


@pytest.mark.usefixtures("afresh")
def test_old_llvm_falls_back(monkeypatch):
    from llvmlite import binding

    monkeypatch.setattr(binding, "llvm_version_info", (15, 0, 7))
    falls_back("LLVM 15.0.7")


@pytest.mark.usefixtures("afresh")
def test_hardened_systems_fall_back(monkeypatch):
    class Refusing(mmap.mmap):
        def __new__(cls, *args, **kwargs):
            raise PermissionError

    monkeypatch.setattr(mmap, "mmap", Refusing)
    falls_back("writable and executable")


@pytest.mark.usefixtures("afresh")
@pytest.mark.parametrize("features", [{"sse2": True}, {"avx2": True, "fma": False}])
def test_old_processors_fall_back(monkeypatch, features):
    from llvmlite import binding

    monkeypatch.setattr(binding, "get_host_cpu_features", lambda: features)
    falls_back("no AVX2")


@only_native
def test_sizes_without_a_kernel_are_refused_with_the_reason():
    for n_fft, hop, reason in (
        (1023, 256, "no FFT"),
        (1022, 256, "no FFT"),
        (700, 175, "no FFT"),
        (16, 8, "no FFT"),
        (1024, 4, "hop_length"),
        (1024, 32, "overlap"),
    ):
        assert reason in size_refusal(n_fft, hop)
    assert all(not size_refusal(n_fft, hop, WIDE) for n_fft, hop, _ in SETTINGS if hop >= 16)
    refused = [(n_fft, hop) for n_fft, hop, _ in SETTINGS if hop >= 16 and size_refusal(n_fft, hop, NARROW)]
    assert refused == [(512, 50), (1024, 64)]


@only_native
@pytest.mark.parametrize("setting", [(1024, 256, 1024), (2048, 300, 1200), (400, 160, 400), (1920, 480, 1920)])
def test_eight_lanes_do_the_same_as_sixteen(setting):
    n_fft, hop, win_length = setting
    grid = FrameGrid.checked(hann(n_fft, win_length), hop_length=hop, pad=n_fft // 2, frames=37)
    spectrum = noise_spectrum(n_fft // 2 + 1, 37)[0]
    wide, narrow = np.empty((2, grid.length), np.float32)
    for order in "CF":
        inverse.istft(np.array(spectrum, order=order), grid, out=wide)
        inverse.istft(np.array(spectrum, order=order), grid, out=narrow, machine=NARROW)
        assert np.abs(wide - narrow).max() < 1e-6 * np.abs(wide).max()
    spectra = np.empty((2, n_fft // 2 + 1, 37), np.complex64)
    signal = np.random.default_rng(1).standard_normal(n_fft + 36 * hop).astype(np.float32)
    for machine, result in zip((None, NARROW), spectra, strict=True):
        forward.stft(signal, grid, out=result, machine=machine)
    assert np.abs(spectra[0] - spectra[1]).max() < 1e-6 * np.abs(spectra).max()
    found = []
    for machine in (None, NARROW):
        recovery = NativeRecovery(smooth_magnitude(n_fft // 2 + 1, 37).T, grid, machine=machine)
        recovery.start_from_peaks()
        recovery.iterate(2, Momentum.of(0.99))
        out = np.empty(grid.length, np.float32)
        recovery.finish(out)
        found.append(out)
    assert np.linalg.norm(found[0] - found[1]) < 1e-3 * np.linalg.norm(found[0])


@only_native
def test_kernels_outlive_one_another_and_refuse_wrong_arguments():
    for _ in range(3):
        grid = FrameGrid.checked(hann(64), hop_length=16, pad=0, frames=5)
        out = np.empty(grid.length, np.float32)
        kernel = inverse.kernel(BlockLayout(64, 16, 8), NARROW, frames_apart=False)
        with pytest.raises(TypeError, match="blocks"):
            kernel(kernel.scratch(), sources=np.zeros(1))
        compiler.forget()
        inverse.istft(noise_spectrum(33, 5)[0], grid, out=out, machine=NARROW)
        assert np.isfinite(out).all()


def test_nan_keeps_its_meaning():
    assert not {"fast", "nnan", "ninf"} & set(FLAGS.split())
