"""The real FFT of ``lanes`` frames at once, in place, as passes over the cache.

A frame of N real samples is M = N/2 complex points: sample 2n is the real and 2n+1 the imaginary part of point n.
Their FFT is done in place by decimation in frequency (Gentleman and Sande, 1966), one pass for each radix. It leaves
the points in an order of reversed digits, which need not be undone: the inverse runs the same passes backwards. Between
the two lies the step from the M points to the N/2+1 bins and back.

Memory bounds such a transform, not arithmetic, so passes are fused with what surrounds them. The first pass reads
windowed samples in place. The last pass of the forward FFT and the first of the inverse meet the bins in registers. The
last pass of the inverse hands its samples straight on.

The last pass has radix Q. Each group of its Q points has the bins ``r + q H`` with H = M/Q, so each group has one
residue r. Bin k and its partner M - k, which the real FFT mixes, have residues r and H - r: groups are worked on in
pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.engines.native.llvm_writer import Int, Vec, Writer

Number = Int | int
Change = Callable[[Number, "Complex"], "Complex"]
Kind = Literal["points", "bins", "nothing"]


@dataclass(slots=True, eq=False)
class Complex:
    """A register of real parts and one of imaginary parts."""

    re: Vec
    im: Vec

    def __add__(self, other: Complex) -> Complex:
        return Complex(self.re + other.re, self.im + other.im)

    def __sub__(self, other: Complex) -> Complex:
        return Complex(self.re - other.re, self.im - other.im)

    def plus_i(self, other: Complex) -> Complex:
        """Return ``self + i other``."""
        return Complex(self.re - other.im, self.im + other.re)

    def minus_i(self, other: Complex) -> Complex:
        """Return ``self - i other``."""
        return Complex(self.re + other.im, self.im - other.re)

    def scaled(self, factor: Vec | float) -> Complex:
        """Return the number times a real factor."""
        return Complex(self.re * factor, self.im * factor)

    def turned(self, cos: Vec, sin: Vec) -> Complex:
        """Return ``self (cos + i sin)``."""
        return Complex(self.re * cos - self.im * sin, self.re * sin + self.im * cos)

    def conjugate(self) -> Complex:
        """Return the complex conjugate."""
        return Complex(self.re, -self.im)


def swapped(x: list[Complex]) -> list[Complex]:
    """Return each value with its parts swapped: an FFT between two of these is an inverse FFT."""
    return [Complex(value.im, value.re) for value in x]


def dft3(x: list[Complex]) -> list[Complex]:
    """Return the DFT of three points."""
    total, difference = x[1] + x[2], (x[1] - x[2]).scaled(math.sqrt(0.75))
    middle = x[0] + total.scaled(-0.5)
    return [x[0] + total, middle.minus_i(difference), middle.plus_i(difference)]


def dft4(x: list[Complex]) -> list[Complex]:
    """Return the DFT of four points."""
    a, b, c, d = x[0] + x[2], x[0] - x[2], x[1] + x[3], x[1] - x[3]
    return [a + c, b.minus_i(d), a - c, b.plus_i(d)]


def dft5(x: list[Complex]) -> list[Complex]:
    """Return the DFT of five points."""
    cos1, cos2, sin1, sin2 = (f(2 * math.pi * k / 5) for f in (math.cos, math.sin) for k in (1, 2))
    a, b, c, d = x[1] + x[4], x[2] + x[3], x[1] - x[4], x[2] - x[3]
    near, far = x[0] + a.scaled(cos1) + b.scaled(cos2), x[0] + a.scaled(cos2) + b.scaled(cos1)
    near_i, far_i = c.scaled(sin1) + d.scaled(sin2), c.scaled(sin2) - d.scaled(sin1)
    return [x[0] + a + b, near.minus_i(near_i), far.minus_i(far_i), far.plus_i(far_i), near.plus_i(near_i)]


def dft8(x: list[Complex]) -> list[Complex]:
    """Return the DFT of eight points, from two times four."""
    even, odd = dft4(x[0::2]), dft4(x[1::2])
    root = math.sqrt(0.5)
    odd = [
        odd[0],
        Complex((odd[1].re + odd[1].im) * root, (odd[1].im - odd[1].re) * root),
        Complex(odd[2].im, -odd[2].re),
        Complex((odd[3].im - odd[3].re) * root, (odd[3].re + odd[3].im) * -root),
    ]
    return [a + b for a, b in zip(even, odd, strict=True)] + [a - b for a, b in zip(even, odd, strict=True)]


DFT: dict[int, Callable[[list[Complex]], list[Complex]]] = {3: dft3, 4: dft4, 5: dft5, 8: dft8}


def radices(points: int) -> list[int] | None:
    """Return the radices of an FFT, powers of two last; None if there are fewer than two, or other factors."""
    found = []
    for prime in (5, 3):
        while points % prime == 0:
            found.append(prime)
            points //= prime
    exponent = points.bit_length() - 1
    if points != 1 << exponent or exponent < 2:
        return None
    fours = (0, 2, 1)[exponent % 3]
    found += [4] * fours + [8] * ((exponent - 2 * fours) // 3)
    return found if len(found) > 1 else None


def passes(points: int) -> list[tuple[int, int, int]]:
    """Return the radix, the points of a group and the index of the first twiddle factor of each pass."""
    result, size, begin = [], points, 0
    for radix in radices(points) or []:
        result.append((radix, size, begin))
        begin += 2 * (radix - 1) * size // radix
        size //= radix
    return result


def twiddles(points: int) -> npt.NDArray[np.float64]:
    """Return the twiddle factors of all passes: cosine and sine for each position in a group, for each q > 0."""
    factors = [
        np.exp(-2j * np.pi * np.arange(size // radix)[:, None] * np.arange(1, radix) / size).ravel()
        for radix, size, _ in passes(points)
    ]
    return as_pairs(np.concatenate(factors))


def places(points: int) -> npt.NDArray[np.int64]:
    """Return, for each bin, the index of the point that has it after the passes."""
    place, rest, size = np.zeros(points, np.int64), np.arange(points), points
    for radix in radices(points) or []:
        size //= radix
        place += rest % radix * size
        rest //= radix
    return place


def half_turns(points: int) -> npt.NDArray[np.float64]:
    """Return cosine and sine of pi k / points for each bin k, by which the real FFT turns."""
    return as_pairs(np.exp(1j * np.pi * np.arange(points + 1) / points))


def as_pairs(factors: npt.NDArray[np.complex128]) -> npt.NDArray[np.float64]:
    """Return real and imaginary parts, alternating."""
    return np.stack([factors.real, factors.imag], axis=-1).ravel()


class RealFFT:
    """Writes the transforms of one size into a function.

    Parameters
    ----------
    writer
        The function.
    n_fft
        N; `radices` decides whether there is an FFT of N/2 points.
    """

    def __init__(self, writer: Writer, n_fft: int) -> None:
        self.writer, self.lanes = writer, writer.lanes
        self.points = n_fft // 2
        self.passes = passes(self.points)
        self.twiddles = writer.memory("twiddles")
        self.places = writer.memory("places")
        self.turns = writer.memory("turns")
        self.z = writer.scratch(n_fft * self.lanes)  # for each point a register of real, then one of imaginary parts
        self.zero = writer.constant(0.0)

    @staticmethod
    def tables(n_fft: int, lanes: int) -> dict[str, npt.NDArray[np.generic]]:
        """Return the constant arguments by name."""
        points = n_fft // 2
        return {
            "twiddles": twiddles(points),
            "places": places(points) * 2 * lanes,
            "turns": half_turns(points),
        }

    # ---- the three stages; a caller writes one after the other ----

    def forward(self, sample: Callable[[Number], Vec]) -> None:
        """Write all forward passes but the last; ``sample(n)`` gives the windowed samples."""

        def points(n: Number, _: Number) -> Complex:
            return Complex(sample(n * 2), sample(n * 2 + 1))

        for which, (radix, size, begin) in enumerate(self.passes[:-1]):
            for n, at in self._butterflies(radix, size):
                load = points if which == 0 else self._load
                x = DFT[radix]([load(n[q], at[q]) for q in range(radix)])
                self._store(at, self._twiddled(x, n[0], radix, size, begin))

    def bins(self, change: Change, *, source: Kind = "points", result: Kind = "points") -> None:
        """Write the last forward pass, the change of the bins, and the first inverse pass.

        Parameters
        ----------
        change
            Takes the number and the value of a bin, and returns its new value. Each bin comes once, except for bin M/2,
            which comes twice with the same value; see `share`.
        source
            Source of the values: ``points`` of the forward FFT, which are *doubled*; ``bins`` that an earlier call
            stored; or ``nothing``, where ``change`` ignores them.
        result
            Use of the new values: ``points`` for the inverse FFT, ``bins`` for a later call, or ``nothing``.
        """
        radix = self.passes[-1][0]
        residues = self.points // radix
        with self.writer.loop(residues // 2 + 1) as r:
            # Residue 0, and half of all residues if their number is even, are their own partners.
            alone = self.writer.either(r.equals(0), (r * 2).equals(residues))
            groups, pairs = self.writer.pick_int(alone, 1, 2), self.writer.pick_int(alone, radix // 2, radix)
            if source == "points":
                with self.writer.loop(groups) as g:
                    self._transform_group(r + g * (residues - r * 2), radix, inverse=False)
            with self.writer.when(r.equals(0)):
                self._ends(change, source, result)
            with self.writer.loop(pairs) as q:
                first = self.writer.pick_int(r.equals(0), 1, 0)
                self._pair(change, r + (q + first) * residues, source, result)
            if result == "points":
                with self.writer.loop(groups) as g:
                    self._transform_group(r + g * (residues - r * 2), radix, inverse=True)

    def inverse(self, put: Callable[[Number, Vec], None]) -> None:
        """Write all inverse passes but the first; ``put(n, value)`` takes each sample, scaled by N."""
        for which, (radix, size, begin) in enumerate(reversed(self.passes[:-1]), 2 - len(self.passes)):
            for n, at in self._butterflies(radix, size):
                x = swapped([self._load(n[q], at[q]) for q in range(radix)])
                x = swapped(DFT[radix](self._twiddled(x, n[0], radix, size, begin)))
                if which < 0:
                    self._store(at, x)
                    continue
                for q in range(radix):
                    put(n[q] * 2, x[q].re)
                    put(n[q] * 2 + 1, x[q].im)

    def first_point(self) -> Complex:
        """Return point 0 of the inverse FFT, between `bins` and `inverse`: the sum of what its passes add up there."""
        size = self.passes[-1][0]
        with self.writer.carrying(self.points // size, self.zero, self.zero) as (group, total):
            x = self._load(0, group * (size * 2 * self.lanes))
            for cell, part in zip(total, (x.re, x.im), strict=True):
                cell.value = cell.value + part
        return Complex(*(cell.value for cell in total))

    def share(self, k: Number) -> Vec | float:
        """Return the weight of one visit of a bin: 1, or 1/2 for bin M/2."""
        if isinstance(k, int):
            return 1.0
        return self.writer.pick(k.equals(self.points // 2), 0.5, 1.0)

    # ---- within a pass ----

    def _butterflies(self, radix: int, size: int) -> Iterator[tuple[list[Number], list[Number]]]:
        """Loop over a pass; yield the points of one butterfly inside the loops, in their group and in memory."""
        stride, groups, width = size // radix, self.points // size, 2 * self.lanes
        with self.writer.loop(groups) as group, self.writer.loop(stride) as j:
            base: Number = j * width if groups == 1 else group * (size * width) + j * width
            yield [j + q * stride for q in range(radix)], [base + q * stride * width for q in range(radix)]

    def _twiddled(self, x: list[Complex], j: Number, radix: int, size: int, begin: int) -> list[Complex]:
        if size == radix:
            return x
        at = [j * (2 * (radix - 1)) + (begin + 2 * (q - 1)) for q in range(1, radix)]
        turned = (v.turned(self.twiddles.splat(i), self.twiddles.splat(i + 1)) for v, i in zip(x[1:], at, strict=True))
        return [x[0], *turned]

    def _load(self, _: Number, at: Number) -> Complex:
        return Complex(self.z[at], self.z[at + self.lanes])

    def _store(self, at: list[Number], x: list[Complex]) -> None:
        for i, value in zip(at, x, strict=True):
            self.z[i] = value.re
            self.z[i + self.lanes] = value.im

    def _transform_group(self, residue: Int, radix: int, *, inverse: bool) -> None:
        first = self.places.int64(residue)
        at: list[Number] = [first + q * 2 * self.lanes for q in range(radix)]
        x = [self._load(0, i) for i in at]
        self._store(at, swapped(DFT[radix](swapped(x))) if inverse else DFT[radix](x))

    # ---- from points to bins and back ----
    # With Z the FFT of the points, e = Z[k] + conj Z[M-k], d = Z[k] - conj Z[M-k] and t = exp(i pi k / M), the bins are
    # 2 X[k] = e - i conj(t) d and 2 conj X[M-k] = e + i conj(t) d, and the way back is the like.

    def _ends(self, change: Change, source: Kind, result: Kind) -> None:
        """Write the change of bins 0 and M, which are real and share point 0."""
        z = self._load(0, 0)
        if source == "points":
            z = Complex((z.re + z.im) * 2.0, (z.re - z.im) * 2.0)
        low, high = change(0, Complex(z.re, self.zero)).re, change(self.points, Complex(z.im, self.zero)).re
        if result == "points":
            self._store([0], [Complex(low + high, low - high)])
        elif result == "bins":
            self._store([0], [Complex(low, high)])

    def _pair(self, change: Change, k: Int, source: Kind, result: Kind) -> None:
        """Write the change of bins k and M - k; bin M/2 is its own partner."""
        partner = self.points - k
        at: list[Number] = [self.places.int64(k), self.places.int64(partner)]
        cos, sin = self.turns.splat(k * 2), self.turns.splat(k * 2 + 1)
        a, b = (self._load(0, i) for i in at)
        if source == "points":
            e, d = a + b.conjugate(), (a - b.conjugate()).turned(cos, -sin)
            a, b = e.minus_i(d), e.plus_i(d).conjugate()
        a, b = change(k, a), change(partner, b)
        if result == "points":
            e, d = a + b.conjugate(), (a - b.conjugate()).turned(cos, sin)
            a, b = e.plus_i(d), e.minus_i(d).conjugate()
        if result != "nothing":
            self._store(at, [a, b])
