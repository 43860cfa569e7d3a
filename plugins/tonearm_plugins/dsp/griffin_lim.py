"""Phase recovery: a waveform from magnitudes alone.

Griffin and Lim (1984) project in turn onto spectra with the given magnitudes and onto spectra that some signal has.
Fast Griffin-Lim (Perraudin, Balazs and Søndergaard, "A fast Griffin-Lim algorithm", 2013) goes on a little in the
direction of the last step, and its accelerated form (`tonearm_plugins.dsp.phase_recovery.momentum`) a little better. Since the
STFT is linear, that momentum is applied here to signals, and no complex spectrogram is kept. The first phases matter
as much as the iterations; see `tonearm_plugins.dsp.phase_recovery.plgi`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy.typing as npt

from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.istft import require_bins, require_spectrogram
from tonearm_plugins.dsp.phase_recovery.recovery import EXACT_DB, STARTS, Course, Recovered

__all__ = ["EXACT_DB", "PRESETS", "STARTS", "Preset", "Recovered", "griffin_lim"]


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named choice of start, iterations and momentum."""

    start: str
    iterations: int
    momentum: float


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "draft": Preset(start="plgi", iterations=8, momentum=0.99),
        "fast": Preset(start="plgi", iterations=16, momentum=0.99),
        "good": Preset(start="plgi", iterations=32, momentum=0.99),
        "best": Preset(start="pghi", iterations=128, momentum=1.02),
    }
)


def griffin_lim(
    magnitude: npt.NDArray[Any],
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
    threads: int = 1,
) -> Recovered:
    """Return a waveform whose STFT magnitudes are near to ``magnitude``.

    Parameters
    ----------
    magnitude
        (channels, bins, frames), real, linear, not negative.
    window, hop_length, pad, length
        As in `tonearm_plugins.dsp.istft.istft`.
    start
        The first phases: ``plgi`` (default), ``pghi``, ``random`` or ``zero``.
    iterations
        Pairs of projections after the first signal; 0 gives that signal.
    momentum
        0 is the method of 1984; see `tonearm_plugins.dsp.phase_recovery.momentum.Momentum.of`. It diverges from about 1.1 on.
    seed
        For the random phases of ``random``, and of the quietest bins with ``pghi``.
    tolerance_db
        Stop once four further iterations gain less than this.
    engine
        See `tonearm_plugins.dsp.engines`. ``librosa`` knows random and zero starts only: ``plgi`` and ``pghi`` are
        random there, and it does not stop early.
    threads
        How many may be used.
    """
    magnitude = require_spectrogram(magnitude, kinds="fiu")
    grid = FrameGrid.checked(window, hop_length=hop_length, pad=pad, frames=magnitude.shape[2], length=length)
    require_bins(magnitude, grid)
    course = Course(
        grid=grid,
        start=start,
        iterations=iterations,
        momentum=momentum,
        seed=seed,
        tolerance_db=tolerance_db,
        engine=engine,
        threads=threads,
    )
    return course.run(magnitude)
