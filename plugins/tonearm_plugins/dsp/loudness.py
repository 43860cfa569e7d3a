"""Loudness by Recommendation ITU-R BS.1770-4 (2015), annex 1, and the meters of EBU Tech 3341 and 3342.

Each channel is K-weighted by a shelf, which stands for the head, and a high-pass. Its energy is taken over blocks of
400 ms that overlap by 75 %, and channels are added up with their weights. Two gates leave out what is silent: an
absolute one at -70 LUFS, and a relative one 10 LU below the loudness of all blocks above the first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.channel_layouts import LOUDNESS_WEIGHTS, loudness_refusal
from tonearm_plugins.dsp.engines.choice import choose
from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.not_finite import zero_not_finite
from tonearm_plugins.dsp.progress import OnProgress
from tonearm_plugins.dsp.shared_work import each_channel
from tonearm_plugins.dsp.typing import Array, Float64Array

ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
BLOCK_HOPS = 4
"""Hops of 100 ms in a block."""

SHORT_TERM_HOPS = 30
"""Hops of 100 ms in a window of short-term loudness: 3 s."""

RANGE_GATE_LU = -20.0
"""Relative gate of the loudness range (EBU Tech 3342)."""

RANGE_QUANTILES = (0.10, 0.95)
"""Parts of the short-term loudness below the ends of the loudness range (EBU Tech 3342)."""


def k_weighting(sample_rate: int) -> Float64Array:
    """Design the K-weighting filter of BS.1770-4.

    The Recommendation has coefficients for 48 kHz only. These are derived from the analogue prototypes behind them by
    the bilinear transform, and equal the Recommendation's at 48 kHz (Mansbridge, Finn and Reiss, "Implementation and
    evaluation of autonomous multi-track fader control", 2012; libebur128 has the same figures).

    Parameters
    ----------
    sample_rate
        Sample rate in Hz.

    Returns
    -------
    Float64Array
        Second-order sections of shape (2, 6): the shelf, then the high-pass.

    Examples
    --------
    >>> k_weighting(48000)[:, :3].round(4).tolist()
    [[1.5351, -2.6917, 1.1984], [1.0, -2.0, 1.0]]
    """
    tangent, quality = math.tan(math.pi * 1681.974450955533 / sample_rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    square = tangent * tangent
    scale = 1 + tangent / quality + square
    shelf = [
        (high + band * tangent / quality + square) / scale,
        2 * (square - high) / scale,
        (high - band * tangent / quality + square) / scale,
        1,
        2 * (square - 1) / scale,
        (1 - tangent / quality + square) / scale,
    ]
    tangent, quality = math.tan(math.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    square = tangent * tangent
    scale = 1 + tangent / quality + square
    high_pass = [1, -2, 1, 1, 2 * (square - 1) / scale, (1 - tangent / quality + square) / scale]
    return np.array([shelf, high_pass])


@dataclass(frozen=True)
class LoudnessMeasurement:
    """Loudness of a waveform over time, and the figures that follow from it.

    Parameters
    ----------
    energy
        Weighted mean square of each block of 400 ms over all channels, of shape (blocks,).
    ungated
        Whether the waveform is shorter than a block. Its only block is then as long as itself, and is not gated.
    short_term
        Weighted mean square of each window of 3 s, every 100 ms, of shape (windows,); empty if the waveform is shorter.
    """

    energy: Float64Array
    ungated: bool = False
    short_term: Float64Array = field(default_factory=lambda: np.empty(0))

    @property
    def integrated(self) -> float:
        """Integrated loudness in LUFS; -inf if no block passes the absolute gate."""
        energy = self.energy
        if self.ungated:
            return _lufs(energy)
        energy = energy[energy > _energy(ABSOLUTE_GATE_LUFS)]
        return _lufs(energy[energy > _energy(_lufs(energy) + RELATIVE_GATE_LU)])

    @property
    def max_short_term(self) -> float:
        """Largest loudness of 3 s in LUFS; -inf if the waveform is shorter or silent."""
        return _lufs(self.short_term[self.short_term.argmax() :][:1]) if self.short_term.size else -math.inf

    @property
    def range(self) -> float | None:
        """Loudness range in LU (EBU Tech 3342); None if no window of 3 s passes the gates.

        It is the distance from the 10th to the 95th percentile of the short-term loudness. Windows below -70 LUFS are
        left out, and those more than 20 LU below the mean of the others.
        """
        loud = self.short_term[self.short_term >= _energy(ABSOLUTE_GATE_LUFS)]
        loud = np.sort(loud[loud >= _energy(_lufs(loud) + RANGE_GATE_LU)])
        if not loud.size:
            return None
        low, high = (loud[round((loud.size - 1) * end)] for end in RANGE_QUANTILES)
        return 10 * math.log10(high / low)

    def scaled(self, gain: float) -> LoudnessMeasurement:
        """Return the measurement of the same waveform times a gain."""
        return replace(self, energy=self.energy * (gain * gain), short_term=self.short_term * (gain * gain))

    def gain_to(self, lufs: float) -> float:
        """Return the gain that brings the integrated loudness to a target; 1 if the waveform has no loudness.

        A gain moves blocks across the absolute gate, so it is found in a few steps.
        """
        gain = 1.0
        for _ in range(8):
            found = self.scaled(gain).integrated
            if not math.isfinite(found) or abs(found - lufs) < 1e-9:
                break
            gain *= 10 ** ((lufs - found) / 20)
        return gain


def _lufs(energy: Float64Array) -> float:
    """Return the loudness of blocks together, in LUFS."""
    mean = float(energy.mean()) if energy.size else 0.0
    return -0.691 + 10 * math.log10(mean) if mean > 0 else -math.inf


def _energy(lufs: float) -> float:
    """Return the weighted mean square of a loudness."""
    return 10 ** ((lufs + 0.691) / 10)


def measure_loudness(
    samples: Array,
    sample_rate: int,
    *,
    weights: Sequence[float] | None = None,
    engine: str = "auto",
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> LoudnessMeasurement:
    """Measure the loudness of a waveform.

    A hop is 100 ms to the nearest sample. As in the standard, samples after the last whole block do not count. BS.1770
    does not cover waveforms shorter than one block of 400 ms: they are measured as one block of their own length.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples), full scale ±1.0. NaN and infinity count as 0.
    sample_rate
        Sample rate in Hz, at least `tonearm_plugins.dsp.channel_layouts.MIN_LOUDNESS_RATE`.
    weights
        Weight of each channel; those of `tonearm_plugins.dsp.channel_layouts.LOUDNESS_WEIGHTS` if not given.
    engine
        Engine that filters: ``auto``, ``native`` or ``scipy``; see `tonearm_plugins.dsp.engines`.
    threads
        Number of threads that share the work; it changes no bit of the result.
    on_progress
        Function called with the progress.

    Returns
    -------
    LoudnessMeasurement
        Loudness over time; its `integrated` is the loudness in LUFS.

    Raises
    ------
    ShapeError
        If the sample rate is too low, or there are no weights for this number of channels.

    Examples
    --------
    >>> sine = np.sin(2 * np.pi * 997 * np.arange(48000) / 48000)[None]
    >>> round(measure_loudness(sine, 48000).integrated, 2)  # the Recommendation's own check
    -3.01
    """
    channels, length = samples.shape
    reason = loudness_refusal(channels, sample_rate, weights)
    if reason:
        raise ShapeError(reason)
    weights = LOUDNESS_WEIGHTS[channels] if weights is None else weights
    hop = round(sample_rate / 10)
    energies = _native if choose(engine).name == "native" else _scipy
    ungated = length < BLOCK_HOPS * hop
    heard = [(channel, weight) for channel, weight in zip(samples, weights, strict=True) if weight]
    total = np.zeros(-(-length // hop) if ungated else length // hop)
    if heard and total.size:
        given = [np.pad(channel, (0, -length % hop)) if ungated else channel for channel, _ in heard]
        found = energies(given, hop, k_weighting(sample_rate), threads=threads, on_progress=on_progress)
        for (_, weight), energy in zip(heard, found, strict=True):
            total += weight * energy
    if ungated:
        return LoudnessMeasurement(total.sum(keepdims=True) / length, ungated=True)
    return LoudnessMeasurement(_means(total, hop, BLOCK_HOPS), short_term=_means(total, hop, SHORT_TERM_HOPS))


def _means(energies: Float64Array, hop: int, hops: int) -> Float64Array:
    """Return the mean square of each window of some hops from the energies of these hops: (windows,)."""
    if len(energies) < hops:
        return np.empty(0)
    return np.convolve(energies, np.full(hops, 1 / (hops * hop)), "valid")


def _native(
    channels: Sequence[Array], hop: int, sections: Float64Array, *, threads: int, on_progress: OnProgress | None
) -> Float64Array:
    from tonearm_plugins.dsp.engines.native.loudness_kernel import hop_energies

    return hop_energies(channels, hop, sections, threads=threads, on_progress=on_progress)


def _scipy(
    channels: Sequence[Array], hop: int, sections: Float64Array, *, threads: int, on_progress: OnProgress | None
) -> Float64Array:
    """Return the sum of squares of each whole hop of filtered channels: (channels, samples // hop)."""
    from scipy.signal import sosfilt

    count = len(channels[0]) // hop

    def measure(channel: Array, report: OnProgress | None) -> Float64Array:
        result, state = np.empty(count), np.zeros((len(sections), 2))
        for part in block_slices(count * hop, multiple_of=hop, on_progress=report):
            weighted, state = sosfilt(sections, zero_not_finite(channel[part]).astype(np.float64), zi=state)
            rows = weighted.reshape(-1, hop)
            first = part.start // hop
            result[first : first + len(rows)] = np.einsum("ij,ij->i", rows, rows)
        return result

    return np.stack(each_channel(measure, channels, threads=threads, on_progress=on_progress))
