"""Settings of phase recovery: first phases, iterations, momentum, an early stop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.mel_basis import MelBasis
from tonearm_plugins.dsp.phase_recovery.momentum import Momentum
from tonearm_plugins.dsp.phase_recovery.targets import Target, target_of
from tonearm_plugins.dsp.typing import Array

STARTS = ("random", "zero", "plgi", "pghi")
"""Names of the first phases."""

MOMENTUM_LIMIT = 1.1
"""Momentum from which on the iterations wander without end."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named choice of first phases, iterations and momentum."""

    start: str
    iterations: int
    momentum: float


@dataclass(frozen=True, kw_only=True)
class RecoverySettings:
    """Settings of one phase recovery, checked.

    Parameters
    ----------
    grid
        The frames.
    start
        First phases, one of `STARTS`.
    iterations
        Pairs of projections after the first signal.
    momentum
        0 to less than `MOMENTUM_LIMIT`; see `tonearm_plugins.dsp.phase_recovery.momentum.Momentum.of`.
    seed
        Seed of random phases.
    tolerance_db
        Gain in dB below which the iterations stop early; they never do if None.
    basis
        Mel filter bank, if mel spectrograms are given and not magnitudes.

    Raises
    ------
    ValueError
        If a setting is impossible.
    NotInvertibleError
        If the frames do not cover every sample.
    """

    grid: FrameGrid
    start: str
    iterations: int
    momentum: float
    seed: int
    tolerance_db: float | None = None
    basis: MelBasis | None = None

    def __post_init__(self) -> None:
        if self.start not in STARTS:
            raise ValueError(f"start is one of {', '.join(STARTS)}, not {self.start!r}")
        if self.iterations < 0 or not 0 <= self.momentum < MOMENTUM_LIMIT or not (self.tolerance_db or 0) >= 0:
            raise ValueError(
                f"impossible settings: {self.iterations} iterations, momentum {self.momentum}, "
                f"tolerance_db {self.tolerance_db}"
            )
        self.grid.require_invertible()

    @property
    def weights(self) -> Momentum:
        """The weights of the iterations."""
        return Momentum.of(self.momentum, smooth=self.basis is None)

    def target(self, given: Array, dtype: npt.DTypeLike = np.float32) -> Target:
        """Return the target of one channel, as `target_of` does.

        Parameters
        ----------
        given
            Magnitudes (bins, frames), or, if there is a basis, a mel spectrogram (mels, frames).
        dtype
            Type of the work: float32 or float64.
        """
        return target_of(given, self.basis, dtype)
