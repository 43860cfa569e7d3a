"""Frames of samples that come block by block: the padding at both ends, and the frames that are complete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tonearm_plugins.dsp.framing import PadMode, padded
from tonearm_plugins.dsp.typing import Array


@dataclass(frozen=True, kw_only=True)
class FramePlan:
    """The frames of an analysis whose signal has any length.

    Parameters
    ----------
    n_fft
        Samples of a frame.
    hop_length
        Samples from one frame to the next.
    pad
        Samples to add before the signal.
    pad_mode
        Values of the added samples, as `numpy.pad` names them.
    frames
        Function from the length of a signal to the number of its frames, which never decreases.
    after
        Function from the length of a signal to the number of samples to add after it, at most ``pad`` unless they are
        zeros. Frames that reach beyond them are completed with zeros.
    held
        Last frames that differ from what they would be if the signal went on.

    Examples
    --------
    >>> plan = FramePlan(
    ...     n_fft=4, hop_length=2, pad=2, pad_mode="reflect", frames=lambda n: 1 + n // 2, after=lambda n: 2
    ... )
    >>> [plan.complete(length) for length in range(7)]
    [0, 0, 0, 1, 2, 2, 3]
    """

    n_fft: int
    hop_length: int
    pad: int
    pad_mode: PadMode
    frames: Callable[[int], int]
    after: Callable[[int], int]
    held: int = 0

    def complete(self, length: int) -> int:
        """Return the number of frames that samples to come no longer change."""
        if length <= (self.pad if self.pad_mode == "reflect" else 0):  # the start is reflected from what follows it
            return 0
        covered = 1 + (self.pad + length - self.n_fft) // self.hop_length
        return max(0, min(covered, self.frames(length) - self.held))


class FrameStream:
    """An analysis of frames whose samples come block by block.

    Samples that frames to come still need are kept, and as many as may be reflected at the end: memory does not grow.

    Parameters
    ----------
    plan
        The frames.
    whole
        Function from a whole signal, (channels, samples), to its analysis, (channels, rows, frames).
    analyse
        Function from samples on the padded time axis to their analysis. It also takes the number of the first frame
        and the number of frames, and must give what ``whole`` gives for them.
    conditioned
        Function applied to blocks in their order, before the padding.

    Examples
    --------
    >>> plan = FramePlan(n_fft=2, hop_length=2, pad=0, pad_mode="constant", frames=lambda n: n // 2, after=lambda n: 0)
    >>> def sums(samples, first=0, frames=None):
    ...     return samples[:, : samples.shape[1] // 2 * 2].reshape(len(samples), 1, -1, 2).sum(axis=3)
    >>> stream = FrameStream(plan, whole=sums, analyse=sums)
    >>> [stream.push(np.ones((1, 3))).tolist(), stream.push(np.ones((1, 3))).tolist(), stream.finish().tolist()]
    [[[[2.0]]], [[[2.0, 2.0]]], [[[]]]]
    """

    def __init__(
        self,
        plan: FramePlan,
        *,
        whole: Callable[[Array], Array],
        analyse: Callable[[Array, int, int], Array],
        conditioned: Callable[[Array], Array] = lambda samples: samples,
    ) -> None:
        self._plan = plan
        self._whole, self._analyse, self._conditioned = whole, analyse, conditioned
        self._waiting: list[Array] = []  # samples until the first frame is complete
        self._kept: Array | None = None  # samples on the padded time axis after that, from `_begin` on
        self._begin = self._given = self._length = 0

    def push(self, samples: Array) -> Array:
        """Return the analysis of the frames that more samples complete, which may be none.

        Parameters
        ----------
        samples
            (channels, samples).
        """
        self._take(samples)
        kept, plan = self._kept, self._plan
        if kept is None:
            return self._analyse(samples[:, :0], 0, 0)
        complete = plan.complete(self._length)
        found = self._frames_until(complete, kept)
        begin = min(complete * plan.hop_length, self._length - 1)  # `pad` samples before the last may be reflected
        self._kept, self._begin = kept[:, begin - self._begin :].copy(), begin
        return found

    def finish(self) -> Array | None:
        """Return the analysis of the last frames; None if no samples came.

        Raises
        ------
        ShapeError
            If the whole signal is too short.
        """
        if not self._waiting and self._kept is None:
            return None
        return self._rest()

    def push_last(self, samples: Array) -> Array:
        """Return the analysis of the last frames with the last samples. If they are all, no copy is kept of them.

        Raises
        ------
        ShapeError
            If the whole signal is too short.
        """
        if not self._waiting and self._kept is None:
            return self._whole(samples)
        self._take(samples)
        return self._rest()

    def _take(self, samples: Array) -> None:
        """Take samples after those that are kept, and pad the start once the first frame is complete."""
        self._length += samples.shape[1]
        if self._kept is not None:
            self._kept = np.concatenate((self._kept, self._conditioned(samples)), axis=1)
            return
        if not self._plan.complete(self._length):
            self._waiting.append(samples.copy())
            return
        start = np.concatenate((*self._waiting, samples), axis=1)
        self._waiting.clear()
        self._kept = padded(self._conditioned(start), (self._plan.pad, 0), self._plan.pad_mode)

    def _rest(self) -> Array:
        """Return the analysis of all frames that have not been given."""
        plan = self._plan
        if self._kept is None:
            return self._whole(np.concatenate(self._waiting, axis=1))
        frames = plan.frames(self._length)
        kept = padded(self._kept, (0, plan.after(self._length)), plan.pad_mode)
        missing = plan.n_fft + plan.hop_length * (frames - 1) - self._begin - kept.shape[1]
        return self._frames_until(frames, padded(kept, (0, max(0, missing)), "constant"))

    def _frames_until(self, end: int, kept: Array) -> Array:
        """Return the analysis of the next frames, up to one that is not included."""
        plan, first, count = self._plan, self._given, end - self._given
        begin = first * plan.hop_length - self._begin
        size = plan.n_fft + plan.hop_length * (count - 1) if count else 0
        self._given = end
        return self._analyse(kept[:, begin : begin + size], first, count)
