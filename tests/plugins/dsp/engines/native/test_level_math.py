"""Mathematics of kernels of levels, against numpy in float64, with eight lanes."""

from __future__ import annotations

import numpy as np
import pytest
from dsp_material import NARROW, only_native

from tonearm_plugins.dsp.engines.native import level_math
from tonearm_plugins.dsp.engines.native.compiler import Kernel

pytestmark = only_native

KINDS = {"float": np.float32, "double": np.float64, "i64": np.int64}


def apply(function, x, given="float", found="float"):
    """Return what a function of registers gives for each number."""
    x = np.ascontiguousarray(x, KINDS[given])
    out = np.empty(x.size, KINDS[found])

    def write(writer):
        source, target = writer.memory("x", given), writer.memory("out", found)
        with writer.loop(x.size // 8) as i:
            target[i * 8] = function(source[i * 8])

    kernel = Kernel(NARROW, write, {})
    kernel(kernel.scratch(), x=x, out=out)
    return out


def test_what_is_not_finite_becomes_zero_and_all_else_stays():
    x = np.array([np.nan, -np.nan, np.inf, -np.inf, 3.4e38, -3.4e38, -1e-45, 2], "f4")
    wanted = np.array([0, 0, 0, 0, 3.4e38, -3.4e38, -1e-45, 2], "f4")
    np.testing.assert_array_equal(apply(level_math.zero_unless_finite, x), wanted)


def test_a_condition_in_any_lane_counts():
    def marked(x):
        writer = x.writer
        return writer.pick(level_math.any_of(x > writer.constant(0.0)), 1.0, 0.0)

    for lane in range(8):
        x = np.zeros(8)
        x[lane] = 1
        assert (apply(marked, x) == 1).all()
    assert (apply(marked, np.full(8, -1)) == 0).all()


def test_lanes_are_reduced_delayed_and_summed_up():
    x = np.array([3, 1, -4, 1, 5, -9, 2, 6])
    assert (apply(level_math.largest_of, x) == 6).all()
    assert (apply(level_math.last_of, x) == 6).all()
    np.testing.assert_array_equal(apply(lambda v: level_math.delayed(v, 3), x, "i64", "i64"), [0, 0, 0, 3, 1, -4, 1, 5])
    big = x * 2**55 + 1  # float64 would not hold them
    np.testing.assert_array_equal(apply(level_math.running_sum, big, "i64", "i64"), np.cumsum(big))


def test_whole_numbers_of_64_bits_become_float64():
    x = np.concatenate([[0, 1, 2**32 - 1, 2**32, 2**52 + 1, 2**53 + 1, 2**61 + 12345, 2**62 - 1], 3 ** np.arange(32)])
    np.testing.assert_array_equal(apply(level_math.double_of_whole, x, "i64", "double"), x.astype("f8"))


@pytest.mark.parametrize("which", [0, 1])
def test_numbers_are_rounded_to_whole_ones(which):
    x = np.concatenate([np.linspace(-9, 9, 64), [2**50 + 0.25, 2**50 + 0.75, 0.5, 1.5, -0.5, 0, 1e-30, 2**40]])
    found = apply(lambda v: level_math.rounded(v)[which], x, "double", ("double", "i64")[which])
    np.testing.assert_array_equal(found, np.rint(x))


def test_powers_of_two_are_exact_at_zero_and_good_to_eleven_digits():
    x = np.concatenate([-np.geomspace(1e-12, 1000, 800), [0, -0.5, -1, -999.5, -1000, -52, -1022 / 2, -1e-300]])
    found = apply(level_math.exp2_double, x, "double", "double")
    np.testing.assert_allclose(found, np.exp2(x), rtol=1e-11)
    assert found[800] == 1


def test_logarithms_are_good_to_twelve_digits():
    x = np.concatenate([np.geomspace(1e-40, 1e40, 792), [1, 2, 0.5, 1 - 2**-53, 1 + 2**-52, 2**0.5, 0.5**0.5, 3]])
    found = apply(level_math.log2_double, x, "double", "double")
    np.testing.assert_allclose(found, np.log2(x), rtol=1e-12, atol=1e-12)
