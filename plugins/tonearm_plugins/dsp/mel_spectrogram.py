"""The mel spectrogram of a waveform, in float64, with the variations of the model families."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.engines.choice import choose
from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.frame_stream import FramePlan, FrameStream
from tonearm_plugins.dsp.framing import Ends, PadMode, ends_of, frame_view, frames_in_cache, with_ends
from tonearm_plugins.dsp.progress import OnProgress, share_of
from tonearm_plugins.dsp.threads import share_in_order
from tonearm_plugins.dsp.typing import Array, Float64Array, FloatArray

if TYPE_CHECKING:
    from tonearm_plugins.dsp.engines.native.mel_kernel import SparseBasis

FRAMES_TOGETHER = 32
"""Frames that are multiplied by the mel basis together, or fewer where a block in the cache has fewer."""


@dataclass(frozen=True, kw_only=True)
class Conditioning:
    """Processing of samples before the window.

    Parameters
    ----------
    preemphasis
        Part of each sample that is subtracted from the next one.
    per_frame
        Whether pre-emphasis starts anew in each frame, as if the first sample had come before itself (Kaldi).
    remove_dc
        Whether the mean of each frame is subtracted first.
    """

    preemphasis: float = 0.0
    per_frame: bool = False
    remove_dc: bool = False


def mel_spectrogram(
    samples: Array,
    *,
    window: npt.ArrayLike,
    win_length: int,
    hop_length: int,
    pad: tuple[int, int],
    pad_mode: PadMode,
    mel_basis: Array,
    power: int,
    magnitude_guard: float = 0.0,
    conditioning: Conditioning | None = None,
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> Float64Array:
    """Return the linear mel spectrogram: (channels, mels, frames), float64.

    It is float64 because a logarithm shows what float32 rounds away next to loud bins.

    Parameters
    ----------
    samples
        (channels, samples), real.
    window
        ``n_fft`` values, with the window in their centre.
    win_length
        Samples of the window itself: frames are conditioned over these alone.
    hop_length
        Samples from one frame to the next.
    pad
        Samples to add before and after.
    pad_mode
        Values of the added samples, as `numpy.pad` names them.
    mel_basis
        (mels, n_fft // 2 + 1).
    power
        1 for sums of magnitudes, 2 for sums of powers.
    magnitude_guard
        Number added to the squared magnitude, under the root.
    conditioning
        Processing of the samples before the window.
    threads
        Largest number of threads.
    on_progress
        Function called with the progress, block by block and channel by channel.

    Raises
    ------
    ShapeError
        If there are fewer samples than a frame has, or than are reflected, or the figures do not fit one another.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((1, 4096))
    >>> basis = np.ones((1, 513))  # one band over all bins
    >>> mel = mel_spectrogram(
    ...     noise, window=np.hanning(1024), win_length=1024, hop_length=256, pad=(512, 512), pad_mode="reflect",
    ...     mel_basis=basis, power=2,
    ... )
    >>> mel.shape
    (1, 1, 17)
    """
    signal = np.asarray(samples)
    analysis = MelAnalysis(
        window=window,
        win_length=win_length,
        hop_length=hop_length,
        mel_basis=mel_basis,
        power=power,
        magnitude_guard=magnitude_guard,
        conditioning=conditioning or Conditioning(),
        threads=threads,
    )
    if signal.ndim != 2 or signal.dtype.kind not in "fiu":
        raise ShapeError(f"samples are real, (channels, samples), not {signal.dtype} of shape {signal.shape}")
    frames = 1 + (signal.shape[1] + sum(pad) - analysis.n_fft) // hop_length
    if frames < 1:
        raise ShapeError(f"{signal.shape[1]} samples are less than one frame of {analysis.n_fft}")
    out = np.empty((signal.shape[0], len(mel_basis), frames))
    for number, (channel, result) in enumerate(zip(signal, out, strict=True)):
        conditioned = analysis.with_preemphasis(channel)
        ends = ends_of(conditioned, pad, pad_mode)
        analysis.analyse(conditioned, ends=ends, out=result, on_progress=share_of(on_progress, number, len(signal)))
    return out


def mel_stream(
    analysis: MelAnalysis,
    *,
    pad: int,
    pad_mode: PadMode,
    frames_of: Callable[[int], int],
    after: Callable[[int], int],
    held: int,
    whole: Callable[[Array], Array],
) -> FrameStream:
    """Return the linear mel spectrogram of a signal that comes block by block.

    It gives the bits that `mel_spectrogram` gives of the whole signal, however that is cut.

    Parameters
    ----------
    analysis
        Analysis of the frames.
    pad, pad_mode, frames_of, after, held
        As in `tonearm_plugins.dsp.frame_stream.FramePlan`.
    whole
        Function from a whole signal to its linear mel spectrogram.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((1, 4096))
    >>> figures = {"window": np.hanning(1024), "win_length": 1024, "hop_length": 256, "mel_basis": np.ones((1, 513))}
    >>> def whole(samples):
    ...     return mel_spectrogram(samples, pad=(512, 512), pad_mode="reflect", power=2, **figures)
    >>> stream = mel_stream(
    ...     MelAnalysis(power=2, **figures), pad=512, pad_mode="reflect", frames_of=lambda n: 1 + n // 256,
    ...     after=lambda _: 512, held=0, whole=whole,
    ... )
    >>> parts = [stream.push(noise[:, :1500]), stream.push(noise[:, 1500:]), stream.finish()]
    >>> bool(np.array_equal(np.concatenate(parts, axis=2), whole(noise)))
    True
    """

    def analyse(samples: Array, first: int, frames: int) -> Array:
        out = np.empty((samples.shape[0], len(analysis.mel_basis), frames))
        for channel, result in zip(samples, out, strict=True):
            analysis.analyse(channel, first=first, out=result)
        return out

    last: list[Array] = []

    def conditioned(samples: Array) -> Array:
        found = analysis.with_preemphasis(samples, last[-1] if last else None)
        if samples.shape[1]:
            last[:] = [samples[:, -1:].copy()]
        return found

    plan = FramePlan(
        n_fft=analysis.n_fft,
        hop_length=analysis.hop_length,
        pad=pad,
        pad_mode=pad_mode,
        frames=frames_of,
        after=after,
        held=held,
    )
    return FrameStream(plan, whole=whole, analyse=analyse, conditioned=conditioned)


@dataclass(frozen=True, kw_only=True, eq=False)
class MelAnalysis:
    """The way from frames to bands; the parameters are those of `mel_spectrogram`.

    Raises
    ------
    ShapeError
        If the filter bank, the window and the hop do not fit one another.
    """

    window: npt.ArrayLike
    win_length: int
    hop_length: int
    mel_basis: Array
    power: int
    magnitude_guard: float = 0.0
    conditioning: Conditioning = field(default_factory=Conditioning)
    threads: int = 1

    def __post_init__(self) -> None:
        """Check what no engine looks at again: the kernels read as much as they are told to."""
        shape, bins = self.mel_basis.shape, self.n_fft // 2 + 1
        if len(shape) != 2 or not shape[0] or shape[1] != bins:
            raise ShapeError(f"a mel basis of shape {shape} does not fit n_fft {self.n_fft}, which has {bins} bins")
        if not 1 <= self.win_length <= self.n_fft or self.hop_length < 1:
            raise ShapeError(
                f"impossible frames: n_fft {self.n_fft}, win_length {self.win_length}, hop_length {self.hop_length}"
            )

    @cached_property
    def values(self) -> Float64Array:
        """The window: (n_fft,)."""
        return np.asarray(self.window, dtype=np.float64)

    @cached_property
    def basis(self) -> Float64Array:
        """The weights of each bin in the bands: (bins, mels)."""
        return np.ascontiguousarray(self.mel_basis.T, dtype=np.float64)

    @property
    def n_fft(self) -> int:
        """Samples of a frame."""
        return self.values.size

    def with_preemphasis(self, samples: Array, before: Array | None = None) -> FloatArray:
        """Return samples, (…, samples), with the pre-emphasis of the whole signal, as exact as float64.

        Parameters
        ----------
        samples
            Samples.
        before
            The sample before them, (…, 1); None at the start of the signal.
        """
        factor = self.conditioning.preemphasis
        has_effect = bool(factor) and not self.conditioning.per_frame
        if samples.dtype == np.float32 and not has_effect:
            return samples  # float64 would say the same
        result: Float64Array = samples.astype(np.float64)
        if has_effect:
            result[..., 1:] -= factor * samples[..., :-1].astype(np.float64)
            if before is not None:
                result[..., :1] -= factor * before.astype(np.float64)
        return result

    def analyse(
        self,
        samples: FloatArray,
        *,
        out: Float64Array,
        ends: Ends | None = None,
        first: int = 0,
        on_progress: OnProgress | None = None,
    ) -> None:
        """Analyse one channel into ``out`` (mels, frames).

        Parameters
        ----------
        samples
            (samples,), from the start of the first frame on.
        out
            Result.
        ends
            Samples before and after them, which belong to frames as well.
        first
            Number of the first frame in the whole signal.
        on_progress
            Function called with the progress.
        """
        frames = out.shape[1]
        if not frames:
            return
        inside = (self.n_fft - self.win_length) // 2
        inside_window = slice(inside, inside + self.win_length)
        if not self.is_native:
            whole = with_ends(samples, ends, end=self.n_fft + self.hop_length * (frames - 1))
            self._analyse(whole, inside_window, out=out, first=first, on_progress=on_progress)
            return
        from tonearm_plugins.dsp.engines.native.mel_kernel import mel_bands

        per_frame = self.conditioning.preemphasis if self.conditioning.per_frame else 0.0
        mel_bands(
            np.ascontiguousarray(samples),
            ends=ends,
            window=self.values,
            inside=inside_window,
            hop_length=self.hop_length,
            basis=self.sparse_basis,
            power=self.power,
            magnitude_guard=self.magnitude_guard,
            preemphasis=per_frame,
            remove_dc=self.conditioning.remove_dc,
            out=out,
            threads=self.threads,
            on_progress=None if on_progress is None else lambda done: on_progress(done, frames),
        )

    @cached_property
    def is_native(self) -> bool:
        """Whether the native engine does the work."""
        if choose().name != "native":
            return False
        from tonearm_plugins.dsp.engines.native.mel_kernel import mel_refusal

        return not mel_refusal(self.n_fft, self.hop_length)

    @cached_property
    def sparse_basis(self) -> SparseBasis:
        """The filter bank for the native engine."""
        from tonearm_plugins.dsp.engines.native.mel_kernel import SparseBasis

        return SparseBasis.of(self.mel_basis)

    def _analyse(
        self,
        samples: FloatArray,
        inside_window: slice,
        *,
        out: Float64Array,
        first: int,
        on_progress: OnProgress | None,
    ) -> None:
        """Analyse by scipy.

        The last bits of a product of matrices depend on their shape and on the place of a row. So frames are multiplied
        together, each at the place that its number gives it, and streams have the bits of whole signals.
        """
        import scipy.fft

        frames = out.shape[1]
        exact: Float64Array = samples.astype(np.float64, copy=False)
        view = frame_view(exact, n_fft=self.n_fft, hop_length=self.hop_length)
        together = min(FRAMES_TOGETHER, frames_in_cache(self.n_fft))
        before = first % together
        slices = list(block_slices(before + frames, frames_in_cache(self.n_fft), multiple_of=together))
        rooms: list[Float64Array] = []  # for sizes: one for each thread at work

        def analyse(number: int) -> None:
            block = slices[number]
            begin = max(block.start, before)
            place = slice(begin - before, block.stop - before)
            conditioned = _conditioned(view[place], inside_window, self.conditioning)
            spectra = scipy.fft.rfft(conditioned * self.values, axis=1, overwrite_x=True)
            groups = -(-(block.stop - block.start) // together)
            try:
                room = rooms.pop()
            except IndexError:
                room = np.zeros((-(-slices[0].stop // together), together, self.basis.shape[0]))
            rows = slice(begin - block.start, block.stop - block.start)
            size = room.reshape(-1, room.shape[2])[rows]
            np.add(spectra.real**2, spectra.imag**2, out=size)
            if self.magnitude_guard:
                size += self.magnitude_guard
            if self.power == 1:
                np.sqrt(size, out=size)
            bands = room[:groups] @ self.basis
            out[:, place] = bands.reshape(-1, bands.shape[2])[rows].T
            rooms.append(room)

        def report(number: int, _: None) -> None:
            if on_progress:
                on_progress(slices[number].stop, before + frames)

        share_in_order(analyse, report, len(slices), self.threads)


def _conditioned(frames: Float64Array, inside: slice, conditioning: Conditioning) -> Float64Array:
    """Return frames, (frames, n_fft), with their mean removed and pre-emphasis applied, as the conditioning says."""
    if not (conditioning.remove_dc or (conditioning.preemphasis and conditioning.per_frame)):
        return frames
    part = frames[:, inside]
    if conditioning.remove_dc:
        part = part - part.mean(axis=1, keepdims=True)
    if conditioning.preemphasis and conditioning.per_frame:
        part = part - conditioning.preemphasis * np.concatenate([part[:, :1], part[:, :-1]], axis=1)
    result = np.zeros(frames.shape)
    result[:, inside] = part
    return result
