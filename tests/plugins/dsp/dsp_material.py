"""Settings and material that the tests of signal processing share."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pytest
from dsp_reference import analyse, hann

from tonearm_plugins.dsp.engines.native.block_layout import size_refusal
from tonearm_plugins.dsp.engines.native.compiler import ARCHITECTURES, ARM64_FEATURES, Machine, refusal

# The engines that run here; what the native one does where it cannot run is tested in engines/native/test_compiler.py.
ENGINES = ("scipy",) if refusal() else ("scipy", "native")

only_native = pytest.mark.skipif(bool(refusal()), reason=refusal())

# Eight lanes run on every machine that has a native engine; on x86-64, sixteen need AVX-512.
ON_ARM64 = ARCHITECTURES.get(platform.machine().lower()) == "arm64"
NARROW = Machine("generic", ARM64_FEATURES, 8) if ON_ARM64 else Machine("haswell", "", 8)
WIDE = Machine("generic", ARM64_FEATURES, 16) if ON_ARM64 else Machine("skylake-avx512", "", 16)

SAMPLES = Path(__file__).parents[3] / "configs" / "samples"

# n_fft, hop_length, win_length: powers of two, factors 3 and 5, hops that divide nothing, short windows, the extremes.
SETTINGS = (
    (1024, 256, 1024),
    (2048, 512, 2048),
    (1920, 480, 1920),
    (1920, 480, 1200),
    (400, 160, 400),
    (800, 200, 800),
    (2048, 300, 2048),
    (2048, 300, 1200),
    (512, 50, 240),
    (1200, 300, 1200),
    (16, 4, 16),
    (1024, 64, 1024),
)

# Each setting with each engine that has it here: with fewer lanes the native one takes fewer frames over one sample.
BOTH = [(s, engine) for engine in ENGINES for s in SETTINGS if engine == "scipy" or not size_refusal(s[0], s[1])]

# Sizes that only the scipy engine knows: odd, a prime factor of 7, a frame of few samples.
ODD_SETTINGS = ((1023, 250, 1023), (700, 175, 700), (6, 2, 6))


def pad_of(kind: str, n_fft: int, hop: int) -> int:
    return {"center": n_fft // 2, "half-overlap": (n_fft - hop) // 2, "none": 0}[kind]


def noise_spectrum(bins: int, frames: int, seed: int = 0, channels: int = 1) -> np.ndarray:
    """A spectrum that no signal has: what a model may give at worst."""
    rng = np.random.default_rng(seed)
    parts = rng.standard_normal((2, channels, bins, frames))
    spectrum = (parts[0] + 1j * parts[1]).astype(np.complex64)
    spectrum[:, 0] = spectrum[:, 0].real
    spectrum[:, -1] = spectrum[:, -1].real
    return spectrum


def smooth_magnitude(bins: int, frames: int, seed: int = 0) -> np.ndarray:
    """Magnitudes (frames, bins) with hills and no plateaus."""
    rough = np.abs(np.random.default_rng(seed).standard_normal((frames + 4, bins + 8)))
    return sum(rough[i : i + frames, j : j + bins] for i in range(4) for j in range(8)).astype(np.float32)


def speech() -> np.ndarray:
    return np.load(SAMPLES / "utt01.npy").ravel()


def speech_magnitude() -> np.ndarray:
    """The magnitudes of speech at 1024/256, centred frames of a Hann window: (1, bins, frames)."""
    signal = speech()
    return np.abs(analyse(np.pad(signal, 512), hann(1024), 256, 1 + signal.size // 256)).T[None].astype(np.float32)
