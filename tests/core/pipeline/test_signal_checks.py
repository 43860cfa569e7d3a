"""Checks of signals: what is not as declared names the plugin, and NaN is found wherever it hides."""

import numpy as np
import pytest
from core_toys import Fog, checked, item, pipeline

from tonearm.api import ComplexSpectrogram, Item, ItemError, Signal, Spec, StftGrid, Waveform
from tonearm.pipeline.signal_checks import (
    check_given,
    check_item,
    check_kept,
    check_signal_in_memory,
    is_finite,
    not_finite_of,
)

BOUND = checked(pipeline()).decoder
"""It declares waveforms of one channel at 8,000 Hz."""


class Bare(Signal):
    """A signal that checks nothing itself."""

    port = "bare"

    def __init__(self, *arrays):
        self.given = arrays

    def arrays(self):
        return self.given


def message_of(signal, **spec):
    with pytest.raises(ItemError) as caught:
        check_given(signal, bound_to(**spec))
    assert caught.value.hint in ("", "report it to the author of the plugin")
    return caught.value.code, caught.value.message


def bound_to(**spec):
    from msgspec.structs import replace

    ports = replace(BOUND.ports, gives=spec.pop("gives", BOUND.ports.gives))
    return replace(BOUND, ports=ports, spec=Spec(signals=ports.gives, **spec) if spec else None)


class TestSignalsOfACall:
    """Signals that a call gives in place of the decoder's."""

    def refused(self, signal):
        with pytest.raises(ItemError) as caught:
            check_signal_in_memory(Item(signal=signal), bound_to(sample_rate=8000))
        assert caught.value.place.stage == "input"
        return caught.value

    def test_any_class_is_for_the_next_stage_to_take(self):
        check_signal_in_memory(Item(signal=Bare(np.zeros(3))), bound_to(sample_rate=8000))
        check_signal_in_memory(
            Item(signal=Waveform(samples=np.zeros((2, 9), "f4"), sample_rate=8000)), bound_to(channels=1)
        )

    def test_another_rate_than_the_options_say(self):
        error = self.refused(Waveform(samples=np.zeros((1, 9), "f4"), sample_rate=16000))
        assert error.code == "rate-mismatch"
        assert error.message == "the waveform has 16000 Hz, but the options of tone-reader say 8000 Hz"

    def test_values_that_are_not_finite_have_no_option(self):
        error = self.refused(Waveform(samples=np.full((1, 9), np.nan, "f4"), sample_rate=8000))
        assert (error.code, error.hint) == ("not-finite", "check the model's output")

    def test_what_is_no_array(self):
        assert self.refused(Bare("text")).code == "wrong-signal"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"sample_rate": 16000},
            "tone-reader declares a sample rate of 16000 Hz, but it gave a sample rate of 8000 Hz",
        ),
        ({"channels": 2}, "tone-reader declares 2 channels, but it gave 1 channel"),
        ({"length": 48000}, "tone-reader declares 48,000 samples, but it gave 100 samples"),
    ],
)
def test_what_is_not_as_the_spec_says(spec, message):
    assert message_of(item(0.5).signal, **spec) == ("wrong-signal", message)


@pytest.mark.parametrize("kind", ["f4", "c8", "f2"])
def test_single_precision_where_double_is_declared(kind):
    signal = Bare(np.zeros(3, kind))
    expected = ("wrong-signal", f"tone-reader declares double precision, but it gave {np.dtype(kind)}")
    assert message_of(signal, gives=(Bare,), precision="double") == expected


@pytest.mark.parametrize("arrays", [(np.zeros(3),), (np.zeros(3, "c16"), np.zeros(3, "f4")), (np.zeros(3, int),), ()])
def test_double_precision_and_arrays_that_have_none(arrays):
    check_given(Bare(*arrays), bound_to(gives=(Bare,), precision="double"))


def test_single_precision_is_no_promise():
    check_given(Bare(np.zeros(3)), bound_to(gives=(Bare,), precision="single"))


def test_what_is_as_the_spec_says_or_unknown():
    check_given(item(0.5).signal, bound_to(sample_rate=8000, channels=1, length=100))
    check_given(Bare(np.zeros(3)), bound_to(gives=(Bare,), sample_rate=16000, length=7))


def test_a_step_that_declares_no_change_keeps_what_both_signals_know():
    short = Waveform(samples=np.zeros((1, 7), "f4"), sample_rate=8000)
    with pytest.raises(ItemError, match="declares 100 samples, but it gave 7 samples"):
        check_kept(short, item(0.5).signal, BOUND)
    check_kept(Bare(np.zeros(3)), item(0.5).signal, BOUND)
    check_kept(item(0.5).signal, Bare(np.zeros(3)), BOUND)


def test_a_narrower_class_than_the_port_may_be_declared():
    from msgspec.structs import replace

    bound = replace(bound_to(gives=(Signal,)), spec=Spec(signals=(Waveform,)))
    with pytest.raises(ItemError, match="tone-reader gives waveform, but it gave fog"):
        check_given(Fog(), bound)


@pytest.mark.parametrize("arrays", [([0.5],), (None,), (np.array(["x"]),), (np.zeros(2, object),)])
def test_arrays_that_are_none(arrays):
    code, message = message_of(Bare(*arrays), gives=(Bare,), channels=1)
    assert code == "wrong-signal"
    assert message == "tone-reader gave a bare whose arrays() is not a tuple of arrays of numbers"


def test_a_list_of_arrays_is_no_tuple():
    signal = Bare()
    signal.given = [np.zeros(3)]
    assert message_of(signal, gives=(Bare,), channels=1)[0] == "wrong-signal"


@pytest.mark.parametrize(
    ("fields", "message"), [({"key": 3}, "the key 3"), ({"index": "a"}, "the index 'a'"), ({"index": True}, "True")]
)
def test_items_with_odd_names(fields, message):
    with pytest.raises(ItemError, match=f"tone-reader gave an item with .*{message}"):
        check_item(Item(signal=item(0.5).signal, **fields), BOUND)


DTYPES = [np.float16, np.float32, np.float64, np.complex64, np.complex128, np.longdouble]
VALUES = [np.nan, np.inf, -np.inf]


@pytest.mark.parametrize("dtype", DTYPES)
class TestFiniteness:
    @pytest.mark.parametrize("place", [0, 777, -1])
    @pytest.mark.parametrize("value", VALUES)
    def test_one_value_anywhere(self, dtype, place, value):
        array = np.ones((3, 500), dtype)
        assert is_finite(Bare(array))
        array.reshape(-1)[place] = value
        assert not is_finite(Bare(array))
        assert not is_finite(Bare(np.ones(1), array))

    def test_large_values_whose_squares_overflow(self, dtype):
        assert is_finite(Bare(np.full((2, 3), np.finfo(dtype).max, dtype)))

    def test_two_infinities_do_not_cancel(self, dtype):
        assert not is_finite(Bare(np.array([np.inf, -np.inf, 1], dtype)))

    def test_views_that_are_not_contiguous(self, dtype):
        array = np.ones((40, 50), dtype)
        array[1::2] = np.nan
        assert is_finite(Bare(array[::2, ::-3]))
        assert is_finite(Bare(array.T[:, ::2]))
        assert not is_finite(Bare(array[:, ::7]))
        assert not is_finite(Bare(array.T))


def test_only_the_imaginary_part_is_not_finite():
    assert not is_finite(Bare(np.array([1 + 1j, complex(1, np.inf)], np.complex64)))


def test_integers_are_finite():
    assert is_finite(Bare(np.full(5, 2**62)))


def test_where_the_values_are():
    samples = np.zeros((2, 2000), np.float32)
    samples[1, 1234:1237] = np.nan
    error = not_finite_of(BOUND, Waveform(samples=samples, sample_rate=8000))
    assert error.message == "tone-reader gave NaN: 3 of 4,000 values, first at channel 1, sample 1,234"
    samples[0, 17] = np.inf
    error = not_finite_of(BOUND, Waveform(samples=samples, sample_rate=8000))
    assert error.message == "tone-reader gave NaN and infinity: 4 of 4,000 values, first at channel 0, sample 17"


def test_where_the_values_of_other_signals_are():
    values = np.zeros((1, 5, 9), np.complex64)
    values[0, 3, 2] = np.inf
    grid = StftGrid(sample_rate=8000, n_fft=8, hop_length=4, win_length=8)
    error = not_finite_of(BOUND, ComplexSpectrogram(values=values, grid=grid))
    assert error.message == "tone-reader gave infinity: 1 of 45 values, first at channel 0, bin 3, frame 2"
    error = not_finite_of(BOUND, Bare(np.zeros(2), np.array([0.0, np.nan])))
    assert error.message == "tone-reader gave NaN: 1 of 2 values, first at index 1"


def test_a_class_that_the_port_never_gives_is_told_by_the_port():
    from msgspec.structs import replace

    bound = replace(bound_to(gives=(Waveform, Fog)), spec=Spec(signals=(Waveform,)))
    for signal, wanted in ((Bare(), "waveform or fog, but it gave bare"), (Fog(), "waveform, but it gave fog")):
        with pytest.raises(ItemError, match=f"^tone-reader gives {wanted}$"):
            check_given(signal, bound)
