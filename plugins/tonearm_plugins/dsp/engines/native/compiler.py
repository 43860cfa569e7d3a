"""Compilation of kernels: whether this machine can run them, and the way from the text of a function to a call."""

from __future__ import annotations

import ctypes
import functools
import math
import os
import platform
import sys
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tonearm_plugins.dsp.engines.native.llvm_writer import Writer
from tonearm_plugins.dsp.typing import Array, Float32Array

OLDEST_LLVM = 20
"""Oldest version of LLVM that works: older ones (llvmlite up to 0.44) crash on the pointer type of the kernels."""

ARCHITECTURES = {"x86_64": "x86-64", "amd64": "x86-64", "aarch64": "arm64", "arm64": "arm64"}
"""Architectures by the names that platforms have for them."""

PLATFORMS = {("linux", "x86-64"), ("darwin", "x86-64"), ("win32", "x86-64"), ("linux", "arm64"), ("darwin", "arm64")}

ARM64_LANES = 8
"""Two NEON registers, so that each twiddle factor is loaded for both; docs/platforms.md compares 4, 8 and 16 lanes."""

ARM64_FEATURES = "+neon,-sve"
"""NEON is in every arm64 processor. SVE is not, and has no wider registers except in Neoverse V1 and A64FX."""


@dataclass(frozen=True)
class Machine:
    """The processor that code is compiled for.

    Parameters
    ----------
    cpu, features
        Its name and its features in the terms of LLVM.
    lanes
        Frames in a vector.
    """

    cpu: str
    features: str
    lanes: int


@functools.cache
def refusal() -> str:
    """Return why no native code can run on this machine, or an empty text if it can. Only llvmlite is imported.

    Linux on x86-64 is known to run it. On every other platform a child process tries first, once for each machine; see
    `tonearm_plugins.dsp.engines.native.trial`.
    """
    architecture = ARCHITECTURES.get(platform.machine().lower())
    if (sys.platform, architecture) not in PLATFORMS:
        return (
            f"it is made for x86-64, and for arm64 on Linux and macOS, not for {sys.platform} on {platform.machine()}"
        )
    if sys.maxsize < 1 << 32:
        return "it needs a 64-bit Python"
    try:
        from llvmlite import binding
    except Exception as error:
        return f"llvmlite cannot be imported ({type(error).__name__})"
    if binding.llvm_version_info[0] < OLDEST_LLVM:
        version = ".".join(map(str, binding.llvm_version_info))
        return f"llvmlite brings LLVM {version}, and LLVM {OLDEST_LLVM} (llvmlite 0.45) or newer is needed"
    proven = (sys.platform, architecture) == ("linux", "x86-64")
    if proven and not _may_run_what_it_writes():
        return "this system forbids memory that is writable and executable"
    if architecture == "x86-64":
        try:
            features = binding.get_host_cpu_features()
        except RuntimeError as error:
            return f"LLVM does not know this processor ({error})"
        if not (features.get("avx2") and features.get("fma")):
            return "this processor has no AVX2"
    if proven:
        return ""
    from tonearm_plugins.dsp.engines.native.trial import refusal_of_trial

    return refusal_of_trial(this_machine())


def _may_run_what_it_writes() -> bool:
    """Return whether memory can be writable and executable. LLVM does not check: on hardened systems calls crash."""
    import mmap

    if sys.platform == "win32":  # its maps have no such flags, and the trial tells
        return True
    try:
        mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
    except OSError:
        return False
    return True


@functools.cache
def this_machine() -> Machine:
    """Return the machine to compile for. Call it only where `refusal` is empty."""
    from llvmlite import binding

    if ARCHITECTURES.get(platform.machine().lower()) == "arm64":
        return Machine(binding.get_host_cpu_name(), ARM64_FEATURES, ARM64_LANES)
    features = binding.get_host_cpu_features()
    wide = all(features.get(name) for name in ("avx512f", "avx512vl", "avx512dq", "avx512bw"))
    return Machine(binding.get_host_cpu_name(), features.flatten(), 16 if wide else 8)


class Kernel:
    """A compiled function, called with arguments by name.

    Parameters
    ----------
    machine
        Processor to compile for.
    write
        Function that writes the kernel.
    tables
        Constant arguments by name, kept with the kernel. Those of floating point get the kind of their memory.
    kind
        Kind of its numbers: ``float`` or ``double``.
    """

    def __init__(
        self, machine: Machine, write: Callable[[Writer], None], tables: Mapping[str, Array], *, kind: str = "float"
    ) -> None:
        writer = Writer(machine.lanes, kind)
        write(writer)
        self.scratch_size = writer.scratch_size
        self._kinds = writer.argument_kinds
        self._tables = {name: _table(table, writer.memory_kinds[name]) for name, table in tables.items()}
        self._addresses = {name: table.ctypes.data for name, table in self._tables.items()}
        types = {"ptr": ctypes.c_void_p, "i64": ctypes.c_int64, "float": ctypes.c_float}
        self._engine = _engine(writer.source(), machine)  # owns the code: as long as this lives, it may be called
        signature = ctypes.CFUNCTYPE(None, *(types[kind] for kind in self._kinds.values()), ctypes.c_void_p)
        self._function = signature(self._engine.get_function_address("run"))

    def scratch(self) -> Float32Array:
        """Return memory for calls to work in. Calls with the same memory continue from one another."""
        return aligned(self.scratch_size)

    def __call__(self, scratch: Float32Array, **arguments: Any) -> None:
        """Run without the interpreter's lock. Nothing checks that arrays are as large as the kernel assumes."""
        given = {**self._addresses, **arguments}
        if given.keys() != self._kinds.keys() or scratch.size < self.scratch_size:
            raise TypeError(f"a kernel wants {sorted(self._kinds)}, not {sorted(given)}")
        values = (v.ctypes.data if isinstance(v, np.ndarray) else v for v in (given[name] for name in self._kinds))
        self._function(*values, scratch.ctypes.data)


def _table(values: Array, kind: str) -> Array:
    """Return a constant argument; numbers of floating point are those of its memory."""
    real = {"float": np.float32, "double": np.float64}.get(kind)
    return np.ascontiguousarray(values, real if values.dtype.kind == "f" else None)


def _engine(source: str, machine: Machine) -> Any:
    """Return LLVM's engine with the compiled code. It owns its target machine, so each engine gets its own."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple().create_target_machine(
        cpu=machine.cpu, features=machine.features, opt=2, jit=True
    )
    engine = binding.create_mcjit_compiler(binding.parse_assembly(source), target)
    engine.finalize_object()
    return engine


_LOCK = threading.Lock()
_KERNELS: dict[Hashable, Kernel] = {}


def compiled(key: Hashable, make: Callable[[], Kernel]) -> Kernel:
    """Return the kernel of this key. One thread makes it when it is first asked for."""
    with _LOCK:
        if key not in _KERNELS:
            _KERNELS[key] = make()
        return _KERNELS[key]


_forking: list[bool] = []
"""Not empty between the two functions below, which a fork calls before and after."""


def _before_fork() -> None:
    """Wait until no thread compiles: a child cannot go on with what it began."""
    _LOCK.acquire()
    _forking.append(True)


def _after_fork() -> None:
    """Let threads compile again, in the parent and in the child."""
    if _forking:  # else this module was imported while the fork was under way
        _forking.pop()
        _LOCK.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


def aligned(*shape: int) -> Float32Array:
    """Return zeros of a shape that begin on a cache line, after another line of zeros, which kernels may read."""
    size = math.prod(shape)
    room = np.zeros(size + 32, np.float32)
    begin = 16 + -(room.ctypes.data // 4) % 16
    return room[begin : begin + size].reshape(shape)


def forget() -> None:
    """Forget all kernels, and free their code once nobody uses them."""
    with _LOCK:
        _KERNELS.clear()
