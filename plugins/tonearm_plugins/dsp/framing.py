"""Where frames lie on the time axis, and what weight each sample gets from them.

An analysis pads a signal by ``pad`` samples on each side and takes frames of ``n_fft`` samples, ``hop_length`` apart.
All work happens on that *padded* time axis: frame ``t`` covers samples ``t * hop_length`` to ``t * hop_length + n_fft
- 1``, and the clip itself is what lies between ``pad`` and ``pad + length``. The axis is cut into *columns* of
``hop_length`` samples: column ``t`` begins where frame ``t`` begins, and is complete once frames up to ``t`` have been
added.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]

# A sample is recovered if its sum of squared windows is at least this part of the greatest. Below, dividing by it would
# mostly amplify rounding (istft) or inconsistency (phase recovery), which sounds as a click at the edge of a clip.
LEAST_EXACT = 1e-8
LEAST_ESTIMATED = 1e-3

NOLA_RATIO = 1e-10
"""The least sum of squared windows, as a part of the greatest, with which an STFT can be inverted at all."""


class NotInvertibleError(ValueError):
    """The window and hop leave samples that no frame sees (the NOLA condition is violated)."""


class ShapeError(ValueError):
    """An array has the wrong rank, type or size for what is asked."""


@dataclass(frozen=True, eq=False)
class FrameGrid:
    """The frames of one analysis on the padded time axis, checked.

    Parameters
    ----------
    window
        ``n_fft`` values, zero-padded and centred if the window is shorter.
    hop_length
        Samples from frame to frame.
    pad
        Samples that the analysis added on each side.
    frames
        How many there are, at least one.
    length
        Samples of the clip; None for all that the frames cover without the padding.
    """

    window: npt.NDArray[np.float64]
    hop_length: int
    pad: int
    frames: int
    length: int

    @classmethod
    def checked(
        cls, window: npt.ArrayLike, *, hop_length: int, pad: int, frames: int, length: int | None = None
    ) -> FrameGrid:
        """Return a grid, or say in a `ValueError` what is wrong with it. Clips of one length share one grid."""
        values = np.asarray(window)
        if values.ndim != 1 or values.size < 2 or values.dtype.kind not in "fiu":
            raise ShapeError(
                f"a window is a row of at least two real numbers, not {values.dtype} of shape {values.shape}"
            )
        values = values.astype(np.float64)
        if not np.isfinite(values).all():
            raise ShapeError("the window has values that are not finite")
        if hop_length < 1 or pad < 0 or frames < 1:
            raise ShapeError(f"impossible frames: hop_length {hop_length}, pad {pad}, {frames} frames")
        if length is not None and length < 0:
            raise ShapeError(f"a length of {length} samples is impossible")
        if length is None:
            length = max(0, values.size + hop_length * (frames - 1) - 2 * pad)
        return _shared(values.tobytes(), int(hop_length), int(pad), int(frames), int(length))

    @property
    def n_fft(self) -> int:
        """Samples in a frame."""
        return self.window.size

    @property
    def bins(self) -> int:
        """Bins of a frame's real FFT."""
        return self.n_fft // 2 + 1

    @property
    def overlap(self) -> int:
        """Frames over one sample, at most."""
        return -(-self.n_fft // self.hop_length)

    @property
    def columns(self) -> int:
        """Columns of ``hop_length`` samples that frames reach."""
        return self.frames + self.overlap - 1

    @cached_property
    def squares(self) -> npt.NDArray[np.float64]:
        """The squared window, cut into columns: (overlap, hop_length), zeros after its end."""
        padded = np.zeros(self.overlap * self.hop_length)
        padded[: self.n_fft] = self.window**2
        return padded.reshape(self.overlap, self.hop_length)

    @cached_property
    def steady(self) -> npt.NDArray[np.float64]:
        """The sum of squared windows over one column away from the edges."""
        total: npt.NDArray[np.float64] = self.squares.sum(axis=0)
        return total

    def require_invertible(self) -> None:
        """Raise `NotInvertibleError` unless every sample away from the edges has weight (the NOLA condition)."""
        if self.hop_length > self.n_fft:
            raise NotInvertibleError(
                f"hop_length {self.hop_length} is greater than n_fft {self.n_fft}: the frames leave gaps between them"
            )
        if not self.steady.min() > NOLA_RATIO * self.steady.max():
            raise NotInvertibleError(
                f"the window (n_fft {self.n_fft}, {np.count_nonzero(self.window)} values not zero) with hop_length "
                f"{self.hop_length} leaves samples without weight, so no signal can be rebuilt (NOLA condition)"
            )

    def inverse_weight(self, first: int, last: int, least: float) -> npt.NDArray[np.float64]:
        """Return 1 / (sum of squared windows) over columns ``first`` to ``last - 1``, as (columns, hop_length).

        It is 0 outside the clip, and where the sum is less than ``least`` times the greatest (but never in the middle
        of a clip, however weak the overlap is there). Where all columns are alike, only one is given.
        """
        hop = self.hop_length
        threshold = min(least * self.steady.max(), self.steady.min() / 2)
        begin, end = self.pad, self.pad + self.length
        if first >= self.overlap - 1 and last <= self.frames and begin <= first * hop and last * hop <= end:
            return 1 / self.steady[None]
        over = np.arange(first, last)[:, None] - np.arange(self.overlap)  # the frames over each column
        weight = ((over >= 0) & (over < self.frames)).astype(np.float64) @ self.squares
        inverse = np.zeros_like(weight)
        np.divide(1.0, weight, out=inverse, where=weight > threshold)
        inverse.reshape(-1)[: max(0, begin - first * hop)] = 0
        inverse.reshape(-1)[max(0, end - first * hop) :] = 0
        return inverse


@functools.lru_cache(maxsize=64)
def _shared(window: bytes, hop_length: int, pad: int, frames: int, length: int) -> FrameGrid:
    """Return the grid of these values, with all that was computed of it before."""
    return FrameGrid(np.frombuffer(window), hop_length, pad, frames, length)


def clip_of(signal: FloatArray, grid: FrameGrid) -> FloatArray:
    """Return the clip from the padded time axis, exactly ``grid.length`` samples, zeros where no frame reaches."""
    clip = signal[grid.pad : grid.pad + grid.length]
    return np.pad(clip, (0, grid.length - clip.size)) if clip.size < grid.length else clip
