"""Axes are said by the user, or certain, or an error with the line to write."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from array_options import array_options
from tonearm.arrays.axes import arrange as arrange_by_kind
from tonearm.arrays.read import read_array
from tonearm.errors import ItemError
from tonearm.plugins.context import Context
from tonearm.plugins.kind import Kind
from tonearm.signals import Waveform


def arrange(array: Any, kind: str, axes: Any, sizes: Any) -> Any:
    return arrange_by_kind(array, array_options(kind=kind).kind, axes, sizes, Context())


def counted(*shape: int) -> Any:
    return np.arange(int(np.prod(shape)), dtype="f4").reshape(shape)


def of_lengths(array: Any, lengths: list[int], kind: str, **options: Any) -> list[Any]:
    """Return the signals of a padded batch whose axes nobody names."""
    found = read_array(array, array_options(kind=kind, **options), Context(), lengths=np.array(lengths))
    return [one if isinstance(one, ItemError) else one.arrays()[0] for one in found]


GRID = {"sample_rate": 8000, "n_fft": 16, "hop_length": 4}


class TestLengthsNameABatch:
    def test_of_waveforms(self) -> None:
        array = counted(3, 7) / 21
        for shape in ((3, 7), (3, 1, 7), (3, 7, 1), (1, 3, 7)):
            found = of_lengths(array.reshape(shape), [7, 2, 1], "waveform", sample_rate=8000)
            assert [one.shape for one in found] == [(1, 7), (1, 2), (1, 1)]
            assert found[1][0].tolist() == array[1, :2].tolist()

    def test_of_waveforms_with_channels(self) -> None:
        array = counted(3, 2, 7) / 42
        for turned in (array, array.transpose(0, 2, 1)):
            found = of_lengths(turned, [7, 3, 5], "waveform", sample_rate=8000)
            assert [one.shape for one in found] == [(2, 7), (2, 3), (2, 5)]
            assert found[2].tolist() == array[2, :, :5].tolist()

    def test_of_spectrograms(self) -> None:
        array = counted(3, 9, 5)
        for turned in (array, array.transpose(0, 2, 1)):
            found = of_lengths(turned, [5, 1, 2], "magnitude", **GRID)
            assert [one.shape for one in found] == [(1, 9, 5), (1, 9, 1), (1, 9, 2)]
            assert found[2][0].tolist() == array[2, :, :2].tolist()

    @pytest.mark.parametrize(
        ("shape", "lengths"),
        [((2, 7), [3, 2, 1]), ((3, 3, 7), [8, 1, 1]), ((4, 2, 3), [2, 1, 1, 2])],
        ids=["no axis of that many", "longer than time", "two axes may be time"],
    )
    def test_what_stays_ambiguous_is_asked(self, shape: tuple[int, ...], lengths: list[int]) -> None:
        with pytest.raises(ItemError) as caught:
            of_lengths(counted(*shape) / 99, lengths, "waveform", sample_rate=8000)
        assert caught.value.code == "ambiguous-axes"

    def test_only_orders_with_a_batch_are_offered(self) -> None:
        with pytest.raises(ItemError) as caught:
            of_lengths(counted(4, 2, 3) / 99, [2, 1, 1, 2], "waveform", sample_rate=8000)
        assert caught.value.hint == "axes: [batch, channel, time]"


def refused(array: Any, kind: Any, axes: Any = None, sizes: Any = None) -> ItemError:
    with pytest.raises(ItemError) as caught:
        arrange(array, kind, axes, sizes or {})
    return caught.value


@pytest.mark.parametrize("shape", [(7,), (1, 7), (7, 1), (1, 1, 7), (1, 1, 1, 7)])
def test_a_waveform_with_spare_axes(shape: tuple[int, ...]) -> None:
    assert arrange(counted(*shape), "waveform", None, {}).tolist() == [[list(range(7))]]


@pytest.mark.parametrize("shape", [(9, 5), (1, 9, 5), (1, 1, 9, 5)])
def test_bins_are_found_by_their_number(shape: tuple[int, ...]) -> None:
    array = counted(*shape)
    assert np.array_equal(arrange(array, "magnitude", None, {"bin": 9})[0, 0], array.reshape(9, 5))
    turned = array.swapaxes(-1, -2)
    assert np.array_equal(arrange(turned, "magnitude", None, {"bin": 9})[0, 0], array.reshape(9, 5))


def test_a_spectrogram_of_one_frame_keeps_its_axis() -> None:
    assert arrange(counted(9, 1), "complex", None, {"bin": 9}).shape == (1, 1, 9, 1)
    assert arrange(counted(1, 9), "complex", None, {"bin": 9}).shape == (1, 1, 9, 1)


@given(st.permutations(["batch", "channel", "bin", "frame"]), st.integers(0, 2))
def test_axes_that_are_named_come_into_order(names: list[Any], dropped: int) -> None:
    names = [name for name in names if name not in ["batch", "channel"][:dropped]]
    size = {"batch": 2, "channel": 3, "bin": 9, "frame": 5}
    array = counted(*(size[name] for name in names))
    found = arrange(array, "complex", names, {"bin": 9})
    assert found.shape == tuple(size[name] if name in names else 1 for name in ("batch", "channel", "bin", "frame"))
    for at in itertools.product(*(range(n) for n in found.shape)):
        where = dict(zip(("batch", "channel", "bin", "frame"), at, strict=True))
        assert found[at] == array[tuple(where[name] for name in names)]
    assert np.shares_memory(found, array)


def test_spare_axes_go_where_axes_are_named_too() -> None:
    assert arrange(counted(1, 1, 3, 5), "waveform", ["channel", "time"], {}).shape == (1, 3, 5)


@pytest.mark.parametrize(
    ("array", "kind", "sizes", "hints"),
    [
        (counted(2, 7), "waveform", {}, "axes: [channel, time] or [batch, time]"),
        (counted(1, 2, 7), "waveform", {}, "axes: [channel, time] or [batch, time]"),
        (counted(40, 2), "waveform", {}, "axes: [batch, time] or [time, channel]"),
        (counted(70, 2), "waveform", {}, "axes: [time, channel]"),
        (counted(4, 2, 7), "waveform", {}, "axes: [batch, channel, time]"),
        (counted(9, 9), "db", {"bin": 9}, "axes: [bin, frame] or [frame, bin]"),
        (counted(4, 9, 5), "db", {"bin": 9}, "axes: [batch, bin, frame] or [channel, bin, frame]"),
        (counted(4, 5, 9), "db", {"bin": 9}, "axes: [batch, frame, bin] or [channel, frame, bin]"),
        (counted(9, 5, 9), "db", {"bin": 9}, "axes: [batch, frame, bin] or [channel, frame, bin]"),
        (counted(2, 3, 9, 5), "db", {"bin": 9}, "axes: [batch, channel, bin, frame]"),
    ],
)
def test_two_readings_are_an_error_with_the_line_to_write(array: Any, kind: Any, sizes: Any, hints: str) -> None:
    error = refused(array, kind, sizes=sizes)
    assert error.code == "ambiguous-axes"
    assert error.message == f"the axes of shape {array.shape} are ambiguous"
    assert error.hint == hints
    for line in re.findall(r"\[([^]]*)\]", error.hint):  # every line that it names is one that works
        arrange(array, kind, line.split(", "), sizes)


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ((9, 5, 2), "axes: [bin, frame, complex]"),
        ((1, 9, 5, 2), "axes: [bin, frame, complex]"),
        ((2, 5, 9), "axes: [complex, frame, bin]"),
        ((4, 9, 5, 2), "axes: [batch, bin, frame, complex] or [channel, bin, frame, complex]"),
        ((4, 3, 2, 9, 5), "axes: [batch, channel, complex, bin, frame]"),
        ((4, 9, 5), "axes: [batch, bin, frame] or [channel, bin, frame]"),  # no axis can hold the parts
    ],
)
def test_real_values_of_a_complex_kind_need_an_axis_of_their_parts(shape: tuple[int, ...], hint: str) -> None:
    options = array_options(kind="complex", sample_rate=8000, n_fft=16, hop_length=4)
    with pytest.raises(ItemError) as caught:
        list(read_array(counted(*shape), options, Context()))
    assert (caught.value.code, caught.value.hint) == ("ambiguous-axes", hint)


def test_real_parts_beside_imaginary_parts_need_no_such_axis() -> None:
    options = array_options(kind="complex", sample_rate=8000, n_fft=16, hop_length=4)
    with pytest.raises(ItemError) as caught:
        list(read_array(counted(2, 9, 5), options, Context(), imag=counted(2, 9, 5)))
    assert caught.value.hint == "axes: [batch, bin, frame] or [channel, bin, frame]"


def test_wrong_numbers_of_bins_name_the_n_fft_that_would_fit() -> None:
    error = refused(counted(5, 513), "magnitude", sizes={"bin": 9})
    assert (error.code, error.message) == ("bins-mismatch", "no axis of shape (5, 513) has 9 (bin) values")
    assert error.hint == "n_fft: 1024, if the array has 513 bins"
    error = refused(counted(5, 513), "magnitude", ["frame", "bin"], {"bin": 9})
    assert error.message == "the bin axis of shape (5, 513) has 513 values, not 9"
    assert error.hint == "n_fft: 1024, if the array has 513 bins"


@pytest.mark.parametrize("shape", [(80, 300), (7, 12), (240, 512)])
def test_no_n_fft_is_proposed_that_nobody_chooses(shape: tuple[int, int]) -> None:
    assert refused(counted(*shape), "magnitude", sizes={"bin": 9}).remedies == ()


def test_the_axis_that_can_be_bins_is_taken_though_it_is_the_shorter_one() -> None:
    assert refused(counted(1000, 513), "magnitude", sizes={"bin": 9}).hint == "n_fft: 1024, if the array has 513 bins"


@pytest.mark.parametrize(
    ("array", "kind", "axes", "message"),
    [
        (counted(5), "complex", None, "a complex array has the axes bin and frame, but the shape is (5,)"),
        (counted(2, 5), "waveform", ["time"], "axes names 1 axes, but the array has 2: its shape is (2, 5)"),
        (counted(5), "waveform", ["channel", "time"], "axes names 2 axes, but the array has 1: its shape is (5,)"),
        (counted(2, 3, 4, 5), "waveform", None, "a waveform array has at most 3 axes, but the shape is (2, 3, 4, 5)"),
        # Where the kind shows only from the array, no option check came before.
        (counted(5), "waveform", ["bin"], "the array is waveform, which has no bin axis"),
        (
            counted(2, 5),
            "complex",
            ["batch", "bin"],
            "the array is complex, which has a frame axis, which axes does not",
        ),
    ],
)
def test_axes_that_do_not_fit(array: Any, kind: Any, axes: Any, message: str) -> None:
    error = refused(array, kind, axes)
    assert error.code == "axes-mismatch"
    assert error.message.startswith(message)


@pytest.mark.parametrize("kind", ["magnitude", "complex"])
@pytest.mark.parametrize("front", [(), (1,)])
@pytest.mark.parametrize(
    ("axis", "order"), [(0, "[polar, bin, frame]"), (1, "[bin, polar, frame]"), (2, "[bin, frame, polar]")]
)
def test_magnitudes_beside_phases_are_no_complex_parts(kind: str, front: Any, axis: int, order: str) -> None:
    values = np.fft.rfft(np.random.default_rng(1).standard_normal((40, 64)), axis=1).T
    array = np.stack([np.abs(values), np.angle(values)], axis).astype("f4")
    array = array.reshape(*front, *array.shape)
    error = refused_parts(array, kind)
    assert error.hint == (f"axes: {order}" if kind == "magnitude" else f"kind: magnitude and axes: {order}")
    names = order[1:-1].split(", ")
    found = arrange(array, "magnitude", names, {"bin": 33})
    np.testing.assert_array_equal(found.squeeze(), np.stack([np.abs(values), np.angle(values)]).astype("f4"))


@pytest.mark.parametrize("kind", ["magnitude", "complex"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_phases_before_magnitudes_are_refused(kind: str, axis: int) -> None:
    values = np.fft.rfft(np.random.default_rng(1).standard_normal((40, 64)), axis=1).T
    array = np.stack([np.angle(values), np.abs(values)], axis).astype("f4")
    error = refused_parts(array, kind)
    assert (error.code, error.message) == ("axes-mismatch", "the axis of two values has phases first, then magnitudes")
    assert error.hint == "save the magnitudes first, and read them as kind magnitude with an axis polar"


def test_real_and_imaginary_parts_are_no_magnitudes() -> None:
    values = np.fft.rfft(np.random.default_rng(1).standard_normal((40, 64)), axis=1).T
    error = refused_parts(np.stack([values.real, values.imag], -1).astype("f4"), "complex")
    assert error.hint == "axes: [bin, frame, complex]"


def refused_parts(array: Any, kind: str) -> ItemError:
    bound = array_options(kind=kind).kind
    with pytest.raises(ItemError) as caught:
        arrange_by_kind(array, bound, None, {"bin": 33}, Context(), needs_parts=kind == "complex")
    return caught.value


@pytest.mark.parametrize(("shape", "order"), [((9000, 2), "[time, channel]"), ((2, 9000), "[channel, time]")])
def test_no_order_with_thousands_of_channels_is_proposed(shape: tuple[int, int], order: str) -> None:
    found = refused(counted(*shape), "waveform").hint
    other = "[channel, time]" if order == "[time, channel]" else "[time, channel]"
    assert order in found
    assert other not in found


def test_axes_that_are_exchanged_are_proposed_in_their_order() -> None:
    error = refused(counted(9, 5), "magnitude", ["frame", "bin"], {"bin": 9})
    assert (error.code, error.hint) == ("bins-mismatch", "axes: [bin, frame]")
    assert arrange(counted(9, 5), "magnitude", ["bin", "frame"], {"bin": 9}).shape == (1, 1, 9, 5)
    assert "axes" not in refused(counted(8, 5), "magnitude", ["frame", "bin"], {"bin": 9}).hint


@dataclass(frozen=True)
class LatticeOptions:
    rows: int = 0
    columns: int = 0


class Lattice(Kind[Waveform, LatticeOptions]):
    axes = ("row", "column", "step")
    optional_axes = ("layer",)

    def sizes(self) -> dict[str, int]:
        return {name: size for name, size in (("row", self.options.rows), ("column", self.options.columns)) if size}

    def read(self, values: Any, context: Context) -> Waveform:
        raise NotImplementedError


def lattice(array: Any, axes: Any = None, **sizes: int) -> Any:
    kind = Lattice(LatticeOptions(**sizes))
    return arrange_by_kind(array, kind, axes, kind.sizes(), Context())


class TestThreeAxesAndAnOptionalOne:
    def test_two_sizes_tell_all_three(self) -> None:
        array = counted(2, 3, 4)
        assert np.array_equal(lattice(array, rows=3, columns=4)[0, 0, 0], array.transpose(1, 2, 0))

    @pytest.mark.parametrize("sizes", [{}, {"rows": 3}, {"rows": 3, "columns": 3}])
    def test_fewer_do_not(self, sizes: dict[str, int]) -> None:
        with pytest.raises(ItemError) as caught:
            lattice(counted(2, 3, 4), **sizes)
        assert caught.value.code == "ambiguous-axes"

    def test_no_size_that_fits_is_named(self) -> None:
        with pytest.raises(ItemError) as caught:
            lattice(counted(2, 3, 4), rows=9)
        assert (caught.value.code, caught.value.message) == (
            "bins-mismatch",
            "no axis of shape (2, 3, 4) has 9 (row) values",
        )

    def test_an_optional_axis_stands_before_the_others(self) -> None:
        array = counted(5, 4, 3, 2, 6)
        found = lattice(array, ["step", "column", "row", "layer", "batch"])
        assert found.shape == (6, 1, 2, 3, 4, 5)
        assert np.array_equal(found[:, 0], array.transpose(4, 3, 2, 1, 0))
