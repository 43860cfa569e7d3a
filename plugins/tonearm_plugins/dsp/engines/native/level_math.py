"""Mathematics of the kernels that measure and change levels: comparisons, running sums, exponentials in float64."""

from __future__ import annotations

import math

import numpy as np

from tonearm_plugins.dsp.engines.native.llvm_values import Int, Vec
from tonearm_plugins.dsp.engines.native.vector_math import polynomial

LARGEST = float(np.finfo(np.float32).max)
ROUNDING = 1.5 * 2.0**52
"""Number in float64 that rounds what is added to it to a whole number."""

ROUNDING_BITS = int(np.float64(ROUNDING).view(np.int64))


def magnitude(x: Vec) -> Vec:
    """Return the absolute value of floats."""
    writer = x.writer
    return Vec(writer, writer.call(x.type, f"llvm.fabs.v{writer.lanes}f32", (x.type, x.name)))


def larger(a: Vec, b: Vec) -> Vec:
    """Return the larger of two numbers, lane by lane; ``b`` if one is NaN."""
    return (a > b).choose(a, b)


def is_finite(x: Vec) -> Vec:
    """Return, lane by lane, whether a float is neither NaN nor infinite."""
    return x.writer.constant(LARGEST) >= magnitude(x)


def zero_unless_finite(x: Vec) -> Vec:
    """Return floats with 0 in place of NaN and infinity."""
    return is_finite(x).choose(x, x.writer.constant(0.0))


def at_most(value: Int, limit: Int | int) -> Int:
    """Return an integer, or the limit if that is less."""
    writer = value.writer
    return Int(writer, writer.emit(f"select i1 {value.below(limit)}, i64 {value}, i64 {limit}"))


def any_of(condition: Vec) -> str:
    """Return the condition that a comparison holds in any lane."""
    writer = condition.writer
    bits = writer.emit(f"bitcast {condition.type} {condition.name} to i{writer.lanes}")
    return writer.emit(f"icmp ne i{writer.lanes} {bits}, 0")


def largest_of(x: Vec) -> Vec:
    """Return the largest of all lanes, in all lanes."""
    lanes, size = x.writer.lanes, x.writer.lanes // 2
    while size:
        x = larger(x, x.shuffle(x, [lane ^ size for lane in range(lanes)]))
        size //= 2
    return x


def last_of(x: Vec) -> Vec:
    """Return the last lane, in all lanes."""
    return x.shuffle(x, [x.writer.lanes - 1] * x.writer.lanes)


def delayed(x: Vec, count: int) -> Vec:
    """Return each lane ``count`` lanes later, after zeros."""
    lanes = x.writer.lanes
    zero = x.writer.constant(0, x.kind)
    return zero.shuffle(x, [*range(count), *range(lanes, 2 * lanes - count)])


def running_sum(x: Vec) -> Vec:
    """Return the sums of whole numbers from the first lane to each."""
    size = 1
    while size < x.writer.lanes:
        x = x + delayed(x, size)
        size *= 2
    return x


def rounded(x: Vec) -> tuple[Vec, Vec]:
    """Return numbers of float64 below 2^51 rounded to whole ones: as they are, and as integers."""
    big = x.add_exactly(ROUNDING)
    return big.add_exactly(-ROUNDING), big.cast("bitcast", "i64") - ROUNDING_BITS


def double_of_whole(x: Vec) -> Vec:
    """Return whole numbers from 0 to 2^62 as float64. Few processors have an instruction for it."""
    low = ((x & 0xFFFFFFFF) + int(np.float64(2.0**52).view(np.int64))).cast("bitcast", "double")
    high = ((x >> 32) + int(np.float64(2.0**84).view(np.int64))).cast("bitcast", "double")
    return high.add_exactly(-(2.0**84)) + low.add_exactly(-(2.0**52))


def exp2_double(x: Vec) -> Vec:
    """Return 2^x of float64 from -1000 to 0; relative error 1e-11, and none at 0."""
    whole, bits = rounded(x)
    power = polynomial(x - whole, [math.log(2) ** k / math.factorial(k) for k in range(10)])
    return (power.cast("bitcast", "i64") + (bits << 52)).cast("bitcast", "double")


HALF_ROOT_BITS = int(np.float64(math.sqrt(0.5)).view(np.int64))


def log2_double(x: Vec) -> Vec:
    """Return the binary logarithm of positive float64; error 1e-12."""
    bits = x.cast("bitcast", "i64") - HALF_ROOT_BITS
    mantissa = ((bits & ((1 << 52) - 1)) + HALF_ROOT_BITS).cast("bitcast", "double") - 1.0
    ratio = mantissa / (mantissa + 2.0)
    series = polynomial(ratio * ratio, [2 / math.log(2) / (2 * k + 1) for k in range(8)]) * ratio
    whole = ((bits >> 52) + ROUNDING_BITS).cast("bitcast", "double").add_exactly(-ROUNDING)
    return whole + series
