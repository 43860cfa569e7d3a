"""The real FFT of ``lanes`` frames at once, in place, as passes over the cache.

A frame of N real samples is M = N/2 complex points: sample 2n is the real and 2n+1 the imaginary part of point n.
Their FFT is done in place by decimation in frequency (Gentleman and Sande, 1966), one pass for each radix. It leaves
the points in an order of reversed digits, which need not be undone: the inverse runs the same passes backwards. Between
the two lies the step from the M points to the N/2+1 bins and back.

Loads and stores bound such a transform as much as arithmetic. So the first pass reads windowed samples in place, and
the last pass of the inverse hands its samples straight on. The first pass, of radix R, leaves R transforms of M/R
points. Transform s has the bins ``s + R t``. The real FFT mixes bin k with its partner M - k, so transforms s and R - s
are worked on together, from their second pass to the bins and back: they fit into the first cache, and the M points do
not.

The last pass has radix Q. Each group of its Q points has the bins ``r + q H`` with H = M/Q, so each group has one
residue r. Groups r and H - r, which have each other's partners, go from points to bins and back in registers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.engines.native.butterflies import DFT, TURNED_DFT, Complex, swapped
from tonearm_plugins.dsp.engines.native.llvm_writer import Int, Vec, Writer

Number = Int | int
Change = Callable[[Number, Complex], Complex]
Kind = Literal["points", "bins", "nothing"]
Samples = dict[int, Vec]


def radices(points: int, hop_length: int, lanes: int) -> list[int] | None:
    """Return the radices of an FFT; None if it has less than 12 points, or other factors than 4, 2, 3 and 5.

    The last one is small, so that two groups fit into 16 registers. The first is 4, or 8 where only then all samples
    of one butterfly that overlap in time are whole hops apart; see `TileAddress`. Those between may be 8 where there
    are 32 registers. With 8 lanes there are 16, or a vector takes two of them.
    """
    odd, rest = [], points
    for prime in (5, 3):
        while rest % prime == 0:
            odd.append(prime)
            rest //= prime
    exponent = rest.bit_length() - 1
    if points < 12 or rest != 1 << exponent or exponent < 2:
        return None
    only_eight = hop_length % (points // 2) != 0 and hop_length % (points // 4) == 0
    exponent -= 3 if only_eight and exponent > 2 else 2
    first = rest >> exponent
    last = [4] if exponent not in (0, 1, 3) and (lanes != 8 or exponent % 2 == 0) else [2] * (exponent % 2)
    exponent -= sum(radix // 2 for radix in last)
    fours = (0, 2, 1)[exponent % 3] if lanes != 8 else exponent // 2
    return [first, *odd, *[8] * ((exponent - 2 * fours) // 3), *[4] * fours, *last]


def passes(radices: list[int]) -> list[tuple[int, int, int]]:
    """Return the radix, the points of a group and the index of the first twiddle factor of each pass."""
    result, size, begin = [], math.prod(radices), 0
    for radix in radices:
        result.append((radix, size, begin))
        begin += 2 * (radix - 1) * size // radix
        size //= radix
    return result


def twiddles(radices: list[int]) -> npt.NDArray[np.float64]:
    """Return the twiddle factors of all passes: cosine and sine for each position in a group, for each q > 0."""
    factors = [
        np.exp(-2j * np.pi * np.arange(size // radix)[:, None] * np.arange(1, radix) / size).ravel()
        for radix, size, _ in passes(radices)
    ]
    return as_pairs(np.concatenate(factors))


def places(radices: list[int]) -> npt.NDArray[np.int64]:
    """Return, for each bin, the index of the point that has it after the passes."""
    size = math.prod(radices)
    place, rest = np.zeros(size, np.int64), np.arange(size)
    for radix in radices:
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
    n_fft, hop_length
        N, and the samples from one frame to the next; `radices` decides whether there is an FFT of N/2 points.
    """

    def __init__(self, writer: Writer, n_fft: int, hop_length: int) -> None:
        self.writer, self.lanes = writer, writer.lanes
        self.points = n_fft // 2
        self.passes = passes(radices(self.points, hop_length, self.lanes) or [])
        self.step = 2 * self.points // self.passes[0][0]
        """Samples from one point of a butterfly of the first pass to the next."""
        self.twiddles = writer.memory("twiddles")
        self.places = writer.memory("places")
        self.turns = writer.memory("turns")
        self.z = writer.scratch(n_fft * self.lanes)  # for each point a register of real, then one of imaginary parts
        self.zero = writer.constant(0.0)
        self._share: Vec | float = 1.0

    @staticmethod
    def tables(n_fft: int, hop_length: int, lanes: int) -> dict[str, npt.NDArray[np.generic]]:
        """Return the constant arguments by name."""
        found = radices(n_fft // 2, hop_length, lanes) or []
        return {
            "twiddles": twiddles(found),
            "places": places(found) * 2 * lanes,
            "turns": np.append(half_turns(n_fft // 2), 2.0),
        }

    # ---- the three stages; a caller writes one after the other ----

    def forward(self, sample: Callable[[Int, int], Vec]) -> None:
        """Write the first pass; ``sample(begin, offset)`` returns the windowed samples ``begin + offset``.

        ``begin`` is even and less than ``step``; ``offset`` is a multiple of ``step``, or one more.
        """
        radix, size, twiddles = self.passes[0]
        with self.writer.loop(size // radix) as j:
            begin, offsets = j * 2, [q * self.step for q in range(radix)]
            x = DFT[radix]([Complex(sample(begin, at), sample(begin, at + 1)) for at in offsets])
            self._store(self._butterfly(0, j, radix, size), self._twiddled(x, j, radix, twiddles))

    def bins(self, change: Change, *, source: Kind = "points", result: Kind = "points") -> None:
        """Write the other forward passes, the change of the bins, and all inverse passes but the last.

        Parameters
        ----------
        change
            Takes the number and the value of a bin, and returns its new value. Most bins come once, some twice with the
            same value; see `share`.
        source
            Source of the values: ``points`` of the forward FFT, which are *doubled*; ``bins`` that an earlier call
            stored; or ``nothing``, where ``change`` ignores them.
        result
            Use of the new values: ``points`` for the inverse FFT, ``bins`` for a later call, or ``nothing``.
        """
        writer, first, last = self.writer, self.passes[0][0], self.passes[-1][0]
        groups = self.points // last // first  # of each of the transforms
        with writer.loop(first // 2 + 1) as s:
            is_first = s.equals(0)
            is_alone = writer.either(is_first, (s * 2).equals(first))
            count = writer.choose_int(is_alone, 1, 2)
            if source == "points":
                with writer.loop(count) as i:
                    self._middle_passes(s + i * (first - s * 2), inverse=False)
            with writer.when(is_first):
                self._own_partners(change, source, result)
            # The groups whose partners are in the same transform come in pairs, or one is its own partner.
            pairs = writer.choose_int(is_first, groups // 2, (groups + 1) // 2)
            pairs = writer.choose_int(is_alone, pairs, groups)
            begin = s + writer.choose_int(is_first, first, 0)
            with writer.when(pairs.above(0)), writer.loop(pairs) as t:
                self._partners(change, begin + t * first, source, result)
            if result == "points":
                with writer.loop(count) as i:
                    self._middle_passes(s + i * (first - s * 2), inverse=True)

    def inverse(self, put: Callable[[Int, Samples], None]) -> None:
        """Write the last inverse pass; ``put(begin, samples)`` takes those of one butterfly by offset, scaled by N.

        ``begin`` and offsets are those of `forward`.
        """
        radix, size, twiddles = self.passes[0]
        with self.writer.loop(size // radix) as j:
            x = [self._load(at) for at in self._butterfly(0, j, radix, size)]
            x = self._inverse_butterfly(x, j, radix, twiddles)
            samples = {
                q * self.step + part: value for q in range(radix) for part, value in enumerate((x[q].re, x[q].im))
            }
            put(j * 2, samples)

    def first_point(self) -> Complex:
        """Return point 0 of the inverse FFT, before `inverse`: the sum of what its pass adds up there."""
        radix, size, _ = self.passes[0]
        with self.writer.carrying(radix, self.zero, self.zero) as (q, total):
            x = self._load(q * (size // radix * 2 * self.lanes))
            for cell, part in zip(total, (x.re, x.im), strict=True):
                cell.value = cell.value + part
        return Complex(*(cell.value for cell in total))

    def share(self) -> Vec | float:
        """Return the weight of this visit of a bin: 1, or 1/2 for a bin that comes twice."""
        return self._share

    # ---- within a pass ----

    def _butterfly(self, begin: Number, j: Int, radix: int, size: int) -> list[Number]:
        """Return the place in memory of each point of butterfly j of a group."""
        width = 2 * self.lanes
        return [begin + j * width + q * (size // radix * width) for q in range(radix)]

    def _middle_passes(self, transform: Int, *, inverse: bool) -> None:
        """Write all passes but the first and the last, on one of the transforms that the first pass leaves."""
        room = self.points // self.passes[0][0]
        width = 2 * self.lanes
        for radix, size, twiddles in self.passes[-2:0:-1] if inverse else self.passes[1:-1]:
            with self.writer.loop(room // size) as group, self.writer.loop(size // radix) as j:
                at = self._butterfly(transform * (room * width) + group * (size * width), j, radix, size)
                x = [self._load(i) for i in at]
                if inverse:
                    x = self._inverse_butterfly(x, j, radix, twiddles)
                else:
                    x = self._twiddled(DFT[radix](x), j, radix, twiddles)
                self._store(at, x)

    def _twiddled(self, x: list[Complex], j: Int, radix: int, begin: int) -> list[Complex]:
        factors = self._factors(j, radix, begin)
        return [x[0], *(value.turned(*factor) for value, factor in zip(x[1:], factors, strict=True))]

    def _inverse_butterfly(self, x: list[Complex], j: Int, radix: int, begin: int) -> list[Complex]:
        x, factors = swapped(x), self._factors(j, radix, begin)
        if radix in TURNED_DFT:
            return swapped(TURNED_DFT[radix](x, factors, self._two()))
        return swapped(DFT[radix]([x[0], *(value.turned(*w) for value, w in zip(x[1:], factors, strict=True))]))

    def _factors(self, j: Int, radix: int, begin: int) -> list[tuple[Vec, Vec]]:
        """Return cosine and sine of the twiddle factors of butterfly j, for each q > 0."""
        at = [j * (2 * (radix - 1)) + (begin + 2 * (q - 1)) for q in range(1, radix)]
        return [(self.twiddles.splat(i), self.twiddles.splat(i + 1)) for i in at]

    def _two(self) -> Vec:
        """Return 2, from memory: LLVM would make a sum of a product with a constant 2, and no multiply-add."""
        return self.turns.splat(2 * self.points + 2)

    def _load(self, at: Number) -> Complex:
        return Complex(self.z[at], self.z[at + self.lanes])

    def _store(self, at: list[Number], x: list[Complex]) -> None:
        for i, value in zip(at, x, strict=True):
            self.z[i] = value.re
            self.z[i + self.lanes] = value.im

    # ---- from points to bins and back ----
    # With Z the FFT of the points, e = Z[k] + conj Z[M-k], d = Z[k] - conj Z[M-k] and t = exp(i pi k / M), the bins are
    # 2 X[k] = e - i conj(t) d and 2 conj X[M-k] = e + i conj(t) d, and the way back is the like.

    def _own_partners(self, change: Change, source: Kind, result: Kind) -> None:
        """Write the change of the bins of residue 0, whose partners are among them. Bins 0 and M share a point."""
        radix = self.passes[-1][0]
        residues = self.points // radix
        at: list[Number] = [q * 2 * self.lanes for q in range(radix)]
        x = self._group(at, source)
        low = x[0]
        if source == "points":
            low = Complex((low.re + low.im) * 2.0, (low.re - low.im) * 2.0)
        self._share = 1.0
        ends = change(0, Complex(low.re, self.zero)).re, change(self.points, Complex(low.im, self.zero)).re
        x[0] = Complex(ends[0] + ends[1], ends[0] - ends[1]) if result == "points" else Complex(*ends)
        for q in range(1, radix // 2 + 1):
            self._share = 0.5 if 2 * q == radix else 1.0
            x[q], x[radix - q] = self._pair(change, q * residues, x[q], x[radix - q], source, result)
        self._put_group(at, x, result)

    def _partners(self, change: Change, r: Int, source: Kind, result: Kind) -> None:
        """Write the change of the bins of residues r and H - r; where these are equal, it is done twice."""
        radix = self.passes[-1][0]
        residues = self.points // radix
        ats: list[list[Number]] = []
        for residue in (r, residues - r):
            begin = self.places.int64(residue)
            ats.append([begin + q * 2 * self.lanes for q in range(radix)])
        x, y = (self._group(at, source) for at in ats)
        self._share = self.writer.pick((r * 2).equals(residues), 0.5, 1.0)
        for q in range(radix):
            x[q], y[-1 - q] = self._pair(change, r + q * residues, x[q], y[-1 - q], source, result)
        for at, values in zip(ats, (x, y), strict=True):
            self._put_group(at, values, result)

    def _group(self, at: list[Number], source: Kind) -> list[Complex]:
        x = [self._load(i) for i in at]
        return DFT[len(at)](x) if source == "points" else x

    def _put_group(self, at: list[Number], x: list[Complex], result: Kind) -> None:
        if result == "points":
            x = swapped(DFT[len(at)](swapped(x)))
        if result != "nothing":
            self._store(at, x)

    def _pair(
        self, change: Change, k: Number, a: Complex, b: Complex, source: Kind, result: Kind
    ) -> tuple[Complex, Complex]:
        """Write the change of bins k and M - k."""
        partner = self.points - k
        cos, sin = self.turns.splat(k * 2), self.turns.splat(k * 2 + 1)
        if source == "points":
            e, d = a + b.conjugate(), a - b.conjugate()
            a = e.plus_turned(d, -sin, -cos)
            b = e.twice_less(a, self._two()).conjugate()
        a, b = change(k, a), change(partner, b)
        if result == "points":
            e, d = a + b.conjugate(), (a - b.conjugate()).turned(cos, sin)
            a, b = e.plus_i(d), e.minus_i(d).conjugate()
        return a, b
