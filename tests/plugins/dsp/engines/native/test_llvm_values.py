import numpy as np
from dsp_material import NARROW, only_native

from tonearm_plugins.dsp.engines.native.compiler import Kernel, aligned
from tonearm_plugins.dsp.engines.native.llvm_values import FLAGS, Int, literal
from tonearm_plugins.dsp.engines.native.llvm_writer import Writer


def run(write, kind="float", **arguments):
    kernel = Kernel(NARROW, write, {}, kind=kind)
    kernel(kernel.scratch(), **arguments)


def test_nan_keeps_its_meaning():
    assert not {"fast", "nnan", "ninf"} & set(FLAGS.split())


def test_numbers_are_written_to_the_last_bit():
    assert literal(0.1, "float") == f"0x{np.float64(np.float32(0.1)).view(np.uint64):016X}"
    assert literal(0.1, "double") == "0x3FB999999999999A"
    assert literal(-1, "i32") == "-1"


def test_what_changes_no_integer_writes_nothing():
    writer = Writer(8)
    number = Int(writer, "%n")
    assert number + 0 is number
    assert number - 0 is number
    assert number * 1 is number
    assert "%v" not in writer.source()


@only_native
def test_shuffles_integers_and_scratch():
    def write(writer):
        x, y = writer.memory("x"), writer.memory("y", "i32")
        spare = writer.scratch(8, "i32")
        whole = x[0].cast("fptosi", "i32")
        spare[0] = (whole << 3) >> 1
        y[0] = spare[0].shuffle(writer.lane_numbers(), [7, 6, 5, 4, 8, 9, 10, 11])

    x = np.arange(8, dtype=np.float32)
    y = np.zeros(8, np.int32)
    run(write, x=x, y=y)
    assert y.tolist() == [28, 24, 20, 16, 0, 1, 2, 3]


@only_native
def test_quotients_of_integers_leave_the_rest_out():
    def write(writer):
        x, y = writer.memory("x"), writer.memory("y")
        with writer.loop(3) as i:
            y[i * 8] = x[(i + 7) // 4 * 8]

    x = np.repeat(np.arange(3, dtype=np.float32), 8)
    y = aligned(24)
    run(write, x=x, y=y)
    assert y[::8].tolist() == [1, 2, 2]


@only_native
def test_a_row_can_be_shorter_than_a_vector():
    def write(writer):
        x = writer.memory("x")
        x.put_short(0, x[8].first(3), 3)
        x.put_scalar(5, x.scalar(15))

    x = aligned(16)
    x[:] = np.arange(16)
    run(write, x=x)
    assert x[:8].tolist() == [8, 9, 10, 3, 4, 15, 6, 7]


@only_native
def test_a_mask_holds_in_some_lanes_and_a_short_row_is_filled_with_zeros():
    def write(writer):
        x, y = writer.memory("x"), writer.memory("y")
        y[0] = writer.mask(range(2, 5)).choose(x[0], writer.constant(-1.0))
        y[8] = x.short(1, 4)

    x, y = np.arange(10, 18, dtype=np.float32), np.empty(16, np.float32)
    run(write, x=x, y=y)
    assert y.tolist() == [-1, -1, 12, 13, 14, -1, -1, -1, 11, 12, 13, 14, 0, 0, 0, 0]


@only_native
def test_a_quotient_by_a_root_is_exact_to_a_few_bits_and_nan_and_zero_stay():
    def write(writer):
        x, y, z = (writer.memory(name) for name in "xyz")
        with writer.loop(writer.int_argument("count")) as i:
            z[i * 8] = x[i * 8] / (y[i * 8] + 1e-30).sqrt()

    x = np.random.default_rng(0).standard_normal(800).astype(np.float32)
    y = 10.0 ** np.random.default_rng(1).uniform(-20, 30, 800).astype(np.float32)
    x[:3], y[:3] = (0, np.nan, 1), (0, 1, np.nan)
    z = np.empty_like(x)
    run(write, x=x, y=y, z=z, count=100)
    assert z[0] == 0
    assert np.isnan(z[1:3]).all()
    assert np.allclose(z[3:], x[3:] / np.sqrt(y[3:].astype(np.float64)), rtol=1e-6, atol=0)
