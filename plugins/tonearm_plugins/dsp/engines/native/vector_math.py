"""Mathematics on vectors that no single instruction does: logarithm, cosine and sine, transposition."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tonearm_plugins.dsp.engines.native.llvm_writer import Vec


def polynomial(x: Vec, coefficients: Sequence[float]) -> Vec:
    """Return the polynomial with these coefficients, the constant one first (Horner)."""
    total = x.writer.constant(coefficients[-1], x.kind)
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


HALF_ROOT = 0x3F3504F3  # the bits of the float sqrt(1/2)


def _log2_coefficients() -> list[float]:
    """Fit log2(1 + x) / x on [sqrt(1/2) - 1, sqrt(2) - 1] at Chebyshev points."""
    x = np.cos((np.arange(64) + 0.5) * np.pi / 64) * 0.3536 + 0.0607
    return [float(c) for c in np.polynomial.polynomial.polyfit(x, np.log2(1 + x) / x, 5)]


LOG2 = _log2_coefficients()


def log2(x: Vec) -> Vec:
    """Return the binary logarithm of positive numbers; error 4e-6."""
    bits = x.cast("bitcast", "i32") - HALF_ROOT
    mantissa = ((bits & 0x7FFFFF) + HALF_ROOT).cast("bitcast", "float") - 1.0  # from sqrt(1/2) to sqrt(2), less 1
    return (bits >> 23).cast("sitofp", "float") + mantissa * polynomial(mantissa, LOG2)


def wrapped(x: Vec) -> Vec:
    """Return ``x - round(x)``, for x between -2^22 and 2^22."""
    big = 1.5 * 2**23
    return x - x.add_exactly(big).add_exactly(-big)


def cos_sin_of_turns(x: Vec) -> tuple[Vec, Vec]:
    """Return cos and sin of 2 pi x for x from -1/2 to 1/2, by way of the half angle; error 1e-6."""
    half = x * math.pi
    square = half * half
    cos = polynomial(square, [(-1) ** k / math.factorial(2 * k) for k in range(7)])
    sin = polynomial(square, [(-1) ** k / math.factorial(2 * k + 1) for k in range(6)]) * half
    return cos * cos - sin * sin, sin * cos * 2.0


def transposed(rows: list[Vec]) -> list[Vec]:
    """Transpose ``lanes`` vectors of ``lanes`` numbers, in log2(lanes) rounds that swap blocks of halving size."""
    lanes = len(rows)
    size = lanes // 2
    while size:
        low = [lane if not lane & size else lane - size + lanes for lane in range(lanes)]
        high = [lane + size if not lane & size else lane + lanes for lane in range(lanes)]
        for i in range(lanes):
            if not i & size:
                a, b = rows[i], rows[i + size]
                rows[i], rows[i + size] = a.shuffle(b, low), a.shuffle(b, high)
        size //= 2
    return rows
