"""What there is to see of a sound: levels over time and frequency, and the outline of a waveform, column by column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Scale = Literal["linear", "mel", "log"]

BLOCK = 2048
"""Frames that are looked at together."""

_LEAST_HZ = 20.0  # where a logarithmic axis begins
_FLOOR = 1e-20  # of powers: −200 dB

# Magma, by Stéfan van der Walt and Nathaniel Smith (CC0), at 17 places.
_MAGMA = (
    "000004 0a0822 1d1147 36106b 51127c 6a1c81 832681 9c2e7f b73779 cf4070 e55064 f4695c fb8761 fea571 fec287 fde0a1"
    " fcfdbf"
)


def hop_for(length: int, n_fft: int, columns: int) -> int:
    """Return samples from frame to frame, so that there are about two frames a column, but never too few to overlap."""
    return int(np.clip(length // (2 * columns), max(1, n_fft // 32), max(1, n_fft // 4)))


def stft_powers(signal: Floats, window: Floats, hop_length: int) -> Iterator[Floats]:
    """Yield powers (bins, frames), a block of frames at a time; frame t is centred on sample t · hop_length.

    A sine of full scale has a power of 1.
    """
    from tonearm_plugins.dsp.stft import stft

    n_fft, length = window.size, signal.size
    frames = 1 + (length - 1) // hop_length
    unit = (window.sum() / 2) ** 2
    for first in range(0, frames, BLOCK):
        last = min(first + BLOCK, frames)
        start, stop = first * hop_length - n_fft // 2, (last - 1) * hop_length + n_fft - n_fft // 2
        inside = np.asarray(signal[max(start, 0) : min(stop, length)], np.float32)
        padded = np.pad(inside, (max(-start, 0), max(stop - length, 0)))
        values = stft(padded[None], window=window, hop_length=hop_length)[0]
        yield (values.real.astype(np.float64) ** 2 + values.imag.astype(np.float64) ** 2) / unit


def value_powers(values: npt.NDArray[Any], unit: float, exponent: int = 1) -> Iterator[Floats]:
    """Yield the powers of given magnitudes, complex values or (exponent 2) powers: (bins, frames), blocks of frames."""
    for first in range(0, values.shape[1], BLOCK):
        block = np.abs(values[:, first : first + BLOCK]).astype(np.float64) / unit
        yield block if exponent == 2 else block**2


def pooled(blocks: Iterator[Floats], frames: int, most: int) -> Floats:
    """Return powers of (bins, frames) blocks, neighbouring frames averaged until there are ``most`` at the most."""
    cells = min(frames, most)
    if not cells:
        raise ValueError("there are no frames")
    total: Floats | None = None
    counts = np.zeros(cells)
    done = 0
    for block in blocks:
        where = (np.arange(done, done + block.shape[1]) * cells) // frames
        done += block.shape[1]
        starts = np.flatnonzero(np.diff(where, prepend=-1))
        if total is None:
            total = np.zeros((block.shape[0], cells))
        total[:, where[starts]] += np.add.reduceat(block, starts, axis=1)
        counts += np.bincount(where, minlength=cells)
    assert total is not None
    return total / counts


def band_response(basis: Floats, window: Floats, exponent: int) -> Floats:
    """Return what a sine of magnitude 1 gives at most in each band of a filter bank (bands, bins).

    A band sums up magnitudes (exponent 1) or powers (2), those of the neighbours of the sine's bin among them.
    """
    spread = np.abs(np.fft.rfft(window))[:9] / window.sum()
    lobe = np.concatenate([spread[:0:-1], spread]) ** exponent
    return np.array([np.convolve(band, lobe, "same").max() for band in basis])


def decibels(powers: Floats) -> Floats:
    """Return powers in dB, silence as −200."""
    return np.asarray(10 * np.log10(np.maximum(powers, _FLOOR)))


def rows_of(powers: Floats, hertz: Floats, edges: Floats) -> Floats:
    """Return levels in dB of rows (rows, frames), the first on top: each is the mean power between two frequencies.

    Parameters
    ----------
    powers
        (bins, frames).
    hertz
        Of each bin, ascending.
    edges
        Frequencies between the rows, rows + 1 of them, ascending; rows narrower than a bin are interpolated in dB.
    """
    places = np.interp(edges, hertz, np.arange(hertz.size))  # in bins
    low, high = places[:-1], places[1:]
    middle = (low + high) / 2
    below = np.clip(np.floor(middle).astype(int), 0, max(hertz.size - 2, 0))
    above = np.minimum(below + 1, hertz.size - 1)
    levels = decibels(powers)
    part = (middle - below)[:, None]
    found = levels[below] * (1 - part) + levels[above] * part
    wide = np.flatnonzero(high - low > 1.5)
    if wide.size:
        sums = np.concatenate([np.zeros((1, powers.shape[1])), np.cumsum(powers, axis=0)])
        first, last = np.rint(low[wide]).astype(int), np.rint(high[wide]).astype(int)
        found[wide] = decibels(np.maximum(sums[last] - sums[first], 0) / (last - first)[:, None])
    return np.asarray(found[::-1])


def to_scale(hertz: npt.ArrayLike, scale: Scale) -> Floats:
    """Return where frequencies lie on an axis: mel is O'Shaughnessy's, log begins at 20 Hz."""
    values = np.asarray(hertz, np.float64)
    if scale == "mel":
        return np.asarray(np.log1p(values / 700))
    return np.asarray(np.log(np.maximum(values, _LEAST_HZ))) if scale == "log" else values


def from_scale(places: npt.ArrayLike, scale: Scale) -> Floats:
    """Return the frequencies at places of an axis."""
    values = np.asarray(places, np.float64)
    if scale == "mel":
        return np.asarray(np.expm1(values) * 700)
    return np.asarray(np.exp(values)) if scale == "log" else values


def outline(signal: npt.NDArray[Any], columns: int) -> tuple[Floats, Floats, Floats]:
    """Return the least and the greatest sample of each column, and the root of the mean square: (columns,) each.

    A column begins with the sample that its neighbour ended on, so that the outline has no gaps.
    """
    length = signal.size
    if length < 2 * columns:
        times = -(-4 * columns // max(length - 1, 1))  # so many points a sample, which are all among them
        places = np.arange(max(length - 1, 1) * times + 1) / times
        signal, length = np.interp(places, np.arange(length), signal), places.size
    edges = (np.arange(columns + 1) * (length - 1)) // columns
    starts = edges[:-1]
    low = np.minimum(np.minimum.reduceat(signal, starts), signal[np.minimum(edges[1:], length - 1)])
    high = np.maximum(np.maximum.reduceat(signal, starts), signal[np.minimum(edges[1:], length - 1)])
    counts = np.diff(np.append(starts, length))
    squares = np.add.reduceat(np.square(signal, dtype=np.float64), starts) / counts
    return low.astype(np.float64), high.astype(np.float64), np.sqrt(squares)


def colours(levels: Floats, low: float, high: float) -> npt.NDArray[np.uint8]:
    """Return the colours of levels, from dark to bright: uint8 of the same shape and 3 more."""
    places = np.array([[int(one[at : at + 2], 16) for at in (0, 2, 4)] for one in _MAGMA.split()], np.float64)
    parts = np.clip((levels - low) / max(high - low, 1e-9), 0, 1) * 255
    steps = np.linspace(0, 255, len(places))
    table = np.stack([np.interp(np.arange(256), steps, places[:, one]) for one in range(3)], axis=1)
    return np.asarray(np.rint(table).astype(np.uint8)[np.rint(parts).astype(np.intp)])


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers within two limits, 1, 2 or 5 times a power of ten apart, no more than ``most`` of them."""
    span = high - low
    if span <= 0 or most < 1:
        return []
    step = 10 ** np.floor(np.log10(span / most))
    step *= next((factor for factor in (1, 2, 5, 10) if span / (step * factor) <= most), 10)
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [round(float(number * step), 10) for number in range(first, last + 1)]


def round_up(value: float) -> float:
    """Return the next round number, 1, 2 or 5 times a power of ten; 1 of silence."""
    if not value > 0:
        return 1.0
    unit = 10 ** np.floor(np.log10(value))
    return float(next(factor * unit for factor in (1, 2, 5, 10) if value <= factor * unit * (1 + 1e-9)))
