import numpy as np
import pytest
from dsp_material import NARROW, only_native

from tonearm_plugins.dsp.engines.native.compiler import Kernel
from tonearm_plugins.dsp.engines.native.vector_math import cos_sin_of_turns, log2, transposed, wrapped

pytestmark = only_native


def apply(function, x, results=1):
    """Return what a function of registers gives for each number."""
    x = np.asarray(x, np.float32)
    out = np.empty((results, x.size), np.float32)

    def write(writer):
        given, found = writer.memory("x"), writer.memory("out")
        with writer.loop(x.size // 8) as i:
            values = function(given[i * 8])
            for row, value in enumerate(values if isinstance(values, tuple) else (values,)):
                found[i * 8 + row * x.size] = value

    kernel = Kernel(NARROW, write, {})
    kernel(kernel.scratch(), x=x, out=out)
    return out


def test_logarithm():
    x = np.concatenate([np.geomspace(1e-30, 1e30, 8000), [1, 2, 0.5, 4, 1 - 2**-24, 1 + 2**-23, 2**0.5, 0.5**0.5]])
    x = x.astype(np.float32)
    assert np.abs(apply(log2, x)[0] - np.log2(x.astype(float))).max() < 4e-6 * np.log2(1e30)
    near = np.linspace(0.6, 1.5, 8000, dtype=np.float32)
    assert np.abs(apply(log2, near)[0] - np.log2(near.astype(float))).max() < 4e-6


def test_turns_are_wrapped_to_half_a_turn():
    x = np.concatenate([np.linspace(-9.3, 9.3, 800), [2**20 + 0.25, -(2**20) - 0.25, 0, 1, -1, 7, 0.25, -0.25]])
    x = x.astype(np.float32)
    assert np.array_equal(apply(wrapped, x)[0], x - np.rint(x))


def test_cosine_and_sine():
    x = np.linspace(-0.5, 0.5, 8000, dtype=np.float32)
    cos, sin = apply(cos_sin_of_turns, x, results=2)
    assert np.abs(cos - np.cos(2 * np.pi * x.astype(float))).max() < 1e-6
    assert np.abs(sin - np.sin(2 * np.pi * x.astype(float))).max() < 1e-6


@pytest.mark.parametrize("offset", [0, 100])
def test_transposition(offset):
    x = np.arange(64, dtype=np.float32).reshape(8, 8) + offset
    out = np.empty_like(x)

    def write(writer):
        given, found = writer.memory("x"), writer.memory("out")
        for row, column in enumerate(transposed([given[8 * row] for row in range(8)])):
            found[8 * row] = column

    kernel = Kernel(NARROW, write, {})
    kernel(kernel.scratch(), x=x, out=out)
    assert np.array_equal(out, x.T)
