"""Recovery of one channel: the order of steps that all engines share, the early stop, and the spectral convergence."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

from tonearm_plugins.dsp.phase_recovery.initial_phases import spectra_with_phases
from tonearm_plugins.dsp.phase_recovery.momentum import Momentum
from tonearm_plugins.dsp.phase_recovery.settings import RecoverySettings
from tonearm_plugins.dsp.typing import ComplexArray, FloatArray

EXACT_DB = -200.0
"""The spectral convergence reported for no distance at all, and for silence recovered from silence."""

MIN_WORK = 1 << 24
"""Samples of frames that are analysed, at least, between two reports of progress: some ten milliseconds of work."""

UNASKED_WORK = 1 << 28
"""The same where nobody asks, so that Ctrl-C is still heard: some two tenths of a second."""

CHECK_EVERY = 4
"""Iterations between two measurements of the convergence, if an early stop is asked for."""


class Convergence(NamedTuple):
    """How near the recovery of one channel came to its target.

    Parameters
    ----------
    distance
        Squared distance of the estimate from the target.
    energy
        Energy of the target.
    iterations
        Number of iterations that were done.
    """

    distance: float
    energy: float
    iterations: int


class Progress:
    """The progress of all channels together, which may be recovered in several threads.

    Parameters
    ----------
    on_progress
        Function called with the iterations that are done, and with the number of all; None if nobody asks.
    channels
        Number of channels.
    settings
        How to recover them.

    Attributes
    ----------
    step
        Number of iterations from one report to the next, or to the next look for Ctrl-C if nobody asks.
    over
        Event that is set once a channel has failed, which ends the others; None if they are recovered one by one.

    Examples
    --------
    >>> import numpy as np
    >>> from tonearm_plugins.dsp.framing import FrameGrid
    >>> grid = FrameGrid.checked(np.hanning(64), hop_length=16, pad=32, frames=9)
    >>> settings = RecoverySettings(grid=grid, start="zero", iterations=4, momentum=0.9, seed=0)
    >>> progress = Progress(print, 2, settings)
    >>> progress.add(4)
    4 8
    """

    def __init__(
        self, on_progress: Callable[[float, float], None] | None, channels: int, settings: RecoverySettings
    ) -> None:
        self._on_progress = on_progress
        self._total = channels * settings.iterations
        self._done = 0
        self._lock = threading.Lock()
        work = settings.grid.frames * settings.grid.n_fft
        self.step = max(1, (UNASKED_WORK if on_progress is None else MIN_WORK) // max(1, work))
        self.over: threading.Event | None = None

    def add(self, iterations: int) -> None:
        """Report that more iterations are done, or raise an error once another channel has failed."""
        if self.over is not None and self.over.is_set():
            raise RuntimeError("another channel has failed")
        if self._on_progress is not None:
            with self._lock:
                self._done += iterations
                self._on_progress(self._done, self._total)


class ChannelRecovery(Protocol):
    """Griffin-Lim on one channel, as an engine computes it: a point to analyse next, and the latest estimate."""

    def initial_magnitudes(self) -> FloatArray:
        """Return the magnitudes to begin with: (frames, bins)."""

    def start_from_noise(self, seed: int) -> None:
        """Begin with the phases of white noise."""

    def start_from_peaks(self) -> None:
        """Begin with the phases of PLGI."""

    def start_from_spectra(self, spectra: Callable[[int, int], ComplexArray]) -> None:
        """Begin with the signal of spectra, which are asked for in blocks of frames."""

    def iterate(self, count: int, momentum: Momentum, progress: Progress | None = None) -> None:
        """Project ``count`` times, and report it to ``progress`` in steps."""

    def residual(self) -> tuple[float, float]:
        """Return the squared distance of the estimate from the target, and the energy of the target."""

    def finish(self, out: FloatArray) -> tuple[float, float]:
        """Write the signal to ``out`` (length,), and return the residual. The recovery cannot go on afterwards."""


def recover_channel(
    recovery: ChannelRecovery,
    settings: RecoverySettings,
    *,
    seed: int,
    out: FloatArray,
    progress: Progress | None = None,
) -> Convergence:
    """Recover one channel: first phases, iterations, result.

    Parameters
    ----------
    recovery
        The channel, as an engine computes it.
    settings
        How to recover it; their own seed is not used.
    seed
        Seed of this channel.
    out
        (length,), where the signal is written.
    progress
        Progress of all channels; None if nobody asks.

    Examples
    --------
    >>> import numpy as np
    >>> from tonearm_plugins.dsp.engines.scipy import ScipyRecovery
    >>> from tonearm_plugins.dsp.framing import FrameGrid
    >>> grid = FrameGrid.checked(np.hanning(64), hop_length=16, pad=32, frames=9)
    >>> settings = RecoverySettings(grid=grid, start="plgi", iterations=4, momentum=0.9, seed=0)
    >>> target = settings.target(np.ones((33, 9)))
    >>> out = np.empty(grid.length, np.float32)
    >>> recover_channel(ScipyRecovery(target, grid), settings, seed=0, out=out).iterations
    4
    """
    progress = progress or Progress(None, 1, settings)
    if settings.start == "random":
        recovery.start_from_noise(seed)
    elif settings.start == "plgi":
        recovery.start_from_peaks()
    else:
        magnitude = recovery.initial_magnitudes()
        turns = None
        if settings.start == "pghi":
            from tonearm_plugins.dsp.phase_recovery.pghi import pghi

            turns = pghi(magnitude, settings.grid, seed=seed, on_step=functools.partial(progress.add, 0))
        recovery.start_from_spectra(spectra_with_phases(magnitude, turns))
    progress.add(0)
    iterations = _iterate(recovery, settings, progress)
    progress.add(settings.iterations - iterations)
    return Convergence(*recovery.finish(out), iterations)


def _iterate(recovery: ChannelRecovery, settings: RecoverySettings, progress: Progress) -> int:
    """Iterate, with an early stop if the settings have a tolerance; return the number of iterations done."""
    momentum, tolerance_db = settings.weights, settings.tolerance_db
    if tolerance_db is None:
        recovery.iterate(settings.iterations, momentum, progress)
        return settings.iterations
    done = 0
    before = convergence_db(*recovery.residual())
    while done < settings.iterations:
        count = min(CHECK_EVERY, settings.iterations - done)
        recovery.iterate(count, momentum, progress)
        done += count
        now = convergence_db(*recovery.residual())
        if not before - now >= tolerance_db:
            break
        before = now
    return done


def convergence_db(distance: float, energy: float) -> float:
    """Return the spectral convergence in dB, at least `EXACT_DB`; it is infinite for sound recovered from silence.

    Parameters
    ----------
    distance
        Squared distance of the estimate from the target.
    energy
        Energy of the target.

    Examples
    --------
    >>> convergence_db(1.0, 100.0)
    -20.0
    >>> convergence_db(0.0, 0.0)
    -200.0
    """
    if math.isnan(distance) or math.isnan(energy):
        return math.nan
    if distance == 0:
        return EXACT_DB
    return max(EXACT_DB, 10 * math.log10(distance / energy)) if energy > 0 else math.inf
