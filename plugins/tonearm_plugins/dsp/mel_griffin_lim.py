"""Phase recovery from a mel spectrogram: magnitudes and phases are found together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy.typing as npt

from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.griffin_lim import RecoveredWaveform, recover_waveform
from tonearm_plugins.dsp.istft import require_spectrogram
from tonearm_plugins.dsp.mel_basis import MelBasis
from tonearm_plugins.dsp.phase_recovery.settings import Preset, RecoverySettings
from tonearm_plugins.dsp.typing import Array

# The more iterations, the more momentum helps. Each of these gains in the distance of mel spectra, in the mean
# difference of bands in dB, and in PESQ over less momentum; with more, the mean difference of bands grows.
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "draft": Preset(start="plgi", iterations=8, momentum=0.8),
        "fast": Preset(start="plgi", iterations=32, momentum=0.95),
        "best": Preset(start="plgi", iterations=128, momentum=0.98),
    }
)


def mel_griffin_lim(
    mel: Array,
    *,
    mel_basis: npt.ArrayLike,
    window: npt.ArrayLike,
    hop_length: int,
    pad: int = 0,
    length: int | None = None,
    power: float = 1.0,
    iterations: int = 32,
    momentum: float = 0.95,
    start: str = "plgi",
    seed: int = 0,
    engine: str = "auto",
    double: bool = False,
    threads: int = 1,
    on_progress: Callable[[float, float], None] | None = None,
) -> RecoveredWaveform:
    """Return a waveform whose mel spectrogram is close to ``mel``, finding magnitudes and phases together.

    This is Griffin-Lim with a projection onto the known mel spectrogram in place of the one onto known magnitudes, see
    `tonearm_plugins.dsp.phase_recovery.targets.MelTarget`.

    Parameters
    ----------
    mel
        (channels, mels, frames), real, linear, not negative: ``mel_basis @ |STFT| ** power``.
    mel_basis
        (mels, bins), not negative.
    power
        1 if bands are sums of magnitudes, 2 if they are sums of powers.
    window, hop_length, pad, length
        As in `tonearm_plugins.dsp.istft.istft`.
    iterations, momentum, start, seed, engine, double, threads, on_progress
        As in `tonearm_plugins.dsp.griffin_lim.griffin_lim`.

    Returns
    -------
    RecoveredWaveform
        The waveform; ``spectral_convergence_db`` is that of the mel spectrogram.

    Raises
    ------
    ShapeError, ValueError, NotInvertibleError, EngineError
        As `tonearm_plugins.dsp.griffin_lim.griffin_lim`, and if the basis does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> basis = np.kron(np.eye(8), np.ones(64))  # eight bands of 64 bins
    >>> basis = np.pad(basis, ((0, 0), (0, 1)))
    >>> mel = np.ones((1, 8, 20))
    >>> found = mel_griffin_lim(mel, mel_basis=basis, window=np.hanning(1024), hop_length=256, pad=512)
    >>> found.samples.shape
    (1, 4864)
    >>> found.spectral_convergence_db < -20
    True
    """
    mel = require_spectrogram(mel, kinds="fiu")
    basis = MelBasis.checked(mel_basis, mels=mel.shape[1], power=power)
    grid = FrameGrid.checked(window, hop_length=hop_length, pad=pad, frames=mel.shape[2], length=length)
    if basis.bins != grid.bins:
        raise ShapeError(f"a basis of {basis.bins} bins does not fit n_fft {grid.n_fft}")
    settings = RecoverySettings(
        grid=grid.centred, start=start, iterations=iterations, momentum=momentum, seed=seed, basis=basis
    )
    return recover_waveform(mel, settings, engine=engine, double=double, threads=threads, on_progress=on_progress)
