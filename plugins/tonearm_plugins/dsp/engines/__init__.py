"""Engines: objects that compute STFTs, invert them and recover phases, all behind one protocol.

``native``
    Kernels that are compiled when they are first used, see `tonearm_plugins.dsp.engines.native`. It is the fastest, on
    the platforms and for the sizes that it supports.
``scipy``
    scipy.fft on blocks of frames, see `tonearm_plugins.dsp.engines.scipy`. It runs everywhere, for every size.
``librosa``
    librosa's own functions, for comparison, see `tonearm_plugins.dsp.engines.librosa`.

`choose` is the only place that decides which one does the work. ``auto`` means the one that the environment variable
TONEARM_ENGINE names, else native where it can, else scipy.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from tonearm_plugins.dsp.errors import EngineError

if TYPE_CHECKING:
    from tonearm_plugins.dsp.framing import FrameGrid
    from tonearm_plugins.dsp.phase_recovery.recovery import Convergence
    from tonearm_plugins.dsp.phase_recovery.settings import RecoverySettings
    from tonearm_plugins.dsp.typing import Array, Complex64Array, Float32Array, FloatArray

ENGINES = ("native", "scipy", "librosa")
VARIABLE = "TONEARM_ENGINE"


class Engine(Protocol):
    """One way to compute transforms. An engine has no state, and importing it is cheap: its methods import the rest."""

    @property
    def name(self) -> str:
        """Name of the engine, one of `ENGINES`."""

    def refusal(self, grid: FrameGrid | None = None, *, double: bool = False) -> str:
        """Return why the engine cannot do this work, or an empty text if it can.

        Parameters
        ----------
        grid
            Frames to work on; None asks whether the engine runs on this machine at all.
        double
            Whether the work is in float64.
        """

    def stft(self, signal: Float32Array, grid: FrameGrid, *, out: Complex64Array, threads: int = 1) -> None:
        """Analyse one channel, (samples,) on the padded time axis, into ``out`` (bins, frames)."""

    def istft(self, spectrum: Array, grid: FrameGrid, *, out: FloatArray, threads: int = 1) -> None:
        """Invert the spectrum of one channel, (bins, frames), into ``out`` (length,)."""

    def recover(
        self, given: Array, settings: RecoverySettings, *, out: Float32Array, threads: int = 1
    ) -> list[Convergence]:
        """Recover all channels from magnitudes or a mel spectrogram into ``out``, and return what each one reached.

        Parameters
        ----------
        given
            Magnitudes (channels, bins, frames), or, if the settings have a mel basis, (channels, mels, frames).
        settings
            How to recover them. Channel ``n`` has the seed ``settings.seed + n``.
        out
            (channels, length), float32.
        threads
            Largest number of threads.
        """


def choose(engine: str = "auto", grid: FrameGrid | None = None, *, double: bool = False) -> Engine:
    """Return the engine that does some work.

    Parameters
    ----------
    engine
        Name of an engine, or ``auto``.
    grid, double
        The work, as in `Engine.refusal`.

    Raises
    ------
    EngineError
        If there is no engine of this name, or the engine that was asked for by name cannot do the work.

    Examples
    --------
    >>> choose("scipy").name
    'scipy'
    >>> choose("cuda")
    Traceback (most recent call last):
    tonearm_plugins.dsp.errors.EngineError: engine is one of auto, native, scipy, librosa, not 'cuda'
    """
    source = "engine"
    if engine == "auto":
        engine, source = os.environ.get(VARIABLE, "").strip().lower(), VARIABLE
        if engine in ("", "auto"):
            native = _load("native")
            return _load("scipy") if native.refusal(grid, double=double) else native
    if engine not in ENGINES:
        raise EngineError(f"{source} is one of auto, {', '.join(ENGINES)}, not {engine!r}")
    chosen = _load(engine)
    if reason := chosen.refusal(grid, double=double):
        raise EngineError(f"the {engine} engine was asked for ({source}), but {reason}")
    return chosen


def refusals() -> dict[str, str]:
    """Return, for each engine, why it cannot run on this machine, or an empty text if it can.

    Examples
    --------
    >>> refusals()["scipy"]
    ''
    """
    return {name: _load(name).refusal() for name in ENGINES}


def _load(name: str) -> Engine:
    """Return an engine. Each is imported only here, so that nobody pays for the others."""
    if name == "native":
        from tonearm_plugins.dsp.engines.native.engine import NATIVE

        return NATIVE
    if name == "scipy":
        from tonearm_plugins.dsp.engines.scipy import SCIPY

        return SCIPY
    from tonearm_plugins.dsp.engines.librosa import LIBROSA

    return LIBROSA
