import numpy as np
from dsp_material import NARROW, only_native

from tonearm_plugins.dsp.engines.native.compiler import Kernel


def run(write, kind="float", **arguments):
    kernel = Kernel(NARROW, write, {}, kind=kind)
    kernel(kernel.scratch(), **arguments)


@only_native
def test_loops_and_arithmetic_are_numpys():
    def write(writer):
        x, y = writer.memory("x"), writer.memory("y")
        with writer.loop(writer.int_argument("count")) as i:
            value = x[i * 8]
            y[i * 8] = ((value * 2.0 + 1.0) / (value + 3.0)).sqrt() - value

    x = np.random.default_rng(0).random(40).astype(np.float32)
    y = np.zeros_like(x)
    run(write, x=x, y=y, count=5)
    assert np.allclose(y, np.sqrt((x * 2 + 1) / (x + 3)) - x, atol=1e-6)


@only_native
def test_a_cell_carries_its_value_from_turn_to_turn():
    def write(writer):
        x, total = writer.memory("x"), writer.memory("total")
        with writer.carrying(writer.int_argument("count"), writer.constant(0.0)) as (i, (cell,)):
            cell.value = cell.value + x[i * 8]
        total[0] = cell.value

    x = np.arange(32, dtype=np.float32)
    total = np.zeros(8, np.float32)
    run(write, x=x, total=total, count=4)
    assert total.tolist() == x.reshape(4, 8).sum(axis=0).tolist()


@only_native
def test_conditions_choose_lanes_and_branches():
    def write(writer):
        x, y = writer.memory("x"), writer.memory("y")
        zero = writer.constant(0.0)
        with writer.loop(4) as i:
            y[i * 8] = (x[i * 8] > zero).choose(x[i * 8], zero)
            with writer.when(i.equals(2)):
                y[i * 8] = writer.constant(7.0)

    x = np.random.default_rng(1).standard_normal(32).astype(np.float32)
    x[3] = np.nan  # compares false
    y = np.empty_like(x)
    run(write, x=x, y=y)
    expected = np.where(x > 0, x, 0)
    expected[16:24] = 7
    assert y.tolist() == expected.tolist()


@only_native
def test_integers_are_compared_and_chosen():
    def write(writer):
        y = writer.memory("y")
        with writer.loop(4) as i:
            y[writer.choose_int(i.above(1), i + 10, i) * 8] = writer.constant(1.0)

    y = np.zeros(120, np.float32)
    run(write, y=y)
    assert np.flatnonzero(y[::8]).tolist() == [0, 1, 12, 13]


@only_native
def test_a_function_of_doubles_has_no_number_in_single_precision():
    def write(writer):
        x, y = writer.memory("x"), writer.memory("y")
        spare, kept = writer.scratch(8), writer.scratch(8)
        spare[0] = x[0].sqrt() + 0.1
        kept[0] = writer.pick(writer.int_argument("n").equals(1), 0.3, 0.7)
        y[0] = spare[0] * x.splat(1) * kept[0]

    x, y = np.arange(3.0, 11.0), np.zeros(8)
    run(write, kind="double", x=x, y=y, n=1)
    assert np.allclose(y, (np.sqrt(x) + 0.1) * 4 * 0.3, rtol=1e-15)
