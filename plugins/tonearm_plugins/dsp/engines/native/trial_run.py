"""The program of a trial: it runs kernels, and checks what they give.

`tonearm_plugins.dsp.engines.native.trial` starts it, and says what becomes of its result.
"""

from __future__ import annotations

import sys

import numpy as np

from tonearm_plugins.dsp.engines.native.engine import NATIVE
from tonearm_plugins.dsp.engines.native.trial import PASSED
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.phase_recovery.settings import RecoverySettings

FRAMES, SIZE, HOP = 40, 512, 128


def main() -> None:
    """Analyse noise, invert its spectrum, recover its phases; end with an error if anything is wrong."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetErrorMode(3)  # a crash opens no window
    window = np.hanning(SIZE + 1)[:-1]
    grid = FrameGrid.checked(window, hop_length=HOP, pad=SIZE // 2, frames=FRAMES)
    signal = np.random.default_rng(0).standard_normal((FRAMES - 1) * HOP + SIZE).astype(np.float32)
    expected = np.stack([np.fft.rfft(signal[n : n + SIZE] * window) for n in range(0, FRAMES * HOP, HOP)], axis=1)

    spectrum = np.empty(expected.shape, np.complex64)
    NATIVE.stft(signal, grid, out=spectrum)
    if not np.abs(spectrum - expected).max() < 1e-3:
        sys.exit("its STFT is wrong")
    inverse, recovered = np.empty((2, grid.length), np.float32)
    NATIVE.istft(spectrum, grid, out=inverse)
    if not np.abs(inverse - signal[grid.pad : grid.pad + grid.length]).max() < 1e-3:
        sys.exit("its inverse STFT is wrong")
    settings = RecoverySettings(grid=grid, start="plgi", iterations=4, momentum=0.9, seed=0)
    (measured,) = NATIVE.recover(np.abs(expected)[None].astype(np.float32), settings, out=recovered[None])
    if not (np.isfinite(recovered).all() and measured.distance < measured.energy / 10):
        sys.exit("its phase recovery is wrong")
    sys.stdout.write(f"{PASSED}\n")


if __name__ == "__main__":
    main()
