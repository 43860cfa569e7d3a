"""Phase recovery: a waveform from magnitudes alone.

Griffin and Lim (1984) project in turn onto the spectra with the given magnitudes, and onto the spectra of signals.
Fast Griffin-Lim (Perraudin, Balazs and Søndergaard, "A fast Griffin-Lim algorithm", 2013) goes on a little in the
direction of the last step. Its accelerated form takes longer steps as well, and a smoothed projection makes them
longer still (`tonearm_plugins.dsp.phase_recovery.momentum`). Since the STFT is linear, that momentum is applied to
signals, and no complex spectrogram is kept. The first phases matter as much as the iterations
(`tonearm_plugins.dsp.phase_recovery.plgi`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.engines.choice import choose
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.istft import require_bins, require_spectrogram
from tonearm_plugins.dsp.phase_recovery.recovery import Progress, convergence_db
from tonearm_plugins.dsp.phase_recovery.settings import Preset, RecoverySettings
from tonearm_plugins.dsp.typing import Array, FloatArray

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "draft": Preset(start="plgi", iterations=8, momentum=0.95),
        "fast": Preset(start="plgi", iterations=16, momentum=0.99),
        "good": Preset(start="plgi", iterations=32, momentum=0.99),
        "best": Preset(start="pghi", iterations=128, momentum=1.02),
    }
)


@dataclass(frozen=True, kw_only=True, eq=False)
class RecoveredWaveform:
    """The result of phase recovery.

    Parameters
    ----------
    samples
        (channels, length), float32, or float64 in double precision.
    spectral_convergence_db
        Distance of the magnitudes of ``samples`` from those given, relative to the latter, in dB, over all channels.
    iterations
        Largest number of iterations of a channel: less than asked for after an early stop.
    engine
        Name of the engine that did the work.
    """

    samples: FloatArray
    spectral_convergence_db: float
    iterations: int
    engine: str


def griffin_lim(
    magnitude: Array,
    *,
    window: npt.ArrayLike,
    hop_length: int,
    pad: int = 0,
    length: int | None = None,
    start: str = "plgi",
    iterations: int = 32,
    momentum: float = 0.99,
    seed: int = 0,
    tolerance_db: float | None = None,
    engine: str = "auto",
    double: bool = False,
    threads: int = 1,
    on_progress: Callable[[float, float], None] | None = None,
) -> RecoveredWaveform:
    """Return a waveform whose STFT magnitudes are close to ``magnitude``.

    Parameters
    ----------
    magnitude
        (channels, bins, frames), real, linear, not negative.
    window, hop_length, pad, length
        As in `tonearm_plugins.dsp.istft.istft`.
    start
        First phases: ``plgi``, ``pghi``, ``random`` or ``zero``.
    iterations
        Pairs of projections after the first signal; 0 gives that signal.
    momentum
        Weight of the direction of the last step; 0 is the method of 1984, and it wanders from about 1.05 on. See
        `tonearm_plugins.dsp.phase_recovery.momentum.Momentum.of`.
    seed
        Seed of the random phases: of all bins with ``random``, of the quietest ones with ``pghi``.
    tolerance_db
        Gain in dB of four more iterations below which they stop early; they never do if None.
    engine
        Name of an engine, see `tonearm_plugins.dsp.engines`. ``librosa`` has random and zero first phases only: it
        takes random ones for ``plgi`` and ``pghi``. It does not stop early.
    double
        Whether to compute in double precision, which ``native`` cannot.
    threads
        Largest number of threads.
    on_progress
        Function called with the iterations of all channels that are done, and with the number of all.

    Returns
    -------
    RecoveredWaveform
        The waveform, and how close it is.

    Raises
    ------
    ShapeError
        If an array has the wrong rank, type or size.
    ValueError
        If a setting is impossible.
    NotInvertibleError
        If the frames do not cover every sample.
    EngineError
        If the engine that was asked for cannot do the work.

    Examples
    --------
    >>> from tonearm_plugins.dsp.stft import stft
    >>> frames = {"window": np.hanning(1024), "hop_length": 256, "pad": 512}
    >>> tone = np.sin(np.arange(5120) / 10)[None]
    >>> found = griffin_lim(np.abs(stft(tone, **frames)), **frames)
    >>> found.samples.shape
    (1, 5120)
    >>> found.spectral_convergence_db < -20
    True
    """
    magnitude = require_spectrogram(magnitude, kinds="fiu")
    grid = FrameGrid.checked(window, hop_length=hop_length, pad=pad, frames=magnitude.shape[2], length=length)
    require_bins(magnitude, grid)
    settings = RecoverySettings(
        grid=grid.centred, start=start, iterations=iterations, momentum=momentum, seed=seed, tolerance_db=tolerance_db
    )
    return recover_waveform(magnitude, settings, engine=engine, double=double, threads=threads, on_progress=on_progress)


def recover_waveform(
    given: Array,
    settings: RecoverySettings,
    *,
    engine: str = "auto",
    double: bool = False,
    threads: int = 1,
    on_progress: Callable[[float, float], None] | None = None,
) -> RecoveredWaveform:
    """Return the waveform that an engine recovers.

    Parameters
    ----------
    given
        Magnitudes (channels, bins, frames), or, if the settings have a mel basis, (channels, mels, frames).
    settings
        How to recover it.
    engine
        Name of an engine, see `tonearm_plugins.dsp.engines`.
    double
        Whether to compute in double precision.
    threads
        Largest number of threads.
    on_progress
        Function called with the iterations of all channels that are done, and with the number of all; None if nobody
        asks.

    Examples
    --------
    >>> grid = FrameGrid.checked(np.hanning(64), hop_length=16, pad=32, frames=9)
    >>> settings = RecoverySettings(grid=grid.centred, start="zero", iterations=4, momentum=0.9, seed=0)
    >>> recover_waveform(np.ones((2, 33, 9)), settings).samples.shape
    (2, 128)
    """
    chosen = choose(engine, settings.grid, double=double)
    samples = np.empty((given.shape[0], settings.grid.length), np.float64 if double else np.float32)
    progress = Progress(on_progress, len(given), settings)
    channels = chosen.recover(given, settings, out=samples, threads=threads, progress=progress)
    distance = math.fsum(one.distance for one in channels)
    energy = math.fsum(one.energy for one in channels)
    return RecoveredWaveform(
        samples=samples,
        spectral_convergence_db=convergence_db(distance, energy),
        iterations=max((one.iterations for one in channels), default=0),
        engine=chosen.name,
    )
