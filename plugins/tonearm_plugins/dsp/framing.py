"""Frames of a signal: where they lie on the time axis, and how much weight they give to each sample.

An analysis pads a signal by ``pad`` samples on each side and takes frames of ``n_fft`` samples, ``hop_length`` apart.
All work happens on that *padded* time axis. Frame ``t`` covers samples ``t * hop_length`` to
``t * hop_length + n_fft - 1``, and the signal itself lies between ``pad`` and ``pad + length``. The axis is cut into
*columns* of ``hop_length`` samples: column ``t`` begins where frame ``t`` begins, and is complete once frames up to
``t`` have been added.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.errors import NotInvertibleError, ShapeError
from tonearm_plugins.dsp.typing import BoolArray, Float64Array, FloatArray

F = TypeVar("F", bound=np.floating[Any])

PadMode = Literal["constant", "reflect", "edge", "symmetric", "wrap"]
"""Values of the samples that are added on each side, as `numpy.pad` names them."""

MIN_WEIGHT_EXACT = 1e-8
"""Smallest sum of squared windows, relative to the largest, from which a sample of consistent spectra is rebuilt.

Dividing by less would mostly amplify rounding, which sounds like a click at the edge of a signal.
"""

MIN_WEIGHT_ESTIMATED = 1e-3
"""The same limit for phase recovery, where dividing by less would amplify the inconsistency of the spectra."""

NOLA_RATIO = 1e-10
"""Smallest sum of squared windows, relative to the largest, with which an STFT can be inverted at all.

`tonearm.api.StftGrid` checks the same condition with the same ratio, in plain Python: it rejects a pipeline's window
before NumPy is imported, and this package imports nothing of tonearm. The check here is for callers who bring a window
of their own. A test holds that both agree.
"""


@dataclass(frozen=True, eq=False)
class FrameGrid:
    """The checked frames of one analysis, on the padded time axis. Make one with `checked`.

    Parameters
    ----------
    window
        ``n_fft`` values; a shorter window has zeros around it.
    hop_length
        Samples from one frame to the next.
    pad
        Samples that the analysis added on each side.
    frames
        Number of frames, at least one.
    length
        Samples of the signal without padding.
    """

    window: Float64Array
    hop_length: int
    pad: int
    frames: int
    length: int

    @classmethod
    def checked(
        cls, window: npt.ArrayLike, *, hop_length: int, pad: int, frames: int, length: int | None = None
    ) -> FrameGrid:
        """Return the grid of these figures. Signals of one length share one grid, with all that it has computed.

        Parameters
        ----------
        window, hop_length, pad, frames
            As in `FrameGrid`.
        length
            Samples of the signal; as many as the frames cover, less the padding, if None.

        Raises
        ------
        ShapeError
            If the window is not a row of finite numbers, or a figure is impossible.
        """
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
        """Samples of a frame."""
        return self.window.size

    @property
    def bins(self) -> int:
        """Bins of the real FFT of a frame."""
        return self.n_fft // 2 + 1

    @property
    def overlap(self) -> int:
        """Largest number of frames that cover one sample."""
        return -(-self.n_fft // self.hop_length)

    @property
    def columns(self) -> int:
        """Columns of ``hop_length`` samples that the frames cover."""
        return self.frames + self.overlap - 1

    @cached_property
    def squares(self) -> Float64Array:
        """The squared window, cut into columns: (overlap, hop_length), with zeros after its end."""
        padded = np.zeros(self.overlap * self.hop_length)
        padded[: self.n_fft] = self.window**2
        return padded.reshape(self.overlap, self.hop_length)

    @cached_property
    def steady(self) -> Float64Array:
        """The sum of squared windows over one column away from the edges: (hop_length,)."""
        total = np.zeros(self.hop_length)
        for row in self.squares:
            total += row
        return total

    @cached_property
    def centred(self) -> FrameGrid:
        """The same frames with the window in the centre of the FFT: this grid if it is there already.

        Magnitudes do not change if the window moves within the FFT by as many samples as the frame moves back. First
        phases of phase recovery need it in the centre. Only zeros around the window are moved.
        """
        time = np.arange(self.n_fft)
        weight = self.window**2
        distance = self.n_fft / 2 - float(weight @ time) / max(float(weight.sum()), np.finfo(np.float64).tiny)
        distance = round(distance, 6)  # a distance of one sample is no more than that by rounding
        support = np.flatnonzero(self.window)
        if abs(distance) <= 1 or not support.size:  # as near as a symmetric window of any length can come
            return self
        shift = int(np.clip(int(distance), max(-support[0], -self.pad), self.n_fft - 1 - support[-1]))
        window = np.roll(self.window, shift)
        return _shared(window.tobytes(), self.hop_length, self.pad + shift, self.frames, self.length)

    def require_invertible(self) -> None:
        """Raise `NotInvertibleError` unless every sample away from the edges has weight (the NOLA condition)."""
        if self.hop_length > self.n_fft:
            raise NotInvertibleError(
                f"hop_length {self.hop_length} is greater than n_fft {self.n_fft}: the frames leave gaps between them"
            )
        if not self.steady.min() > NOLA_RATIO * self.steady.max():
            raise NotInvertibleError(
                f"the window (n_fft {self.n_fft}, {np.count_nonzero(self.window)} nonzero values) with hop_length "
                f"{self.hop_length} leaves samples without weight, so no signal can be rebuilt (NOLA condition)"
            )

    def inverse_weight(self, first: int, last: int, min_weight: float) -> Float64Array:
        """Return 1 / (sum of squared windows) over columns ``first`` to ``last - 1``: (columns, hop_length).

        It is 0 outside the signal, and where the sum is below ``min_weight`` times its maximum. In the middle of a
        signal it is never 0, however weak the overlap is there. If all columns are alike, one stands for them all.
        """
        hop = self.hop_length
        threshold = min(min_weight * self.steady.max(), self.steady.min() / 2)
        begin, end = self.pad, self.pad + self.length
        if first >= self.overlap - 1 and last <= self.frames and begin <= first * hop and last * hop <= end:
            return 1 / self.steady[None]
        over = np.arange(first, last)[:, None] - np.arange(self.overlap)  # the frames over each column
        covering: BoolArray = (over >= 0) & (over < self.frames)
        weight = np.zeros((last - first, hop))
        for r in range(self.overlap):  # in the order of `steady`, so that complete columns have the same bits anywhere
            weight[covering[:, r]] += self.squares[r]
        inverse = np.zeros_like(weight)
        np.divide(1.0, weight, out=inverse, where=weight > threshold)
        inverse.reshape(-1)[: max(0, begin - first * hop)] = 0
        inverse.reshape(-1)[max(0, end - first * hop) :] = 0
        return inverse


@functools.lru_cache(maxsize=64)
def _shared(window: bytes, hop_length: int, pad: int, frames: int, length: int) -> FrameGrid:
    """Return the grid of these values, with all that it computed before."""
    return FrameGrid(np.frombuffer(window), hop_length, pad, frames, length)


def frames_in_cache(n_fft: int) -> int:
    """Return the number of frames in a block of about a megabyte of float32, which was measured to be fastest.

    It is a multiple of four: scipy.fft transforms as many at once.

    Examples
    --------
    >>> frames_in_cache(1024), frames_in_cache(400)
    (256, 652)
    """
    return max(8, 2**18 // n_fft // 4 * 4)


def padded(signal: npt.NDArray[F], pad: tuple[int, int], mode: PadMode) -> npt.NDArray[F]:
    """Return a signal with more samples before and after it.

    Parameters
    ----------
    signal
        (…, samples), real.
    pad
        Samples to add before and after.
    mode
        Values of the added samples, as `numpy.pad` names them.

    Raises
    ------
    ShapeError
        If there are fewer samples than are reflected, or none to repeat.

    Examples
    --------
    >>> padded(np.array([1.0, 2.0, 3.0]), (2, 1), "reflect")
    array([3., 2., 1., 2., 3., 2.])
    """
    _require_samples(signal.shape[-1], pad, mode)
    return np.pad(signal, [(0, 0)] * (signal.ndim - 1) + [pad], mode=mode)


def _require_samples(size: int, pad: tuple[int, int], mode: PadMode) -> None:
    """Raise `ShapeError` if there are too few samples to be padded."""
    if mode == "reflect" and max(pad) >= size:
        raise ShapeError(f"{size} samples are too few to be reflected over {max(pad)}")
    if mode != "constant" and not size:
        raise ShapeError(f"0 samples cannot be extended by pad_mode {mode!r}")


Ends: TypeAlias = tuple[FloatArray, FloatArray]
"""Samples before and after a signal on the padded time axis."""


def ends_of(channel: FloatArray, pad: tuple[int, int], mode: PadMode) -> Ends:
    """Return the samples to add before and after a channel, as `padded` adds them. The channel is not copied.

    Parameters
    ----------
    channel
        (samples,), real.
    pad, mode
        As in `padded`.

    Raises
    ------
    ShapeError
        If there are fewer samples than are reflected, or none to repeat.

    Examples
    --------
    >>> ends_of(np.array([1.0, 2.0, 3.0]), (2, 1), "reflect")
    (array([3., 2.]), array([2.]))
    """
    before, after = pad
    _require_samples(channel.size, pad, mode)
    if mode == "constant":  # np.pad takes as long as the analysis of a second
        return np.zeros(before, channel.dtype), np.zeros(after, channel.dtype)
    # What is added depends on the samples nearby alone, unless they are repeated in turns.
    first = channel if mode == "wrap" else channel[: before + 1]
    last = channel if mode == "wrap" else channel[max(0, channel.size - after - 1) :]
    return padded(first, (before, 0), mode)[:before], padded(last, (0, after), mode)[last.size :]


def with_ends(channel: FloatArray, ends: Ends | None, *, begin: int = 0, end: int) -> FloatArray:
    """Return a stretch of the padded time axis: a channel between its ends, with zeros after them.

    Examples
    --------
    >>> with_ends(np.array([1.0, 2.0]), (np.array([2.0]), np.array([1.0])), end=5)
    array([2., 1., 2., 1., 0.])
    """
    if ends is None and begin == 0 and end == channel.size:
        return channel
    result, at = np.zeros(end - begin, channel.dtype), -begin
    for part in (channel,) if ends is None else (ends[0], channel, ends[1]):
        copy_into(result, at, part)
        at += part.size
    return result


def frame_view(signal: npt.NDArray[F], *, n_fft: int, hop_length: int) -> npt.NDArray[F]:
    """Return all whole frames of a signal as a view: (frames, n_fft).

    Parameters
    ----------
    signal
        (samples,), on the padded time axis.
    n_fft
        Samples of a frame.
    hop_length
        Samples from one frame to the next.

    Examples
    --------
    >>> frame_view(np.arange(6.0), n_fft=4, hop_length=2)
    array([[0., 1., 2., 3.],
           [2., 3., 4., 5.]])
    """
    return np.lib.stride_tricks.sliding_window_view(signal, n_fft)[::hop_length]


def without_padding(signal: FloatArray, grid: FrameGrid) -> FloatArray:
    """Return exactly ``grid.length`` samples from the padded time axis, with zeros where no frame reaches.

    Examples
    --------
    >>> grid = FrameGrid.checked(np.ones(4), hop_length=2, pad=2, frames=3, length=5)
    >>> without_padding(np.arange(6.0), grid)
    array([2., 3., 4., 5., 0.])
    """
    signal = signal[grid.pad : grid.pad + grid.length]
    return np.pad(signal, (0, grid.length - signal.size)) if signal.size < grid.length else signal


def copy_into(out: FloatArray, begin: int, samples: FloatArray) -> None:
    """Copy samples into ``out`` from index ``begin`` on, as far as they lie in it; ``begin`` may be negative.

    Examples
    --------
    >>> out = np.zeros(3)
    >>> copy_into(out, -1, np.array([1.0, 2.0]))
    >>> out
    array([2., 0., 0.])
    """
    inside = samples[max(0, -begin) : max(0, out.size - begin)]
    begin = max(0, begin)
    out[begin : begin + inside.size] = inside
