"""The librosa engine: librosa's own functions, for comparison with the others."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tonearm_plugins.dsp import not_finite
from tonearm_plugins.dsp.engines.scipy import SCIPY, ScipyRecovery, missing_package
from tonearm_plugins.dsp.framing import Ends, FrameGrid, without_padding
from tonearm_plugins.dsp.typing import Array, ComplexArray, FloatArray

if TYPE_CHECKING:
    from tonearm_plugins.dsp.mel_basis import MelBasis
    from tonearm_plugins.dsp.phase_recovery.recovery import Convergence, Progress
    from tonearm_plugins.dsp.phase_recovery.settings import RecoverySettings


class LibrosaEngine:
    """Inverse STFT and phase recovery by librosa."""

    name = "librosa"

    def refusal(self, grid: FrameGrid | None = None, *, double: bool = False) -> str:
        """Return why it cannot do this work; it can do all work where librosa is installed."""
        return missing_package("librosa")

    def frames_at_once(self, grid: FrameGrid) -> int:
        """Return 1, since frames are added one after the other."""
        return 1

    def stft(
        self,
        signal: FloatArray,
        grid: FrameGrid,
        *,
        out: ComplexArray,
        ends: Ends | None = None,
        threads: int = 1,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        """Analyse one channel by scipy.fft, as librosa does."""
        SCIPY.stft(signal, grid, out=out, ends=ends, threads=threads, on_progress=on_progress)

    def istft(
        self,
        spectrum: Array,
        grid: FrameGrid,
        *,
        out: FloatArray,
        threads: int = 1,
        require_finite: bool = False,
        on_peak: Callable[[float], None] | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        """Invert one channel by ``librosa.istft``."""
        import librosa

        kind = np.complex128 if spectrum.dtype.itemsize > 8 else np.complex64
        spectrum = np.asarray(spectrum, dtype=kind)
        if require_finite:
            not_finite.require_finite(spectrum)
        common: dict[str, Any] = {"hop_length": grid.hop_length, "n_fft": grid.n_fft, "window": grid.window}
        if _is_centered(grid):
            out[:] = librosa.istft(spectrum, center=True, length=grid.length, **common)
        else:
            out[:] = without_padding(librosa.istft(spectrum, center=False, **common), grid)
        if on_peak:
            on_peak(float(np.abs(out).max(initial=0.0)))

    def recover(
        self,
        given: Array,
        settings: RecoverySettings,
        *,
        out: FloatArray,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> list[Convergence]:
        """Recover all channels by ``librosa.griffinlim``, and measure what it reached as the others do."""
        from tonearm_plugins.dsp.phase_recovery.recovery import Convergence

        def recover(channel: int) -> Convergence:
            magnitude = np.asarray(given[channel], out.dtype)
            if settings.basis is not None:
                magnitude = _mel_to_magnitude(magnitude, settings.basis)
            out[channel] = _griffin_lim(magnitude, settings, seed=settings.seed + channel)
            measured = ScipyRecovery(settings.target(given[channel], out.dtype), settings.grid)
            measured.start_from_signal(out[channel])
            if progress:
                progress.add(settings.iterations)  # librosa tells nothing in between
            return Convergence(*measured.residual(), settings.iterations)

        return [recover(channel) for channel in range(len(given))]


LIBROSA = LibrosaEngine()


def _is_centered(grid: FrameGrid) -> bool:
    return grid.pad == grid.n_fft // 2


def _griffin_lim(magnitude: FloatArray, settings: RecoverySettings, *, seed: int) -> FloatArray:
    """Recover one channel (bins, frames) by ``librosa.griffinlim``, whose first phases are random or zero."""
    import librosa

    grid = settings.grid
    common: dict[str, Any] = {
        "n_iter": settings.iterations,
        "hop_length": grid.hop_length,
        "n_fft": grid.n_fft,
        "window": grid.window,
        "momentum": settings.momentum,
        "init": None if settings.start == "zero" else "random",
        # librosa 1.0 renamed the seed.
        "rng" if "rng" in inspect.signature(librosa.griffinlim).parameters else "random_state": seed % 2**32,
    }
    if _is_centered(grid):
        signal: FloatArray = librosa.griffinlim(magnitude, center=True, length=grid.length, **common)
        return signal
    return without_padding(librosa.griffinlim(magnitude, center=False, **common), grid)


def _mel_to_magnitude(mel: FloatArray, basis: MelBasis) -> FloatArray:
    """Return magnitudes (bins, frames) by least squares, as ``librosa.feature.inverse.mel_to_stft`` does."""
    import librosa

    energy = librosa.util.nnls(basis.weights.astype(mel.dtype), mel)
    magnitude: FloatArray = np.asarray(energy ** (1.0 / basis.power), mel.dtype)
    return magnitude
