"""Loudness after Recommendation ITU-R BS.1770-4 (2015), annex 1, as EBU Tech 3341 wants it measured.

Each channel is K-weighted (a shelf for the head, a high-pass), its energy is taken over blocks of 400 ms that overlap
by 75 %, channels are added up with their weights, and blocks below two gates are left out: an absolute one at -70 LUFS,
and one 10 LU below the loudness of all blocks above that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.channel_layouts import WEIGHTS, known_to_loudness
from tonearm_plugins.dsp.engines import choose
from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.levels import BLOCK, finite

Doubles = npt.NDArray[np.float64]

ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
HOPS = 4
"""Hops of 100 ms to a block."""

SHORT_TERM_HOPS = 30
"""Hops to a window of short-term loudness: 3 s."""

RANGE_GATE = -20.0
RANGE_ENDS = (0.10, 0.95)
"""Of EBU Tech 3342: the relative gate in LU, and which parts of the short-term loudness lie below the range's ends."""


def k_weighting(sample_rate: int) -> Doubles:
    """Return the K-weighting as second-order sections (2, 6): the shelf, then the high-pass.

    BS.1770-4 has coefficients for 48 kHz only. These come from the analogue prototypes behind those, by the bilinear
    transform, which gives its very figures at 48 kHz (Mansbridge, Finn and Reiss, "Implementation and evaluation of
    autonomous multi-track fader control", 2012; the same figures are in libebur128).
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
class BlockLoudness:
    """What was measured of a sound, in blocks.

    Parameters
    ----------
    energy
        (blocks,): the weighted mean square of each block over all channels.
    whole
        Whether the sound is shorter than a block, so that the one there is stands for all of it, and nothing is gated.
    short_term
        (windows,): the same over 3 s, every 100 ms; none if the sound is shorter.
    """

    energy: Doubles
    whole: bool = False
    short_term: Doubles = field(default_factory=lambda: np.empty(0))

    @property
    def integrated(self) -> float:
        """In LUFS; -inf if nothing passes the absolute gate."""
        energy = self.energy
        if self.whole:
            return _lufs(energy)
        energy = energy[energy > _energy(ABSOLUTE_GATE)]
        return _lufs(energy[energy > _energy(_lufs(energy) + RELATIVE_GATE)])

    @property
    def loudest_short_term(self) -> float:
        """The greatest loudness of 3 s in LUFS; -inf if the sound is shorter, or silent."""
        return _lufs(self.short_term[self.short_term.argmax() :][:1]) if self.short_term.size else -math.inf

    @property
    def range(self) -> float | None:
        """The loudness range in LU (EBU Tech 3342); None if the sound is shorter than 3 s, or nothing passes the gates.

        Of short-term loudness, without what is below -70 LUFS, or 20 LU below the mean of the rest: from what 10 % are
        below to what 95 % are.
        """
        loud = self.short_term[self.short_term >= _energy(ABSOLUTE_GATE)]
        loud = np.sort(loud[loud >= _energy(_lufs(loud) + RANGE_GATE)])
        if not loud.size:
            return None
        low, high = (loud[round((loud.size - 1) * end)] for end in RANGE_ENDS)
        return 10 * math.log10(high / low)

    def scaled(self, gain: float) -> BlockLoudness:
        """Return what would be measured of the same sound times a gain."""
        return replace(self, energy=self.energy * (gain * gain), short_term=self.short_term * (gain * gain))

    def gain_to(self, lufs: float) -> float:
        """Return the gain that brings the integrated loudness there; 1 if there is none to measure.

        A gain moves blocks across the absolute gate, so it is found in a few steps.
        """
        gain = 1.0
        for _ in range(8):
            found = self.scaled(gain).integrated
            if not math.isfinite(found) or abs(found - lufs) < 1e-9:
                break
            gain *= 10 ** ((lufs - found) / 20)
        return gain


def _lufs(energy: Doubles) -> float:
    """Return the loudness of blocks together."""
    mean = float(energy.mean()) if energy.size else 0.0
    return -0.691 + 10 * math.log10(mean) if mean > 0 else -math.inf


def _energy(lufs: float) -> float:
    return 10 ** ((lufs + 0.691) / 10)


def measure_loudness(
    samples: npt.NDArray[Any], sample_rate: int, *, weights: Sequence[float] | None = None, engine: str = "auto"
) -> BlockLoudness:
    """Return the loudness of a waveform.

    A hop is 100 ms to the nearest sample. What is left after the last whole block does not count, as in the standard. A
    sound shorter than one block of 400 ms, of which BS.1770 says nothing, is measured as one block as long as itself.

    Parameters
    ----------
    samples
        (channels, samples), full scale ±1.0; values that are not finite count as 0.
    sample_rate
        In Hz, from `tonearm_plugins.dsp.channel_layouts.LOWEST_RATE`.
    weights
        Of each channel; those of `tonearm_plugins.dsp.channel_layouts.WEIGHTS` if not given.
    engine
        See `tonearm_plugins.dsp.engines`; native or scipy.

    Raises
    ------
    ShapeError
        If the rate is too low, or nobody knows the weights of so many channels.
    """
    channels, length = samples.shape
    reason = known_to_loudness(channels, sample_rate, weights)
    if reason:
        raise ShapeError(reason)
    weights = WEIGHTS[channels] if weights is None else weights
    hop = round(sample_rate / 10)
    energies = _native if choose(engine).name == "native" else _scipy
    sections = k_weighting(sample_rate)
    whole = length < HOPS * hop
    total = np.zeros(-(-length // hop) if whole else length // hop)
    for channel, weight in zip(samples, weights, strict=True):
        if weight:
            given = np.pad(channel, (0, -length % hop)) if whole else channel
            total += weight * energies(given, hop, sections)
    if whole:
        return BlockLoudness(total.sum(keepdims=True) / length, whole=True)
    return BlockLoudness(_means(total, hop, HOPS), short_term=_means(total, hop, SHORT_TERM_HOPS))


def _means(energies: Doubles, hop: int, hops: int) -> Doubles:
    """Return the mean square of each window of so many hops from the energies of these: (windows,)."""
    if len(energies) < hops:
        return np.empty(0)
    return np.convolve(energies, np.full(hops, 1 / (hops * hop)), "valid")


def _native(channel: npt.NDArray[Any], hop: int, sections: Doubles) -> Doubles:
    from tonearm_plugins.dsp.engines.native.loudness_kernel import energies

    return energies(channel, hop, sections)


def _scipy(channel: npt.NDArray[Any], hop: int, sections: Doubles) -> Doubles:
    """Return the sum of squares of each whole hop of a filtered channel; the filter's state is carried along."""
    from scipy.signal import sosfilt

    count = len(channel) // hop
    result, state = np.empty(count), np.zeros((len(sections), 2))
    step = max(1, BLOCK // hop)
    for first in range(0, count, step):
        part = finite(channel[first * hop : min(first + step, count) * hop]).astype(np.float64)
        weighted, state = sosfilt(sections, part, zi=state)
        rows = weighted.reshape(-1, hop)
        result[first : first + len(rows)] = np.einsum("ij,ij->i", rows, rows)
    return result
