import mmap
import os
import platform
import sys
import threading
import time
import types

import numpy as np
import pytest
from dsp_material import NARROW, noise_spectrum, only_native
from dsp_reference import hann
from llvmlite.binding.targets import FeatureMap

from tonearm_plugins.dsp.engines.choice import VARIABLE
from tonearm_plugins.dsp.engines.native import compiler, istft_kernel, trial
from tonearm_plugins.dsp.engines.native.block_layout import BlockLayout
from tonearm_plugins.dsp.errors import EngineError
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.istft import istft


@pytest.fixture
def afresh(monkeypatch):
    """Forget what is known of the machine, before the test and after it."""
    monkeypatch.delenv(VARIABLE, raising=False)
    compiler.refusal.cache_clear()
    yield
    monkeypatch.undo()
    compiler.refusal.cache_clear()


def falls_back(reason):
    """The engine says why it cannot when asked for by name; the automatic choice takes another."""
    assert reason in compiler.refusal()
    spectrum = noise_spectrum(513, 20)
    call = {"window": hann(1024), "hop_length": 256, "pad": 512}
    with pytest.raises(EngineError, match=reason):
        istft(spectrum, engine="native", **call)
    assert np.array_equal(istft(spectrum, **call), istft(spectrum, engine="scipy", **call))


@pytest.mark.usefixtures("afresh")
@pytest.mark.parametrize(
    ("system", "machine"), [("linux", "riscv64"), ("win32", "ARM64"), ("freebsd14", "amd64"), ("darwin", "ppc")]
)
def test_other_platforms_fall_back(monkeypatch, system, machine):
    # Elsewhere `sys.platform` decides which modules there are: what is forged here is what the compiler sees.
    monkeypatch.setattr(compiler, "sys", types.SimpleNamespace(platform=system, maxsize=sys.maxsize))
    monkeypatch.setattr(platform, "machine", lambda: machine)
    falls_back(f"{system} on {machine}")


@pytest.mark.usefixtures("afresh")
def test_a_python_of_32_bits_falls_back(monkeypatch):
    monkeypatch.setattr(compiler, "sys", types.SimpleNamespace(platform=sys.platform, maxsize=2**31 - 1))
    falls_back("64-bit Python")


@pytest.mark.usefixtures("afresh")
def test_no_llvmlite_falls_back(monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    falls_back("cannot be imported")


@pytest.mark.usefixtures("afresh")
def test_old_llvm_falls_back(monkeypatch):
    from llvmlite import binding

    monkeypatch.setattr(binding, "llvm_version_info", (15, 0, 7))
    falls_back("LLVM 15.0.7")


@pytest.fixture
def new_llvm(afresh, monkeypatch):
    """Let LLVM be new enough, whatever is installed."""
    from llvmlite import binding

    monkeypatch.setattr(binding, "llvm_version_info", (20, 1, 0))


@pytest.fixture
def on_linux_x86(new_llvm, monkeypatch):
    """Let this be Linux on x86-64, whose processors decide, and where no trial is made."""
    monkeypatch.setattr(compiler, "sys", types.SimpleNamespace(platform="linux", maxsize=sys.maxsize))
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.mark.usefixtures("on_linux_x86")
def test_hardened_systems_fall_back(monkeypatch):
    class Refusing(mmap.mmap):
        def __new__(cls, *args, **kwargs):
            raise PermissionError

    monkeypatch.setattr(mmap, "mmap", Refusing)
    falls_back("writable and executable")


@pytest.mark.usefixtures("on_linux_x86")
@pytest.mark.parametrize("features", [{"sse2": True}, {"avx2": True, "fma": False}])
def test_old_processors_fall_back(monkeypatch, features):
    from llvmlite import binding

    monkeypatch.setattr(binding, "get_host_cpu_features", lambda: features)
    falls_back("no AVX2")


@pytest.mark.usefixtures("on_linux_x86")
def test_unknown_processors_fall_back(monkeypatch):
    from llvmlite import binding

    def unknown():
        raise RuntimeError("no features")

    monkeypatch.setattr(binding, "get_host_cpu_features", unknown)
    falls_back("does not know this processor")


@pytest.mark.usefixtures("new_llvm")
@pytest.mark.parametrize(
    ("system", "machine"), [("linux", "aarch64"), ("darwin", "arm64"), ("darwin", "x86_64"), ("win32", "AMD64")]
)
def test_where_nothing_proves_it_a_trial_decides(monkeypatch, system, machine):
    from llvmlite import binding

    monkeypatch.setattr(binding, "get_host_cpu_features", lambda: FeatureMap(avx2=True, fma=True))
    monkeypatch.setattr(compiler, "sys", types.SimpleNamespace(platform=system, maxsize=sys.maxsize))
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(compiler, "this_machine", compiler.this_machine.__wrapped__)
    tried = []
    monkeypatch.setattr(trial, "refusal_of_trial", lambda machine: tried.append(machine) or "the trial crashed")
    falls_back("the trial crashed")
    (found,) = tried
    assert found.lanes == 8
    assert found.features == ("+avx2,+fma" if "86" in machine or machine == "AMD64" else compiler.ARM64_FEATURES)


@only_native
def test_kernels_outlive_one_another_and_refuse_wrong_arguments():
    for _ in range(3):
        grid = FrameGrid.checked(hann(64), hop_length=16, pad=0, frames=5)
        out = np.empty(grid.length, np.float32)
        kernel = istft_kernel.kernel(BlockLayout(64, 16, 8), NARROW, frames_apart=False)
        with pytest.raises(TypeError, match="blocks"):
            kernel(kernel.scratch(), sources=np.zeros(1))
        compiler.forget()
        istft_kernel.istft(noise_spectrum(33, 5)[0], grid, out=out, machine=NARROW)
        assert np.isfinite(out).all()


def test_room_begins_on_a_cache_line():
    for shape in ((1,), (3, 5), (2, 3, 16)):
        room = compiler.aligned(*shape)
        assert room.ctypes.data % 64 == 0
        assert room.shape == shape
        assert not room.any()


@only_native
def test_a_kernel_is_compiled_once_for_all_callers():
    compiler.forget()
    first = istft_kernel.kernel(BlockLayout(64, 16, 8), NARROW, frames_apart=False)
    assert istft_kernel.kernel(BlockLayout(64, 16, 8), NARROW, frames_apart=False) is first
    assert istft_kernel.kernel(BlockLayout(64, 16, 8), NARROW, frames_apart=True) is not first


def test_a_fork_waits_until_no_thread_compiles():
    began, done = threading.Event(), []

    def make():
        began.set()
        time.sleep(0.2)
        done.append(True)
        return "kernel"

    thread = threading.Thread(target=lambda: compiler.compiled("slow to compile", make))
    thread.start()
    assert began.wait(20)
    child = os.fork()
    if not child:
        os._exit(0 if done and compiler.compiled("slow to compile", list) == "kernel" else 1)
    assert os.waitpid(child, 0)[1] == 0
    thread.join(20)
    compiler._KERNELS.pop("slow to compile")
    compiler._after_fork()  # of a fork that began before this module was imported
    assert not compiler._LOCK.locked()
